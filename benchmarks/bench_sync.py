"""Sync: what it costs to find how two sets differ, and how fast posts cross.

    python -m benchmarks.bench_sync [ITEMS] [POSTS]        100,000 and 5,000; ITEMS 0 for sessions only

First table: messages of both sides added, round trips, CPU of both sides; our policy in messages of 32 KiB
against the stock policy of Negentropy v1 without a limit, on the store's own index, warm. IDs are hashes,
hours 9,600. Second table: whole sessions between two real stores in this process, posts without stamps.
"""

import hashlib
import logging
import random
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import trio

from benchmarks.bench_posts import HOUR, Writer
from p2pforum.core.limits import params_for
from p2pforum.ingest import Door
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.store.blocks import Block, BlockKeys, BoardBlocks
from p2pforum.store.posts import Store, open_store
from p2pforum.store.snapshot import Items
from p2pforum.sync.claims import Claims
from p2pforum.sync.reconcile import STOCK, TUNED, Policy, Reconciler
from p2pforum.sync.service import SyncService
from p2pforum.sync.session import Session
from p2pforum.sync.terms import Terms

Key = tuple[int, bytes]
NETWORK = params_for("bench", test=True)
HOURS = 9_600
BLOCK = 256


def block_items(keys: Iterable[Key]) -> Items:
    """The store's index over these keys, with nothing left to load."""
    ordered = sorted(keys)
    pieces = [ordered[i : i + BLOCK] for i in range(0, len(ordered), BLOCK)]
    sums = [sum(int.from_bytes(id_, "little") for _, id_ in piece) % 2**256 for piece in pieces]
    blocks = BoardBlocks([Block(p[0], len(p), s) for p, s in zip(pieces, sums, strict=True)])
    loaded = [BlockKeys(piece) for piece in pieces]
    return Items(blocks, loaded.__getitem__, 0)


def some_keys(count: int) -> list[Key]:
    rng = random.Random(1)
    return sorted((rng.randrange(HOURS), hashlib.sha256(n.to_bytes(8, "big")).digest()) for n in range(count))


def sets(keys: list[Key], case: str, d: int) -> tuple[list[Key], list[Key]]:
    """`keys` holds d more than the two sets share; who gets those, the case says."""
    rng = random.Random(d)
    newest = "newest" in case
    at = set(range(len(keys) - d, len(keys)) if newest else rng.sample(range(len(keys)), d))
    if "one side" in case:
        return [k for i, k in enumerate(keys) if i not in at], keys
    left = set(rng.sample(sorted(at), d // 2))
    right = at - left
    return [k for i, k in enumerate(keys) if i not in right], [k for i, k in enumerate(keys) if i not in left]


def spans_of(steps: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def compare(left: Items, right: Items, policy: Policy) -> tuple[int, int, float, int]:
    """Bytes, round trips, CPU seconds, and the number of differences found."""
    begun = time.process_time()
    rng = random.Random(1)
    asking = Reconciler(left, policy, rng, initiator=True)
    answering = Reconciler(right, policy, rng, initiator=False)
    size = rounds = 0
    waiting = [m for m in asking.emit(asking.opening()) if m]
    while waiting:
        rounds += 1
        replies = [r for m in waiting for r in answering.emit(spans_of(answering.examine(m))) if r]
        size += sum(map(len, waiting)) + sum(map(len, replies))
        waiting = [m for r in replies for m in asking.emit(spans_of(asking.examine(r))) if m]
    found = sum(hi - lo for lo, hi in asking.have) + len(asking.need)
    return size, rounds, time.process_time() - begun, found


class OneBoard:
    """A snapshot of one board."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def boards(self) -> list[str]:
        return ["board"]

    def items(self, board: str, low_hour: int = 0) -> Items:
        return self._items

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        return {}


def in_sync(items: Items) -> str:
    """A session over one board that does not differ: bytes both ways, HELLO to END."""
    begun = time.process_time()
    left, right = (
        Session(
            OneBoard(items),
            Terms(HOURS, 0),
            Claims(time.monotonic),
            random.Random(n),
            time.perf_counter,
            initiator=n == 0,
        )
        for n in range(2)
    )
    while not (left.finished and right.finished):
        right.receive(left.work(1.0))
        left.receive(right.work(1.0))
    return f"{left.report.moved:>12,}{1:>4}{(time.process_time() - begun) * 1000:>9.1f}"


def table(count: int) -> None:
    cases = [("scattered", 10), ("scattered", 1_000), ("scattered", 10_000)]
    cases += [("newest, one side", 1_000), ("newest, half each", 10_000)]
    print(f"{count:,} items\n{'':31}{'tuned':>12}{'RT':>4}{'CPU ms':>9}{'stock':>14}{'RT':>4}{'CPU ms':>9}")
    keys = some_keys(count)
    whole = block_items(keys)
    print(f"{'':>7} {'in sync (whole session)':<23}{in_sync(whole)}")
    stock = replace(STOCK, chunked=True)
    for case, d in cases:
        left, right = map(block_items, sets(keys, case, d))
        cells = []
        for policy in (TUNED, stock):
            compare(left, right, policy)  # warm
            size, rounds, cpu, found = compare(left, right, policy)
            assert found == d
            cells.append(f"{size:>12,}{rounds:>4}{cpu * 1000:>9.1f}")
        print(f"{d:>7,} {case:<23}{cells[0]}  {cells[1]}")


async def session(left: Store, right: Store, label: str) -> None:
    hub = MemoryHub(random.Random(1))
    async with hub.network("left") as a, hub.network("right") as b:
        here, _ = (
            SyncService(
                network,
                NETWORK,
                store.snapshot,
                Door(store, NETWORK, lambda: HOUR),
                random.Random(1),
                lambda: HOUR,
            )
            for network, store in ((a, left), (b, right))
        )
        await a.dial("/memory/right/p2p/right")
        begun, cpu = time.perf_counter(), time.process_time()
        report = await here.sync(PeerID("right"))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert report.complete, report
    posts = report.new + report.sent
    rate = f"{posts / seconds:>9,.0f}" if posts else f"{'-':>9}"
    print(f"{label:<38}{posts:>8,}{seconds:>9.3f}{cpu:>9.3f}{rate}{report.moved:>13,}{report.rounds:>4}")


async def sessions(count: int) -> None:
    titles = f"{'posts':>8}{'s':>9}{'CPU s':>9}{'posts/s':>9}{'bytes':>13}{'RT':>4}"
    print(f"\n{'whole sessions, two stores':<38}{titles}")
    posts = sorted(Writer(NETWORK).posts(count), key=lambda p: p.payload.hour)
    few = max(2, count // 10)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder) / "a", NETWORK) as left,
        open_store(Path(folder) / "b", NETWORK) as right,
    ):
        for start in range(0, count - few, 1000):
            right.add([(post, True) for post in posts[start : min(start + 1000, count - few)]])
        await session(left, right, "a new node fetches everything")
        await session(left, right, "nothing differs, 20 boards")
        left.add([(post, True) for post in posts[count - few : count - few // 2]])
        right.add([(post, True) for post in posts[count - few // 2 :]])
        await session(left, right, "the newest tenth differs, half each")


def main() -> None:
    logging.disable()
    numbers = [int(text) for text in sys.argv[1:]]
    count, posts = (numbers + [100_000, 5_000][len(numbers) :])[:2]
    if count:
        table(count)
    if posts:
        trio.run(sessions, posts)


if __name__ == "__main__":
    main()
