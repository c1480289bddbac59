"""Honest neighbours pass on what their own door took. Whatever ours says to it, they lose nothing by it.

Clocks that are off by minutes to months, full quotas, reveals that only some have; thousands of posts, chosen
by somebody who knows all that. Not in it: meshes of more peers than they need, in which those fall behind
that pass on next to nothing (P3).
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

import pytest
from gossip_nodes import InlineDoor, MemoryStore, as_message
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import NaiveRouter
from strategies import HOUR, TEST_NETWORK, a_key, a_post

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.gossip.effects import Disconnect, Effect, Forward, Send, Serve, Validate
from p2pforum.gossip.router import Router
from p2pforum.gossip.wire.rpc import Message, Rpc

pytestmark = pytest.mark.slow

KEYS = range(1, 4)
ATTACKER = "attacker"


@cache
def posts(hour: int, key: int, count: int) -> Sequence[Post]:
    return [a_post(f"{n}", key=key, hour=hour) for n in range(count)]


@dataclass(frozen=True)
class Ways:
    """What is one node's own. `clock`: hours that it is ahead. `floor`: the oldest hour kept, of HOUR."""

    clock: int = 0
    floor: int = -limits.RETENTION_HOURS
    reveals: frozenset[int] = frozenset()


class Quota:
    def __init__(self, floor: int) -> None:
        self._floor = HOUR + floor

    def horizon(self) -> int:
        return self._floor

    def refuses(self, post: Post) -> bool:
        return post.payload.hour < self._floor

    def make_room(self) -> None:
        pass


class Shelf(MemoryStore):
    def __init__(self, reveals: Iterable[int]) -> None:
        super().__init__()
        self._reveals = set(map(a_key, reveals))

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        return self._reveals & set(keys)


MakeRouter = Callable[..., Router]


@dataclass(eq=False)
class Street:
    """Nodes that all know each other, and an attacker whom all know. What is sent arrives in order."""

    ways: Sequence[Ways]
    make_router: MakeRouter = Router
    now: float = 1_000.0
    queue: deque[tuple[str, str, Rpc]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.names = [f"n{n}" for n in range(len(self.ways))]
        self.routers = {n: self.make_router(TEST_NETWORK.topic, Random(n)) for n in self.names}
        self.stores = {n: Shelf(way.reveals) for n, way in zip(self.names, self.ways, strict=True)}
        self.doors = {n: self._door(n, way) for n, way in zip(self.names, self.ways, strict=True)}
        self.outcomes: set[Outcome] = set()
        for name, router in self.routers.items():
            for other in [*self.names, ATTACKER]:
                if other != name:
                    self.perform(name, router.add_peer(other, self.now, outbound=True))
        for name in self.names:
            for other in self.names:
                if other != name:
                    self.queue.append((name, other, self.routers[name].hello(other, again=False)))
        self.run()

    def _door(self, name: str, way: Ways) -> InlineDoor:
        return InlineDoor(
            self.stores[name], TEST_NETWORK, lambda: HOUR + way.clock, way.floor, keep=Quota(way.floor)
        )

    def perform(self, name: str, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Forward(peers, message):
                    self.queue.extend((name, peer, Rpc(publish=(message,))) for peer in peers)
                case Serve(peer, ids):
                    for message in filter(None, map(self.routers[name].kept, ids)):
                        self.queue.append((name, peer, Rpc(publish=(message,))))
                case Send(peer, rpc):
                    self.queue.append((name, peer, rpc))
                case Validate(_, message_id, message) if not effect.is_again:
                    self.judge(name, message_id, message)
                case Disconnect(peer):
                    assert peer == ATTACKER, "an honest neighbour was dropped"

    def judge(self, name: str, message_id: bytes, message: Message) -> None:
        (verdict,) = self.doors[name].ingest_now([message.data], Origin.GOSSIP)
        self.outcomes.add(verdict.outcome)
        router = self.routers[name]
        self.perform(name, router.on_verdict(message_id, verdict.outcome, self.now))

    def run(self) -> None:
        while self.queue:
            sender, receiver, rpc = self.queue.popleft()
            if receiver in self.routers:
                self.perform(receiver, self.routers[receiver].on_rpc(sender, rpc, self.now))

    def push(self, some: Iterable[Post], to: int = -1) -> None:
        """The attacker gives them to one node, a hundred a second: all others get them from neighbours."""
        for n, post in enumerate(some, 1):
            self.queue.append((ATTACKER, self.names[to], Rpc(publish=(as_message(post),))))
            self.run()
            if n % 100 == 0:
                self.beat()

    def beat(self) -> None:
        self.now += 1
        for name in self.names:
            self.perform(name, self.routers[name].heartbeat(self.now))
        self.run()

    def scores(self) -> list[float]:
        """What honest nodes think of each other."""
        pairs = [(a, b) for a in self.names for b in self.names if a != b]
        return [self.routers[a].view(b, self.now).score for a, b in pairs]


ahead = st.one_of(st.integers(-3, 3), st.integers(-40 * 24, 40 * 24))
ways = st.builds(
    Ways, clock=ahead, floor=st.integers(-800, 1), reveals=st.frozensets(st.sampled_from(KEYS), max_size=2)
)
floods = st.tuples(st.integers(-760, 60).map(lambda h: HOUR + h), st.sampled_from(KEYS), st.integers(0, 1))


@settings(max_examples=15, deadline=None)
@given(st.lists(ways, min_size=2, max_size=4), st.lists(floods, min_size=1, max_size=2))
def test_no_verdict_of_local_cause_costs_an_honest_neighbour_anything(
    those: list[Ways], hours: list[tuple[int, int, int]]
) -> None:
    street = Street(those)
    for hour, key, to in hours:
        street.push(posts(hour, key, 1_000), to)
        assert min(street.scores()) >= 0


REASONS = {
    "a reveal that only one has": (Ways(reveals=frozenset({1})), HOUR, Outcome.REFUSED),
    "a full quota": (Ways(floor=-24), HOUR - 100, Outcome.REFUSED),
    "a clock an hour behind, at the turn of the hour": (Ways(clock=-1), HOUR + 1, Outcome.TOO_EARLY),
    "a clock days behind": (Ways(clock=-72), HOUR, Outcome.TOO_EARLY),
    "a clock two months ahead": (Ways(clock=60 * 24), HOUR, Outcome.REFUSED),
}


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("is_naive", [False, True], ids=["", "control"])
def test_each_reason_by_itself(reason: str, is_naive: bool) -> None:
    """The control counts what is not kept: then neighbours fall."""
    odd, hour, outcome = REASONS[reason]
    street = Street([odd, Ways(), Ways(), Ways()], NaiveRouter if is_naive else Router)
    street.push(posts(hour, 1, 1_500))
    assert outcome in street.outcomes
    assert (min(street.scores()) < 0) == is_naive
