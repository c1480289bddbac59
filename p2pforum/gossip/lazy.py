"""IHAVE and IWANT: offering messages that peers may have missed, and asking for messages that peers offer.

Everything here has a budget for each peer, because either way a small request causes a large answer. An ID
that a peer offered and this node asked for is a promise; a peer that breaks it loses score. The node keeps
every offer, even if another peer made the same before. So it can ask the other peers later, ever more of them
at once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from p2pforum.core.bounded import BoundedDict, TokenBucket
from p2pforum.gossip.effects import ControlBatch
from p2pforum.gossip.params import GossipParams, Rng
from p2pforum.gossip.score import PeerScores
from p2pforum.gossip.seen import ID_SIZE, MessageCache


class _Quota:
    """How much one peer has used: since the last heartbeat, and of its hourly share."""

    __slots__ = (
        "asked",
        "controls",
        "greeted",
        "greeted_at",
        "ihaves",
        "is_held",
        "iwants",
        "pending",
        "served",
        "share",
        "surplus",
    )

    def __init__(self, params: GossipParams, now: float) -> None:
        self.beat()
        self.is_held = False
        self.pending: set[bytes] = set()  # IDs that it offered and whose messages have not come
        self.share = TokenBucket(params.serve_hourly / 3600, params.serve_hourly, now)  # IDs to serve to it
        self.served = BoundedDict[bytes, int](params.serve_remembered)
        self.greeted = False
        self.greeted_at = now

    def beat(self) -> None:
        self.controls = self.ihaves = self.iwants = self.asked = self.surplus = 0


@dataclass(slots=True)
class _Ask:
    """One ID. `asked`: peers that were asked for it, last at time `at`. `waiting`: peers that offered it as
    well."""

    at: float
    asked: list[str]
    waiting: list[str] = field(default_factory=list)


class LazyGossip:
    def __init__(self, params: GossipParams, cache: MessageCache, scores: PeerScores, rng: Rng) -> None:
        self._params = params
        self._cache = cache
        self._scores = scores
        self._rng = rng
        self._quotas: dict[str, _Quota] = {}
        self._asks: dict[bytes, _Ask] = {}
        self._promises: dict[bytes, dict[str, float]] = {}  # ID -> peer that offered it -> deadline
        self._turn: int | None = None  # index among the outsiders at which the next offers begin

    def __contains__(self, peer: object) -> bool:
        return peer in self._quotas

    @property
    def pending(self) -> int:
        """IDs that were asked for and whose messages have not come."""
        return len(self._asks)

    def add(self, peer: str, now: float) -> None:
        self._quotas[peer] = _Quota(self._params, now)

    def remove(self, peer: str) -> None:
        """The peer is gone: drop its quota and its offers. Its promises stay, so that it answers for them if
        it returns."""
        quota = self._quotas.pop(peer, None)
        for message_id in quota.pending if quota is not None else ():
            ask = self._asks[message_id]
            ask.asked, ask.waiting = _without(ask.asked, peer), _without(ask.waiting, peer)
            if not ask.asked and not ask.waiting:
                del self._asks[message_id]

    def hold(self, peer: str, *, held: bool) -> None:
        """Whether the node has stopped reading from this peer, because its earlier posts wait for the
        door."""
        if peer in self._quotas:
            self._quotas[peer].is_held = held

    def spend_control(self, peer: str, now: float) -> bool:
        """Whether the control parts of one more RPC of this peer are read."""
        quota = self._quotas[peer]
        quota.controls += 1
        return self._within(quota.controls, self._params.control_per_beat, peer, now)

    def spend_surplus(self, peer: str, count: int, now: float) -> None:
        """`count` fields of its RPC had no meaning here."""
        quota = self._quotas[peer]
        quota.surplus += count
        self._within(quota.surplus, self._params.surplus_per_beat, peer, now)

    def _within(self, used: int, bound: int, peer: str, now: float) -> bool:
        if used > bound:
            self._scores.misbehaved(peer, now, self._params.excess)
        return used <= bound

    # -- offering --------------------------------------------------------------------------------------

    def offer(
        self, outsiders: Sequence[str], newcomers: Sequence[str], ids: Sequence[bytes], drafts: ControlBatch
    ) -> None:
        """Offer to all newcomers, and to a part of the outsiders: each has its turn within `gossip_beats`."""
        part = max(self._params.degree_lazy, -(-len(outsiders) // self._params.gossip_beats))
        start = self._rng.randrange(1 << 16) if self._turn is None else self._turn
        self._turn = start + part
        start %= max(1, len(outsiders))
        row = [*outsiders[start:], *outsiders[:start]][:part]
        offered = ids[: self._params.offer_per_beat]
        for peer in [*newcomers, *row]:
            drafts.ihave(peer, offered)

    def may_greet_again(self, peer: str, now: float) -> None:
        """Allow a second greeting, but only after a while: a hello is small, and the offers that answer it
        are large."""
        quota = self._quotas.get(peer)
        if quota is not None and now - quota.greeted_at >= self._params.greet_again:
            quota.greeted = False

    def greet(self, peer: str, now: float, drafts: ControlBatch) -> None:
        """Offer all that is kept to a peer that has just joined, because it may have been cut off before.

        This includes own posts. A node keeps every post that became public since it came online, so all nodes
        offer the same.
        """
        quota = self._quotas[peer]
        if quota.greeted or not len(self._cache):
            return
        quota.greeted = True
        quota.greeted_at = now
        drafts.ihave(peer, self._cache.ids())

    def spend_iwant(self, peer: str, count: int, now: float) -> bool:
        """Whether the IWANTs of one more RPC, with `count` IDs, are read."""
        quota = self._quotas[peer]
        quota.iwants += count
        return self._within(quota.iwants, self._params.iwant_per_beat, peer, now)

    def on_iwant(self, peer: str, ids: Sequence[bytes], now: float) -> list[bytes]:
        """The IDs of the messages to send. Beyond its share a peer gets nothing, but that costs it no
        score."""
        quota = self._quotas[peer]
        asked = list(dict.fromkeys(ids))[: int(quota.share.left(now))]
        quota.share.spend(len(asked))
        found: list[bytes] = []
        for message_id in asked:
            own = self._cache.own_id(message_id)
            if own is not None and self._count_serving(quota, own):
                found.append(own)
        return found

    def _count_serving(self, quota: _Quota, message_id: bytes) -> bool:
        count = quota.served.get(message_id, 0)
        quota.served[message_id] = count + 1
        return count < self._params.serve_times

    # -- asking ----------------------------------------------------------------------------------------

    def spend_ihave(self, peer: str, now: float) -> bool:
        """Whether the IHAVEs of one more RPC are read. After this node stood still, a minute of IHAVEs may
        come at once."""
        quota = self._quotas[peer]
        quota.ihaves += 1
        self._within(quota.ihaves, self._params.ihave_burst, peer, now)
        return quota.ihaves <= self._params.ihave_per_beat

    def on_ihave(
        self, peer: str, ids: Sequence[bytes], is_known: Callable[[bytes], bool], now: float
    ) -> list[bytes]:
        """The IDs to ask this peer for."""
        quota = self._quotas[peer]
        wanted: list[bytes] = []
        for message_id in ids:
            if len(quota.pending) >= self._params.pending_asks or quota.asked >= self._params.ask_per_beat:
                break
            if len(message_id) != ID_SIZE or message_id in quota.pending or is_known(message_id):
                continue
            quota.pending.add(message_id)
            if self._is_asked_first(peer, message_id, now):
                quota.asked += 1
                wanted.append(message_id)
        if wanted:
            watched = wanted[self._rng.randrange(len(wanted))]  # one of them; the peer can't know which
            self._promises.setdefault(watched, {}).setdefault(peer, now + self._params.promise)
        return wanted

    def _is_asked_first(self, peer: str, message_id: bytes, now: float) -> bool:
        """Note the peer's offer of an ID. True: ask this peer at once."""
        ask = self._asks.get(message_id)
        if ask is None:
            self._asks[message_id] = _Ask(now, [peer])
        elif not ask.waiting and now - ask.at >= self._params.ask_again:
            ask.at = now
            ask.asked.append(peer)
        else:
            ask.waiting.append(peer)
            return False
        return True

    def arrived(self, message_id: bytes) -> None:
        """The message came, from any peer: all promises to send it count as kept."""
        self._end_ask(message_id)
        self._promises.pop(message_id, None)

    def _end_ask(self, message_id: bytes) -> None:
        ask = self._asks.pop(message_id, None)
        for peer in [*ask.asked, *ask.waiting] if ask is not None else ():
            self._quotas[peer].pending.discard(message_id)

    # -- at the heartbeat ------------------------------------------------------------------------------

    def beat(self, now: float) -> list[str]:
        """Renew budgets and settle promises. Returns the peers that broke one."""
        for quota in self._quotas.values():
            quota.beat()
        for message_id in [m for m, ask in self._asks.items() if now - ask.at > self._params.promise]:
            self._end_ask(message_id)
        broken: list[str] = []
        for message_id, promises in list(self._promises.items()):
            for peer in [peer for peer, until in promises.items() if until <= now]:
                if self._is_held(peer):  # it may have sent the message, and this node has not read it yet
                    promises[peer] = now + self._params.promise
                    continue
                del promises[peer]
                self._scores.misbehaved(peer, now)
                broken.append(peer)
            if not promises:
                del self._promises[message_id]
        return broken

    def _is_held(self, peer: str) -> bool:
        return peer in self._quotas and self._quotas[peer].is_held

    def ask_others(self, now: float) -> dict[str, list[bytes]]:
        """Which peers to ask for messages that have not come: one more, two more, four more, drawn at
        random."""
        wanted: dict[str, list[bytes]] = {}
        for message_id, ask in self._asks.items():
            if not ask.waiting or (ask.asked and now - ask.at < self._params.ask_again):
                continue
            ready = [p for p in ask.waiting if self._quotas[p].asked < self._params.ask_per_beat]
            for peer in self._rng.sample(ready, min(len(ready), max(1, len(ask.asked)))):
                ask.at = now
                ask.asked.append(peer)
                ask.waiting.remove(peer)
                self._quotas[peer].asked += 1
                wanted.setdefault(peer, []).append(message_id)
        return wanted


def _without(peers: Iterable[str], gone: str) -> list[str]:
    return [peer for peer in peers if peer != gone]
