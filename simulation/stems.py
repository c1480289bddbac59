"""Posts on their way through the node's own StemRouter, one for each node, and what spies see.

Spies behave like all other nodes, or drop every post of others that they get (black holes). A post is public
where gossip has brought it; its embargo ends there, as in a node.
"""

import heapq
import itertools
from dataclasses import dataclass, field, replace
from random import Random

from p2pforum.stem.contacts import Contacts
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import GuardParams, StemParams
from p2pforum.stem.router import Effect, Probe, RelayPost, StemRouter
from simulation.world import HOP, HOUR, ONE_KEY, World, draw_latency, first_spy

_SPREAD = 1.0  # seconds until gossip has told every node that a post is public: about seven hops


class _Everybody(Contacts):
    is_drawn = False  # whether guards were drawn, before the first post comes

    def candidates(self) -> dict[str, str]:
        return {name: c.group for name, c in self._here.items()} if self.is_drawn else super().candidates()


class BothWays(StemRouter):
    """A variant that was not taken: a peer that dials in can become a relay, too."""

    def __init__(self, rng: Random, guards: Guards, now: float, params: StemParams | None = None) -> None:
        super().__init__(rng, guards, now, params)
        self.contacts = self._everybody = _Everybody(self.params)

    def fill_guards(self, hour: int) -> None:
        super().fill_guards(hour)
        self._everybody.is_drawn = bool(self.guards.kept)


@dataclass
class Fate:
    """What became of one post. `seen` is when a spy first had it, and from which node; `handed` is the peer
    that first gave it to a spy as a stem frame.
    """

    author: int
    sent: float
    seen: tuple[float, int] | None = None
    handed: int | None = None
    public: float | None = None
    fluffed_by: int | None = None
    key: bytes = b""  #: its key
    brought_by: list[int] = field(default_factory=list)  #: the peers that handed it to spies, by the stem
    bringers: frozenset[int] = frozenset()  #: the peers that had brought it to the node that ended its stem

    def see(self, when: float, teller: int) -> None:
        if self.seen is None or when < self.seen[0]:
            self.seen = (when, teller)


@dataclass
class Stems:
    world: World
    rng: Random
    black_holes: bool = False
    pinned: bool = True  #: False: every own post through guards drawn anew (the control)
    exempting: bool = False  #: the end of a stem does not push to peers that brought the post (the control)
    both_ways: bool = False  #: inbound peers are relays, too (a variant that was not taken)
    params: StemParams = field(default_factory=StemParams)
    guards: GuardParams = ONE_KEY
    crowded: frozenset[int] = frozenset()  #: nodes whose pool an attacker fills: they publish others' at once

    def __post_init__(self) -> None:
        self.now = 0.0
        self.fates: list[Fate] = []
        self._holders: dict[
            int, dict[int, set[int]]
        ] = {}  # of posts that are not public, and the peers that brought them
        self._queue: list[tuple[float, int, str, int, int, int]] = []
        self._count = itertools.count()
        self._routers = [self._make(v) for v in range(self.world.size)]
        self._woken = [float("inf")] * self.world.size

    def _make(self, v: int) -> StemRouter:
        world = self.world
        kind = BothWays if self.both_ways else StemRouter
        params = replace(self.params, diffuser=1.0, fluff_delay=0.0) if v in self.crowded else self.params
        router = kind(Random(self.rng.random()), self._guards(v), 0.0, params)
        for w in world.dialled[v]:
            router.add_peer(str(w), 0.0, outbound=True)
            router.on_answer(str(w))
        for w in range(world.size):
            if v in world.dialled[w] and str(w) not in router:
                router.add_peer(str(w), 0.0, outbound=False)
        router.maintain_guards(HOUR, self.params.settle)
        return router

    def _guards(self, v: int) -> Guards:
        return Guards(self.guards, f"secret {v}".encode())

    def slot(self, v: int, key: bytes) -> int:
        return self._routers[v].guards.slot_of(key)

    def draw_guard(self, v: int, key: bytes) -> None:
        """Draw a guard from all nodes, as from an address book, if the slot of this key has none yet."""
        guards, slot, world = self._routers[v].guards, self.slot(v, key), self.world
        if any(guard.slot == slot and guard.address for guard in guards.kept):
            return
        taken = {guard.peer for guard in guards.kept if guard.address} | {str(v)}
        w = self.rng.choice([w for w in range(world.size) if str(w) not in taken])
        guards.kept = [guard for guard in guards.kept if guard.slot != slot]
        guards.adopt(slot, str(w), (f"of {w}", ""), HOUR, self.rng)
        world.latency.setdefault((min(v, w), max(v, w)), HOP + draw_latency(self.rng))
        for one, other, outbound in ((v, w, True), (w, v, False)):
            if str(other) not in self._routers[one]:
                self._routers[one].add_peer(str(other), 0.0, outbound=outbound)
        self._routers[v].on_answer(str(w))

    def guard_spies(self, v: int) -> bool:
        """Whether the first guard of this node is a spy."""
        guards = self._routers[v].guards
        return int(guards.of(guards.slot_of(b""))[0]) in self.world.spies

    # -- what is to happen -----------------------------------------------------------------------------

    def post(self, author: int, when: float, key: bytes = b"") -> None:
        self._push(when, "post", author, len(self.fates))
        self.fates.append(Fate(author, when, key=key))

    def _push(self, when: float, what: str, v: int, post: int, teller: int = -1) -> None:
        heapq.heappush(self._queue, (when, next(self._count), what, v, post, teller))

    def run(self) -> list[Fate]:
        """Run until nothing more happens; returns the fate of each post, in the order of sending."""
        while self._queue:
            self.now, _, what, v, post, teller = heapq.heappop(self._queue)
            if what == "wake":
                self._woken[v] = float("inf")
            elif what == "public":
                self._end(post)
            elif self.now < (self.fates[post].public or self.now + 1):
                self._arrive(what, v, post, teller)
            self._tick(v)
        return self.fates

    # -- what happens ------------------------------------------------------------------------------------

    def _arrive(self, what: str, v: int, post: int, teller: int) -> None:
        router, name = self._routers[v], post.to_bytes(4, "big")
        bringers = self._holders.setdefault(post, {}).setdefault(v, set())
        if what == "post":
            if not self.pinned:
                router.guards.kept.clear()
                router.maintain_guards(HOUR, self.now + self.params.settle)
            router.originate(name, name, self.now, self.fates[post].key)
            return
        bringers.add(teller)
        if v in self.world.spies:
            self.fates[post].see(self.now, teller)
            self.fates[post].brought_by.append(teller)
            self._hand(post, teller)
            if self.black_holes:
                return
        if router.may_send(str(teller), self.now):
            router.on_post(str(teller), name, name, self.now)

    def _hand(self, post: int, teller: int) -> None:
        if self.fates[post].handed is None and teller not in self.world.spies:
            self.fates[post].handed = teller

    def _tick(self, v: int) -> None:
        if v < 0:
            return
        router = self._routers[v]
        for effect in router.tick(self.now):
            self._carry_out(v, effect)
        wake = router.next_wake()
        if wake < self._woken[v]:
            self._woken[v] = wake
            self._push(wake, "wake", v, -1)

    def _carry_out(self, v: int, effect: Effect) -> None:
        if isinstance(effect, Probe):
            return  # all peers answer
        post = int.from_bytes(effect.post_id, "big")
        if isinstance(effect, RelayPost):
            w = int(effect.peer)
            self._push(self.now + 3 * self.world.delay(v, w), "frame", w, post, v)  # opening, then 16 KiB
        else:
            self._fluff(v, post)

    def _fluff(self, v: int, post: int) -> None:
        fate = self.fates[post]
        bringers = frozenset(self._holders.get(post, {}).get(v, ()))
        if v in self.world.spies:
            pass  # it has told its owner already, when it got the post
        else:
            way, teller = first_spy(self.world, v, bringers if self.exempting else frozenset())
            fate.see(self.now + way, teller)
        if fate.public is None:
            fate.fluffed_by, fate.bringers = v, bringers
            fate.public = self.now + _SPREAD
            self._push(fate.public, "public", -1, post)

    def _end(self, post: int) -> None:
        for v in self._holders.pop(post, ()):
            self._routers[v].on_public([post.to_bytes(4, "big")])


def one_post_each(world: World, rng: Random, *, black_holes: bool = False) -> list[Fate]:
    """Every honest node posts once, at a random time within an hour."""
    stems = Stems(world, rng, black_holes=black_holes)
    for v in world.honest:
        stems.post(v, rng.uniform(30, 3_600))
    return stems.run()


def many_posts_each(stems: Stems, authors: int, posts: int) -> list[Fate]:
    """Some authors post often under one key each, every time in another epoch."""
    rng, world = stems.rng, stems.world
    for author in rng.sample(world.honest, min(authors, len(world.honest))):
        for n in range(posts):
            stems.post(author, 30 + 650 * n + rng.uniform(0, 600))
    return stems.run()


def by_gossip(world: World) -> list[Fate]:
    """The control: every honest node publishes once, as without a stem."""
    return [Fate(v, 0.0, seen=first_spy(world, v), public=0.0, fluffed_by=v) for v in world.honest]
