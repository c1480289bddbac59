"""A node gets ten times its quota: how large the store gets, and what making room costs.

    python -m benchmarks.bench_quota [QUOTA IN MIB] [BATCH]

The size on disk (database with search, and log) is read after every batch. One thread is pinned.
"""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bench_posts import HOUR, Writer
from p2pforum.core.network_params import params_for
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.store import doctor, pins
from p2pforum.store.keeping import Keeping, RetentionPolicy
from p2pforum.store.posts import open_store

SMALLEST = "1"

_MIB = 1024 * 1024
_POST = 1_000  # bytes of disk a post, about


def main() -> None:
    """Fill the store and print its largest size, the rate, the slowest batch, and whether the
    pinned posts stayed.
    """
    quota = int(sys.argv[1]) * _MIB if len(sys.argv) > 1 else 50 * _MIB
    batch_size = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    params = params_for("test.bench")
    writer = Writer(params)
    with tempfile.TemporaryDirectory() as name, open_store(Path(name), params) as store:
        keep = Keeping(store, RetentionPolicy(quota=quota), lambda: HOUR)
        door = Door(store, params, lambda: HOUR, keep=keep)
        thread = writer.thread(200)
        door.ingest_now([post.raw for post in thread], Origin.SYNC)
        pins.pin(store, thread[0].id)
        offered = kept = 0
        largest, slowest, cpu = 0, 0.0, 0.0
        batch: list[bytes] = []
        for post in writer.posts(10 * quota // _POST):
            batch.append(post.raw)
            if len(batch) < batch_size:
                continue
            begun, cpu_begun = time.perf_counter(), time.process_time()
            verdicts = door.ingest_now(batch, Origin.SYNC)
            cpu += time.process_time() - cpu_begun
            slowest = max(slowest, time.perf_counter() - begun)
            offered += len(batch)
            kept += sum(verdict.outcome is Outcome.STORED for verdict in verdicts)
            largest = max(largest, store.size())
            batch = []
        pinned = len(store.raw([post.id for post in thread]))
        print(f"quota {quota / _MIB:.0f} MiB, {offered:,} posts offered, {kept:,} taken in")
        print(f"largest {largest / quota:.3f} of the quota, in the end {store.size() / quota:.3f}")
        print(f"{offered / cpu:,.0f} posts/s of CPU, slowest batch {slowest:.1f} s")
        print(
            f"pinned posts left: {pinned} of {len(thread)}; doctor: {doctor.check(store, params) or 'well'}"
        )


if __name__ == "__main__":
    main()
