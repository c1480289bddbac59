"""How many valid posts a second go through the real door, against signature and stamp checks alone.

    python -m benchmarks.bench_ingest [POSTS] [BATCH] [POSTS ALREADY THERE]

One core, one process, a store with search index. Rates are posts a second of CPU, so that other work on
the machine counts little; "elapsed" is by the clock, disk included. "By hour" is how sync brings them,
"by thread" how a busy network does, "in any order" the worst that can come.
"""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench_posts import HOUR, Writer
from p2pforum.core import signature
from p2pforum.core.limits import NetworkParams, params_for
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.store.posts import open_store


def main() -> None:
    count, batch, before = [int(v) for v in sys.argv[1:4]] + [20_000, 500, 0][len(sys.argv) - 1 :]
    signed = params_for("bench", test=True)
    # Two bits: as dear to check as sixteen, and cheap to mint.
    stamped = NetworkParams("bench-stamped", stamp_floor=2)
    with tempfile.TemporaryDirectory() as name:
        for title, params, n in (
            ("signature only", signed, count),
            ("signature and stamp", stamped, count // 4),
        ):
            posts = list(Writer(params).posts(n))
            size = sum(len(post.raw) for post in posts) / len(posts)
            print(f"{title}: {len(posts):,} posts of {size:.0f} bytes, batches of {batch}, into {before:,}")
            filled = _filled(Path(name) / title, params, before)
            for order, arranged in _orders(posts).items():
                alone = _verify_alone(posts, params)
                cpu, elapsed, disk = _ingest(arranged, params, batch, filled)
                print(
                    f"  {order:13s} verification alone {n / alone:7,.0f}/s, the door {n / cpu:7,.0f}/s"
                    f" = {alone / cpu:4.0%}   elapsed {n / elapsed:6,.0f}/s   {disk:.0f} B of disk a post"
                )


def _filled(directory: Path, params: NetworkParams, count: int) -> Path:
    """A closed store with so many other posts, unverified and unstamped."""
    batch: list[tuple[Post, bool]] = []
    unstamped = NetworkParams(params.name, stamp_floor=0)
    with open_store(directory, params) as store:
        for n, post in enumerate(Writer(unstamped, seed=9).posts(count), 1):
            batch.append((post, True))
            if len(batch) == 5_000 or n == count:
                store.add(batch)
                batch = []
    return directory


def _orders(posts: Sequence[Post]) -> dict[str, list[Post]]:
    shuffled = list(posts)
    random.Random(2).shuffle(shuffled)
    return {
        "by hour": sorted(posts, key=lambda post: (post.payload.hour, post.id)),
        "by thread": list(posts),
        "in any order": shuffled,
    }


def _verify_alone(posts: Sequence[Post], params: NetworkParams) -> float:
    """CPU seconds to check signatures and stamps of decoded posts, keys not seen before."""
    decoded = [decode(post.raw, params) for post in posts]
    signature.is_valid_key.cache_clear()
    begin = time.process_time()
    for post in decoded:
        post.verify_signature()
        post.verify_stamp(params)
    return time.process_time() - begin


def _ingest(
    posts: Sequence[Post], params: NetworkParams, batch: int, filled: Path
) -> tuple[float, float, float]:
    """CPU seconds and seconds through the door, and bytes of disk a post."""
    raws = [post.raw for post in posts]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(shutil.copytree(filled, Path(name) / "data"))
        with open_store(directory, params) as store:
            door = Door(store, params, lambda: HOUR)
            before = store.statistics().posts
            signature.is_valid_key.cache_clear()
            begin, cpu = time.perf_counter(), time.process_time()
            for start in range(0, len(raws), batch):
                verdicts = door.ingest_now(raws[start : start + batch], Origin.SYNC)
                if any(verdict.outcome is not Outcome.STORED for verdict in verdicts):
                    raise SystemExit(f"not stored: {verdicts[0]}")
            cpu, elapsed = time.process_time() - cpu, time.perf_counter() - begin
        return cpu, elapsed, (directory / "node.db").stat().st_size / (len(raws) + before)


if __name__ == "__main__":
    main()
