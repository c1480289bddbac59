"""The stem router: which post goes to which peer, when, and when it is fluffed. It decides and does no I/O.

Time (seconds on a steady clock) and randomness are arguments, effects are return values: the simulation runs
this same class. The caller says what a post is, and whether it is valid or public.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from p2pforum.stem.contacts import Contact, Contacts
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import StemParams
from p2pforum.stem.pool import OWN, Pool, StemPost
from p2pforum.stem.relays import Relays


@dataclass(frozen=True, slots=True)
class RelayPost:
    """Send this to one peer. If the peer does not take it, call `on_failure`. `edge` is the peer that brought
    it."""

    peer: str
    post_id: bytes
    raw: bytes
    edge: str
    is_retry: bool = False


@dataclass(frozen=True, slots=True)
class Fluff:
    """Publish this by gossip, and release it. `own`: of this node (after a restart: all are)."""

    post_id: bytes
    raw: bytes
    own: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """Send this peer an empty frame: only a peer that takes it can be a relay or guard."""

    peer: str


Effect = RelayPost | Fluff | Probe


@dataclass(frozen=True, slots=True)
class _Send:
    edge: str
    failed: str = ""  # the peer that did not take it: this is the second and last try


@dataclass(frozen=True, slots=True)
class _End:
    is_embargo: bool


@dataclass(frozen=True, slots=True)
class _Ask:
    name: str
    contact: Contact  # of this connection, not of a later one


class StemRouter:
    """Tell it what happens; call `tick` when `next_wake` says so, and carry out what it returns."""

    def __init__(self, rng: Random, guards: Guards, now: float, params: StemParams | None = None) -> None:
        self.params = params or StemParams()
        self.guards = guards
        self._rng = rng
        self.contacts = Contacts(self.params)
        self._relays = Relays(self.params, rng, now)
        self._pool = Pool(self.params)
        self._urgent: dict[bytes, Fluff] = {}  # crowded out of the pool, public at the next tick
        self._plans: list[tuple[float, int, bytes, _Send | _End | _Ask]] = []
        self._count = itertools.count()
        self._settled_at: float | None = None
        self.fills = True  #: draw guards from connected peers; False: Recruits adopts others

    # -- peers ---------------------------------------------------------------------------------------

    def add_peer(self, peer: str, now: float, *, outbound: bool, group: str = "") -> None:
        """A peer is connected. One that this node dialled is probed a little later, and may then be a
        relay."""
        self.contacts.add(peer, now, outbound=outbound, group=group)
        if not outbound:
            return
        self._ask(peer, now + self._rng.random() * self.params.settle / 2)
        if self._settled_at is None:
            self._settled_at = now + self.params.settle

    def remove_peer(self, peer: str) -> None:
        self.contacts.remove(peer)

    def __contains__(self, peer: object) -> bool:
        return peer in self.contacts

    def on_answer(self, peer: str) -> None:
        """The peer took a frame."""
        self.contacts.note(peer, answers=True)

    def on_silence(self, peer: str, now: float) -> None:
        """The peer did not take a frame."""
        if self.contacts.note(peer, answers=False):
            self._ask(peer, now + self.params.fault)

    # -- guards --------------------------------------------------------------------------------------

    def maintain_guards(self, hour: int, now: float) -> None:
        """Call it every minute or so, and save the guards if they changed."""
        self.guards.maintain(hour, now, self.contacts.there())
        if self.fills and self._settled_at is not None and now >= self._settled_at:
            self.fill_guards(hour)

    def fill_guards(self, hour: int) -> None:
        """Draw missing guards from peers that this node dialled, because the address book offers no
        others."""
        self.guards.fill(hour, self.contacts.candidates(), self._rng)

    def adopt(self, slot: int, peer: str, where: tuple[str, str], hour: int) -> None:
        self.guards.adopt(slot, peer, where, hour, self._rng)

    # -- posts ---------------------------------------------------------------------------------------

    @property
    def own(self) -> int:
        """Own posts on their way."""
        return self._pool.own

    @property
    def has_way(self) -> bool:
        """Whether own posts can hope for a guard."""
        return bool(self.guards.kept) or self.has_dialled

    @property
    def has_dialled(self) -> bool:
        return self.contacts.outbound

    def is_prompt(self, now: float) -> bool:
        """Whether an own post leaves at once: each slot in use has a guard connected, and no other post
        waits."""
        there = self.contacts.there()
        slots = self.guards.wanted(now)
        return all(self.guards.in_use(slot, there) for slot in slots) and self._pool.queued <= 1

    @property
    def relayed(self) -> int:
        return len(self._pool) - self._pool.own

    def ids(self) -> list[bytes]:
        return self._pool.ids()

    def holds(self, post_id: bytes, raw: bytes | None = None) -> bool:
        """Whether this post, or these very bytes, are on their way."""
        post = self._pool.get(post_id) or self._urgent.get(post_id)
        return post is not None and raw in (None, post.raw)

    def may_send(self, peer: str, now: float) -> bool:
        """A frame of this peer has come; False if it sends too many. Invalid frames count too."""
        return self.contacts.may_send(peer, now)

    def originate(self, post_id: bytes, raw: bytes, now: float, key: bytes = b"") -> bool:
        """Send an own post, or one kept unreleased from before a restart; `key` is its author's.

        False if there is no room; then offer it again later.
        """
        if post_id in self._pool:
            return True
        if not self._pool.has_room(len(raw)):
            return False
        slot = self.guards.slot_of(key)
        self.guards.use(slot, now)
        self._take(StemPost(post_id, raw, own=True, holder=OWN, slot=slot), OWN, now)
        return True

    def on_post(self, peer: str, post_id: bytes, raw: bytes, now: float) -> None:
        """A peer brought a valid post that is not public. It is never dropped: see `Pool.crowd_out`.

        A post that comes a second time, from another peer, goes on again. Otherwise loops would end stems,
        and an attacker could probe whether it was here before.
        """
        post = self._pool.get(post_id)
        if post is None:
            self._take(StemPost(post_id, raw, own=False, holder=peer), peer, now)
            for out in self._pool.crowd_out():
                self._urgent[out.post_id] = Fluff(out.post_id, out.raw, out.own)
        elif peer not in post.edges:
            self._pass_on(post, peer, now)

    def _take(self, post: StemPost, edge: str, now: float) -> None:
        self._pool.add(post)
        self._arm(post, now)
        self._pass_on(post, edge, now)

    def _arm(self, post: StemPost, now: float) -> None:
        wait = self.params.embargo + self._rng.expovariate(1 / self.params.embargo_mean)
        self._plan(now + wait, post, _End(is_embargo=True))

    def _pass_on(self, post: StemPost, edge: str, now: float) -> None:
        post.edges.add(edge)
        self._relays.turn(now)
        if edge != OWN and self._relays.is_diffuser:
            self._plan_fluff(post, now)
        else:
            wait = self._rng.expovariate(1 / self.params.hop_delay)
            self._plan(now + wait, post, _Send(edge))

    def _plan_fluff(self, post: StemPost, now: float) -> None:
        if not post.is_fluffing:
            post.is_fluffing = True
            wait = self._rng.random() * self.params.fluff_delay
            self._plan(now + wait, post, _End(is_embargo=False))

    def on_public(self, ids: Iterable[bytes]) -> None:
        """The node heard these back by gossip or sync: their stem is over."""
        for post_id in ids:
            self._pool.remove(post_id)

    def withdraw(self, post_id: bytes) -> bool:
        """Drop a post. False for an own one that a guard has got, because it becomes public."""
        post = self._pool.get(post_id)
        if post is not None and post.own and post.is_sent:
            return False
        self._pool.remove(post_id)
        return True

    def on_failure(self, effect: RelayPost, now: float) -> None:
        """The peer did not take it. One other is tried; then the post waits for its embargo."""
        self.on_silence(effect.peer, now)
        post = self._pool.get(effect.post_id)
        if post is not None and not effect.is_retry:
            self._plan(now, post, _Send(effect.edge, effect.peer))

    # -- time ----------------------------------------------------------------------------------------

    def _plan(self, at: float, post: StemPost, what: _Send | _End) -> None:
        heapq.heappush(self._plans, (at, next(self._count), post.post_id, what))

    def _ask(self, peer: str, at: float) -> None:
        heapq.heappush(self._plans, (at, next(self._count), b"", _Ask(peer, self.contacts[peer])))

    def next_wake(self) -> float:
        if self._urgent:
            return 0.0
        return self._plans[0][0] if self._plans else float("inf")

    def tick(self, now: float) -> list[Effect]:
        """The effects that are due. Call `on_public` first, with the posts that have become public."""
        self._relays.turn(now)
        effects: list[Effect] = list(self._urgent.values())
        self._urgent = {}
        while self._plans and self._plans[0][0] <= now:
            _, _, post_id, what = heapq.heappop(self._plans)
            if isinstance(what, _Ask):
                effects += [Probe(what.name)] if self.contacts.get(what.name) is what.contact else []
            elif (post := self._pool.get(post_id)) is not None:
                effect = self._end(post, what, now) if isinstance(what, _End) else self._send(post, what, now)
                effects += [effect] if effect else []
        return effects

    def _end(self, post: StemPost, what: _End, now: float) -> Fluff | None:
        if what.is_embargo and post.own and not post.is_sent and self._guards_there(post):
            self._arm(post, now)  # many own posts wait, and a guard takes ten a minute
            return None
        self._pool.remove(post.post_id)
        return Fluff(post.post_id, post.raw, post.own)

    def _send(self, post: StemPost, what: _Send, now: float) -> RelayPost | None:
        target = self._target(post, what)
        if target is None:
            self._give_up(post, what, now)
            return None
        wait = self.contacts[target].onward.take_one(now)
        if wait:
            self._plan(now + wait, post, what)
            return None
        post.is_sent = True
        return RelayPost(target, post.post_id, post.raw, what.edge, is_retry=bool(what.failed))

    def _guards_there(self, post: StemPost) -> list[str]:
        return self.guards.in_use(post.slot, self.contacts.there())

    def _target(self, post: StemPost, what: _Send) -> str | None:
        if what.edge == OWN:
            return next((guard for guard in self._guards_there(post) if guard != what.failed), None)
        if what.failed:
            return self._relays.other(what.edge, what.failed, self.contacts.candidates())
        return self._relays.route(what.edge, self.contacts.candidates())

    def _give_up(self, post: StemPost, what: _Send, now: float) -> None:
        """An own post waits for a guard (its embargo runs); another's is fluffed if there is no relay."""
        if what.edge == OWN:
            self._plan(now + self.params.patience, post, _Send(OWN))
        elif not what.failed:
            self._plan_fluff(post, now)
