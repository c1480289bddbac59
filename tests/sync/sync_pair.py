"""Two sessions joined without streams: bytes go from one to the other, cut as a seed says."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache

from memory_posts import MemoryPosts
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core.errors import InvalidPost
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Outcome
from p2pforum.sync.claims import Claims
from p2pforum.sync.fetch import Landed
from p2pforum.sync.session import SyncSession
from p2pforum.sync.terms import Terms

TERMS = Terms(HOUR, 0)


@cache
def pool(size: int, boards: int = 3, hours: int = 40) -> list[Post]:
    """Signed posts, the same at every call."""
    rng = random.Random(f"{size} {boards} {hours}")
    return [
        a_post(f"Number {n}.", board=f"board-{rng.randrange(boards)}", hour=HOUR - rng.randrange(hours))
        for n in range(size)
    ]


def wide_policy(raw: bytes, store: MemoryPosts) -> Landed:
    """The door, without the checks that cost time."""
    try:
        post = decode(raw, TEST_NETWORK)
    except InvalidPost:
        return Outcome.INVALID, None
    return (Outcome.STORED if store.add([(post, True)])[0] else Outcome.DUPLICATE), post


@dataclass
class Side:
    """A node: its store, and its session of the moment. `check` stands in for the door."""

    store: MemoryPosts
    check: Callable[[bytes, MemoryPosts], Landed] = wide_policy
    claims: Claims = field(default_factory=lambda: Claims(lambda: 0.0))
    terms: Terms = TERMS
    clock: Callable[[], float] = lambda: 0.0

    def begin(self, rng: random.Random, *, initiator: bool) -> None:
        self._open = ExitStack()
        snapshot = self._open.enter_context(self.store.snapshot())
        self.session = SyncSession(snapshot, self.terms, self.claims, rng, self.clock, initiator=initiator)

    def work(self) -> bytes:
        output = self.session.work(1.0)
        if not self.session.needs_snapshot:
            self._open.close()
        return output

    def land(self) -> bool:
        arrivals = self.session.take_arrivals(100)
        verdicts = [self.check(raw, self.store) for arrival in arrivals for raw in arrival.posts]
        if arrivals:
            self.session.landed(arrivals, verdicts)
        ids = self.session.take_unchecked()
        self.session.want(ids, self.store.known(ids))
        self.session.retry_deferred()
        return bool(arrivals or ids)

    @property
    def ids(self) -> set[bytes]:
        return set(self.store.posts)


def meet(left: Side, right: Side, seed: int = 0, *, loss: int | None = None, most: int = 100_000) -> int:
    """One session, `left` its initiator; the bytes that crossed. Lost after `loss` bytes, if given.

    The seed draws who works when, and how the bytes are cut.
    """
    rng = random.Random(seed)
    left.begin(rng, initiator=True)
    right.begin(rng, initiator=False)
    moved, quiet = 0, 0
    queues = {0: bytearray(), 1: bytearray()}
    sides = (left, right)
    while not (left.session.finished and right.session.finished and not any(queues.values())):
        most -= 1
        assert most, "no end"
        at = rng.randrange(2)
        here, there = sides[at], sides[1 - at]
        output = here.work()
        queues[at] += output
        size = min(len(queues[at]), rng.choice([1, 7, 100, 5_000, 100_000]))
        if loss is not None and moved + size >= loss:
            there.session.receive(bytes(queues[at][: loss - moved]))
            there.land()
            break
        there.session.receive(bytes(queues[at][:size]))
        del queues[at][:size]
        moved += size
        quiet = 0 if there.land() or here.land() or output or size else quiet + 1
        assert quiet < 40, "both wait for each other"
    left.session.close()
    right.session.close()
    return moved
