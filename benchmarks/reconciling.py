"""What it costs to find how two sets differ: our policy, stock Negentropy, and nostr-tools.
For bench_sync.

Sets of hashes over 9,600 hours: ours on the store's own index with its keys loaded, stock Negentropy
(tests/sync/stock.py) on a list with its sums made. Round trips are of one message after another; bytes are
both sides' messages. CPU is process time.
"""

import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

sys.path += [str(Path(__file__).parents[1] / "tests" / name) for name in ("", "sync")]

from list_items import ListItems, result_of
from memory_posts import block_items
from stock import Stock

from p2pforum.core import limits
from p2pforum.store.snapshot import StoredItems
from p2pforum.sync.claims import Claims
from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.reconcile import TUNED, Reconciler
from p2pforum.sync.session import SyncSession
from p2pforum.sync.terms import Terms

Key = tuple[int, bytes]
Result = TypeVar("Result")
HOURS = 9_600
BOARDS = 20
NO_LIMIT = 2**40  # nostr-tools needs one
CASES = [
    ("scattered", 10),
    ("scattered", 1_000),
    ("scattered", 10_000),
    ("newest, one side", 1_000),
    ("newest, half each", 10_000),
]


def some_keys(count: int) -> list[Key]:
    rng = random.Random(1)
    return sorted((rng.randrange(HOURS), hashlib.sha256(n.to_bytes(8, "big")).digest()) for n in range(count))


def sets(keys: list[Key], case: str, d: int) -> tuple[list[Key], list[Key]]:
    """Two sets that differ in d of `keys`. The case says which side gets those."""
    rng = random.Random(d)
    newest = "newest" in case
    at = set(range(len(keys) - d, len(keys)) if newest else rng.sample(range(len(keys)), d))
    if "one side" in case:
        return [k for i, k in enumerate(keys) if i not in at], keys
    left = set(rng.sample(sorted(at), d // 2))
    right = at - left
    return [k for i, k in enumerate(keys) if i not in right], [k for i, k in enumerate(keys) if i not in left]


@dataclass
class Cost:
    size: int = 0  #: bytes
    rounds: int = 0
    asking: float = 0.0  #: CPU seconds of the initiator
    answering: float = 0.0

    def __str__(self) -> str:
        return f"{self.size:>12,}{self.rounds:>4}{(self.asking + self.answering) * 1000:>9.1f}"


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    begun = time.process_time()
    result = work()
    return result, time.process_time() - begun


def answers(side: Reconciler, message: bytes) -> list[bytes]:
    return [answer for answer in side.emit(result_of(side.examine(message))) if answer]


def compare(left: StoredItems, right: StoredItems, d: int) -> Cost:
    """Bytes, round trips and CPU seconds. Both sides are ours, over a link that carries all
    messages of a round at once.
    """
    cost, fingerprint = Cost(), Fingerprint(bytes(32))
    asking = Reconciler(left, TUNED, fingerprint, initiator=True)
    answering = Reconciler(right, TUNED, fingerprint, initiator=False)
    waiting, seconds = timed(lambda: [m for m in asking.emit(asking.opening()) if m])
    cost.asking += seconds
    while waiting:
        cost.rounds += 1
        replies, seconds = timed(lambda w=waiting: [r for m in w for r in answers(answering, m)])  # type: ignore[misc]
        cost.answering += seconds
        cost.size += sum(map(len, waiting)) + sum(map(len, replies))
        waiting, seconds = timed(lambda r=replies: [m for reply in r for m in answers(asking, reply)])  # type: ignore[misc]
        cost.asking += seconds
    assert sum(hi - lo for lo, hi in asking.have) + len(asking.need) == d
    return cost


class Ours:
    """Our stock initiator, with the interface of nostr-tools."""

    def __init__(self, items: ListItems) -> None:
        self._items = items
        self._side = Stock(items, initiator=True)
        self.cpu = 0.0

    def open(self, _: list[Key], limit: int) -> bytes:
        message, self.cpu = timed(self._side.initiate)
        return message

    def reply(self, reply: bytes) -> tuple[bytes | None, list[bytes], list[bytes]]:
        side = self._side
        message, self.cpu = timed(lambda: side.reconcile(reply))
        have = [id_ for lo, hi in side.have for _, id_ in self._items.keys(lo, hi)]
        need, side.have, side.need = side.need, [], []
        return message, have, need


def compare_stock(initiator: Any, left: list[Key], right: ListItems, d: int) -> Cost:
    """We answer in stock mode; the initiator itself counts its CPU."""
    cost = Cost()
    answering = Stock(right, initiator=False)
    message: bytes | None = initiator.open(left, NO_LIMIT)
    cost.asking += initiator.cpu
    found = 0
    while message is not None:
        cost.rounds += 1
        reply, seconds = timed(lambda m=message: answering.reconcile(m))  # type: ignore[misc]
        cost.answering += seconds
        cost.size += len(message) + len(reply)
        message, have, need = initiator.reply(reply)
        cost.asking += initiator.cpu
        found += len(have) + len(need)
    assert found == d
    return cost


@contextmanager
def nostr_tools() -> Iterator[Any]:
    """The process that the tests use; None without npm."""
    if not shutil.which("npm"):
        yield None
        return
    from nostr_tools import open_nostr_tools

    with tempfile.TemporaryDirectory() as folder, open_nostr_tools(Path(folder), seconds=60) as running:
        yield running


class Boards:
    """A snapshot of some boards that hold the same."""

    def __init__(self, items: StoredItems, count: int) -> None:
        self._items = items
        self._names = [f"board-{n:02}" for n in range(count)]

    def boards(self, after: str, most: int, low_hour: int) -> list[tuple[str, bool]]:
        return [(name, True) for name in self._names if name > after][:most]

    def cells(self, low: int, end: int) -> bytes:
        return self._items.cells(self._items.find(low, b""), self._items.find(end, b""))

    def items(self, board: str, low_hour: int = 0, end: int = limits.MAX_HOUR) -> StoredItems:
        return self._items

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        return {}


def in_sync(items: StoredItems, boards: int) -> Cost:
    """A whole session over boards that do not differ, HELLO to END."""

    def run() -> int:
        left, right = (
            SyncSession(
                Boards(items, boards),
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
        return left.report.moved

    run()  # warm
    size, seconds = timed(run)
    return Cost(size, 1, seconds)


def print_in_sync(items: StoredItems) -> None:
    for boards in (1, BOARDS):
        print(f"{'':>7} {f'in sync, boards: {boards}':<26}{in_sync(items, boards)}")


def print_table(count: int, cases: Sequence[tuple[str, int]] = CASES) -> None:
    """Print the table for sets of `count` hashes, with a row for each case that is not larger."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"{count:,} items; load of {os.cpu_count()} cores in the last 1, 5, 15 minutes: {load}")
    titles = f"{'bytes':>12}{'RT':>4}{'CPU ms':>9}"
    above = f"{'tuned, <= 32 KiB':>25}{'digests not kept':>17}{'stock, no limit':>27}"
    print(f"{'':34}{above}{'its initiator alone, CPU ms':>30}")
    print(f"{'':34}{titles}{'CPU ms':>17}  {titles}{'ours':>15}{'nostr-tools':>15}")
    keys = some_keys(count)
    print_in_sync(block_items(keys))
    with nostr_tools() as tools:
        for case, d in [("", 0), *(case for case in cases if case[1] <= count)]:
            left, right = sets(keys, case, d)
            print(_row(left, right, case or "in sync", d, tools))


def _row(left: list[Key], right: list[Key], case: str, d: int, tools: Any) -> str:
    ours, theirs = block_items(left), block_items(right)
    cold = compare(ours, theirs, d)
    warm = compare(ours, theirs, d)
    left_list, right_list = ListItems(left), ListItems(right)
    stock = compare_stock(Ours(left_list), left, right_list, d)
    other = "-"
    if tools is not None:
        cost = compare_stock(tools, left, right_list, d)
        assert (cost.size, cost.rounds) == (stock.size, stock.rounds)
        other = f"{cost.asking * 1000:,.1f}"
    head = f"{d:>7,} {case:<26}{warm}{(cold.asking + cold.answering) * 1000:>17.1f}"
    return f"{head}  {stock}{stock.asking * 1000:>15.1f}{other:>15}"
