"""Sync between two stores of many boards: CPU of each side, and bytes.

    python -m benchmarks.bench_sync_boards [POSTS] [BOARDS]        100,000 and 7,000

Whole sessions without a network; CPU is process time. `opening`: the sealed view, with the digests of hours
that changed. The door is left out: posts that come are decoded and kept.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from benchmarks.bench_posts import HOUR, Writer
from p2pforum.core.limits import RETENTION_HOURS
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Outcome
from p2pforum.store.posts import Store, open_store
from p2pforum.sync.budget import Report
from p2pforum.sync.claims import Claims
from p2pforum.sync.session import SyncSession
from p2pforum.sync.terms import Terms

SMALLEST = "600 40"

NETWORK = params_for("test.bench")
Result = TypeVar("Result")


class Side:
    """One node's store and its session; `cpu` and `opening` (seconds) are of the present session."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._claims = Claims(time.monotonic)

    def begin(self, stack: ExitStack, seed: int, *, initiator: bool) -> None:
        self.cpu = 0.0
        view = self._timed(lambda: stack.enter_context(self.store.snapshot()))
        self.opening, self.cpu = self.cpu, 0.0
        terms, rng = Terms(HOUR, HOUR - RETENTION_HOURS), random.Random(seed)
        self.session = SyncSession(view, terms, self._claims, rng, time.perf_counter, initiator=initiator)

    def work(self) -> bytes:
        return self._timed(lambda: self.session.work(1.0))

    def take(self, received: bytes) -> None:
        """Give the session bytes of the other side; keep the posts that came, and ask for
        those that are not here.
        """
        self._timed(lambda: self.session.receive(received))
        while arrivals := self.session.take_arrivals(512):
            posts = [decode(raw, NETWORK) for arrival in arrivals for raw in arrival.posts]
            fill(self.store, posts)
            self.session.landed(arrivals, [(Outcome.STORED, post) for post in posts])
        if ids := self.session.take_unchecked():
            self.session.want(ids, self.store.known(ids))

    def _timed(self, work: Callable[[], Result]) -> Result:
        begun = time.process_time()
        result = work()
        self.cpu += time.process_time() - begun
        return result


def fill(store: Store, posts: list[Post]) -> None:
    for start in range(0, len(posts), 1_000):
        store.add([(post, True) for post in posts[start : start + 1_000]])


def talk(left: Side, right: Side, seed: int) -> Report:
    """One session in this process; returns the initiator's report. Its costs are in the sides, in seconds."""
    with ExitStack() as stack:
        left.begin(stack, seed, initiator=True)
        right.begin(stack, seed + 1, initiator=False)
        while not (left.session.finished and right.session.finished):
            right.take(left.work())
            left.take(right.work())
    return left.session.report


def meet(left: Side, right: Side, label: str, seed: int) -> None:
    report = talk(left, right, seed)
    times = (left.opening, right.opening, left.cpu, right.cpu)
    cells = "".join(f"{seconds * 1000:>10.1f}" for seconds in times)
    print(f"{label:<36}{cells}{report.moved:>12,}{report.new + report.sent:>8,}", flush=True)


def run(folder: Path, count: int, boards: int) -> None:
    """Three stores and the seven sessions between them; prints a row each."""
    posts = sorted(Writer(NETWORK, boards=boards).posts(count), key=lambda post: post.payload.hour)
    lost = set(random.Random(1).sample(range(count), max(1, count // 100)))
    with ExitStack() as stack:
        stores = [stack.enter_context(open_store(folder / name, NETWORK)) for name in ("a", "b", "c")]
        for store in stores[:2]:
            fill(store, posts)
        fill(stores[2], [post for n, post in enumerate(posts) if n not in lost])
        first, second, third = map(Side, stores)
        meet(first, second, "nothing differs, the first time", 1)
        meet(first, second, "nothing differs", 3)
        fill(second.store, list(Writer(NETWORK, seed=2, boards=boards, spread=2).posts(1)))
        meet(first, second, "one new post", 5)
        fill(second.store, list(Writer(NETWORK, seed=3, boards=boards, spread=24).posts(100)))
        meet(first, second, "100 new ones of the last day", 7)
        meet(third, first, "one of 100 missing, the first time", 9)
        fill(second.store, list(Writer(NETWORK, seed=4, boards=boards).posts(30)))
        meet(first, second, "30 new ones of any hour", 11)
        meet(first, second, "nothing differs, after that", 13)


def main() -> None:
    """Print the table that the head of this file describes."""
    given = [int(text) for text in sys.argv[1:]]
    count, boards = given + [100_000, 7_000][len(given) :]
    print(f"{count:,} posts on {boards:,} boards; CPU in ms, of the initiator and of the responder")
    print(f"{'':<36}{'opening':>20}{'session':>20}{'bytes':>12}{'posts':>8}")
    with tempfile.TemporaryDirectory() as name:
        run(Path(name), count, boards)


if __name__ == "__main__":
    main()
