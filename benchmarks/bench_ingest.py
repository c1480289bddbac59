"""How many valid posts a second go through the real door, against signature and stamp checks alone.

    python -m benchmarks.bench_ingest [POSTS] [BATCH]

One core, one process, a fresh store with search index. "By hour" is how sync brings them, "by thread" how
a busy network does, "in any order" the worst that can come.
"""

import random
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
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    batch = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    signed = params_for("bench", test=True)
    # Two bits: as dear to check as sixteen, and cheap to mint.
    stamped = NetworkParams("bench-stamped", stamp_floor=2)
    for title, params, n in (("signature only", signed, count), ("signature and stamp", stamped, count // 4)):
        posts = list(Writer(params).posts(n))
        size = sum(len(post.raw) for post in posts) / len(posts)
        print(f"{title}: {len(posts):,} posts of {size:.0f} bytes, batches of {batch}")
        alone = _verify_alone(posts, params)
        print(f"  verification alone  {len(posts) / alone:8,.0f} posts/s")
        for order, arranged in _orders(posts).items():
            seconds, disk = _ingest(arranged, params, batch)
            print(
                f"  door, {order:13s} {len(posts) / seconds:8,.0f} posts/s  {alone / seconds:4.0%}"
                f"  {disk:.0f} B of disk a post"
            )


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


def _ingest(posts: Sequence[Post], params: NetworkParams, batch: int) -> tuple[float, float]:
    """Seconds through the door, and bytes of disk a post."""
    raws = [post.raw for post in posts]
    with tempfile.TemporaryDirectory() as directory:
        with open_store(Path(directory), params) as store:
            door = Door(store, params, lambda: HOUR)
            signature.is_valid_key.cache_clear()
            begin = time.perf_counter()
            for start in range(0, len(raws), batch):
                verdicts = door.ingest_now(raws[start : start + batch], Origin.SYNC)
                if any(verdict.outcome is not Outcome.STORED for verdict in verdicts):
                    raise SystemExit(f"not stored: {verdicts[0]}")
            seconds = time.perf_counter() - begin
        return seconds, (Path(directory) / "node.db").stat().st_size / len(raws)


if __name__ == "__main__":
    main()
