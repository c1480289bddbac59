"""How many valid posts a second go through the real door, and what its parts do alone.

    python -m benchmarks.bench_ingest [POSTS] [BATCH] [POSTS ALREADY THERE] [DIRECTORY TO KEEP THOSE IN]

One process, a store with search index. "By hour" is the order in which sync brings posts, "in any order" the
worst order there is; "the newest" are posts of two days, as after a night away. "CPU" is posts a second of
CPU time of all threads, so that other work on the machine counts little; "elapsed" is by the clock, with all
cores and the disk. Alone: signatures and stamps, one core; and SQLite, given the finished rows in the same
batches. A million posts already there take four minutes to make: name a directory and they are made once.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trio

from benchmarks.bench_posts import HOUR, Writer
from p2pforum.core import limits, signature
from p2pforum.core.network_params import NetworkParams, params_for
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.store import schema
from p2pforum.store.connection import open_writer
from p2pforum.store.posts import open_store
from p2pforum.store.rows import board_token, indexed_text

SMALLEST = "200 50"

_CALLERS = 3  # sessions that bring posts at once
_FILL = 20_000  # posts in one transaction, where there is a store to be filled
_NEWEST = 48  # hours


@dataclass(frozen=True)
class Spent:
    cpu: float  #: seconds, of all threads
    elapsed: float
    written: int  #: bytes handed to the disk, log and database


class Clock:
    def __enter__(self) -> Self:
        self._begun = time.process_time(), time.perf_counter(), _written()
        return self

    def __exit__(self, *_: object) -> None:
        cpu, elapsed, written = self._begun
        self.spent = Spent(time.process_time() - cpu, time.perf_counter() - elapsed, _written() - written)


def main() -> None:
    """Measure without stamps and, into an empty store, with stamps; print a row for each order of posts."""
    given = [int(v) for v in sys.argv[1:4]]
    count, batch, before = given + [20_000, 500, 0][len(given) :]
    with tempfile.TemporaryDirectory() as name:
        signed = params_for("test.bench")
        kept = Path(sys.argv[4]) if len(sys.argv) > 4 else Path(name) / "filled"
        _measure("signature only", signed, count, batch, _filled(kept, signed, before), before)
        if not before:
            # Two bits: a check costs as much as one of sixteen bits, and minting is cheap.
            stamped = NetworkParams("bench-stamped", stamp_floor=2)
            empty = _filled(Path(name) / "stamped", stamped, 0)
            _measure("signature and stamp", stamped, count // 2, batch, empty, before)
    print(f"load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


def _measure(title: str, params: NetworkParams, count: int, batch: int, filled: Path, before: int) -> None:
    posts = list(Writer(params).posts(count))
    size = sum(len(post.raw) for post in posts) / len(posts)
    print(f"{title}: {len(posts):,} posts of {size:.0f} bytes, batches of {batch}, into {before:,}")
    for order, arranged in _orders(posts, params).items():
        alone = _verify_alone(arranged, params)
        with tempfile.TemporaryDirectory() as name:
            done = Path(shutil.copytree(filled, Path(name) / "door"))
            door = _ingest(arranged, params, batch, done)
            disk = (done / schema.FILE_NAME).stat().st_size / (len(arranged) + before)
            rows = _rows(arranged, done)
            shutil.rmtree(done)
            raw = _sqlite_alone(rows, batch, Path(shutil.copytree(filled, Path(name) / "raw")))
        n = len(arranged)
        print(
            f"  {order:12s} door {n / door.elapsed:6,.0f}/s elapsed {n / door.cpu:6,.0f}/s CPU"
            f" {door.written / n / 1e3:4.0f} kB written a post | alone: verify {n / alone.cpu:6,.0f}/s,"
            f" SQLite {n / raw.elapsed:6,.0f}/s elapsed {n / raw.cpu:6,.0f}/s CPU | {disk:.0f} B on disk"
        )


def _filled(directory: Path, params: NetworkParams, count: int) -> Path:
    """A closed store with so many other posts, unverified and unstamped. If it is there
    already, it is used as it is.
    """
    unstamped = NetworkParams(params.name, stamp_floor=0)
    batch: list[tuple[Post, bool]] = []
    with open_store(directory, params) as store:
        there = store.statistics().posts
        if there not in (0, count):
            raise SystemExit(f"{directory} has {there:,} posts, not {count:,}")
        for n, post in enumerate(Writer(unstamped, seed=9).posts(count - there), 1):
            batch.append((post, True))
            if len(batch) == _FILL or n == count:
                store.add(batch)
                batch = []
    return directory


def _orders(posts: Sequence[Post], params: NetworkParams) -> dict[str, list[Post]]:
    shuffled = list(posts)
    random.Random(2).shuffle(shuffled)
    newest = list(Writer(params, seed=3, spread=_NEWEST).posts(len(posts)))
    return {
        "by hour": sorted(posts, key=lambda post: (post.payload.hour, post.id)),
        "the newest": sorted(newest, key=lambda post: (post.payload.hour, post.id)),
        "by thread": list(posts),
        "in any order": shuffled,
    }


def _verify_alone(posts: Sequence[Post], params: NetworkParams) -> Spent:
    """Signatures and stamps of decoded posts, keys not seen before."""
    decoded = [decode(post.raw, params) for post in posts]
    signature.is_valid_key.cache_clear()
    with Clock() as clock:
        for post in decoded:
            post.verify_signature()
            post.verify_stamp(params)
    return clock.spent


def _ingest(posts: Sequence[Post], params: NetworkParams, batch: int, directory: Path) -> Spent:
    raws = [post.raw for post in posts]
    with open_store(directory, params) as store:
        door = Door(store, params, lambda: HOUR)
        signature.is_valid_key.cache_clear()
        with Clock() as clock:
            trio.run(_bring, door, [raws[start : start + batch] for start in range(0, len(raws), batch)])
    return clock.spent


async def _bring(door: Door, batches: list[list[bytes]]) -> None:
    """A few callers, as sessions are: each waits for its verdicts before it brings more."""
    rest = iter(batches)

    async def caller() -> None:
        for raws in rest:
            verdicts = await door.ingest(raws, Origin.SYNC)
            if any(verdict.outcome is not Outcome.STORED for verdict in verdicts):
                raise SystemExit(f"not stored: {verdicts[0]}")

    async with trio.open_nursery() as nursery:
        for _ in range(_CALLERS):
            nursery.start_soon(caller)


Row = tuple[tuple[object, ...], tuple[object, ...], tuple[object, ...], tuple[object, ...]]
"""What one post is in the tables `post`, `words`, `thread` and `board`."""


def _rows(posts: Sequence[Post], done: Path) -> list[Row]:
    """The rows of these posts, as the door wrote them."""
    rows: list[Row] = []
    with closing(open_writer(done / schema.FILE_NAME)) as db:
        boards = {row[0]: row for row in db.execute("SELECT * FROM board")}
        for post in posts:
            row = db.execute("SELECT * FROM post WHERE id = ?", (post.id,)).fetchone()
            thread = db.execute("SELECT * FROM thread WHERE id = ?", (row[3],)).fetchone()
            rows.append((row, (row[0], indexed_text(post), board_token(row[2])), thread, boards[row[2]]))
    return rows


def _sqlite_alone(rows: Sequence[Row], batch: int, directory: Path) -> Spent:
    """The same schema and settings, no counts and no sync index: a store can't be quicker than this."""
    path = directory / schema.FILE_NAME
    log = max(
        limits.STORE_LOG_LEAST, min(path.stat().st_size // limits.STORE_LOG_PART, limits.STORE_LOG_MOST)
    )
    with closing(open_writer(path)) as db, Clock() as clock:
        db.execute(f"PRAGMA wal_autocheckpoint = {log // schema.PAGE}")
        for start in range(0, len(rows), batch):
            posts, words, threads, boards = (
                sorted(set(t)) for t in zip(*rows[start : start + batch], strict=True)
            )
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR IGNORE INTO board VALUES (?, ?, ?, ?)", boards)
            db.executemany("INSERT OR IGNORE INTO thread VALUES (?, ?, ?, ?, ?)", threads)
            db.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", posts)
            db.executemany("INSERT INTO words(rowid, text, board) VALUES (?, ?, ?)", words)
            db.execute("COMMIT")
    return clock.spent


def _written() -> int:
    """Bytes that this process has written so far; 0 where the system does not count them."""
    try:
        fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    except OSError:
        return 0
    return int(fields["wchar"])


if __name__ == "__main__":
    main()
