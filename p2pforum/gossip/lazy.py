"""IHAVE and IWANT: offering what others may have missed, and asking for what we have.

Everything here has a budget for each peer, since both ways a small request makes a large answer. An ID
that is offered and asked for is a promise; a peer that breaks it loses score.
"""

from collections.abc import Callable, Sequence

from p2pforum.gossip.effects import Drafts
from p2pforum.gossip.params import GossipParams, Rng
from p2pforum.gossip.score import Ledger
from p2pforum.gossip.seen import ID_SIZE, MessageCache
from p2pforum.gossip.wire import Message


class _Quota:
    """What one peer has used up: since the last heartbeat, and of its hourly share."""

    __slots__ = (
        "asked",
        "controls",
        "greeted",
        "ihaves",
        "iwants",
        "served",
        "surplus",
        "tokens",
        "tokens_at",
        "undated",
    )

    def __init__(self, tokens: float, now: float) -> None:
        self.beat()
        self.undated = 0.0
        self.tokens = tokens
        self.tokens_at = now
        self.served: dict[bytes, int] = {}
        self.greeted = False

    def beat(self) -> None:
        self.controls = self.ihaves = self.iwants = self.asked = self.surplus = 0


class LazyGossip:
    def __init__(self, params: GossipParams, cache: MessageCache, ledger: Ledger, rng: Rng) -> None:
        self._params = params
        self._cache = cache
        self._ledger = ledger
        self._rng = rng
        self._quotas: dict[str, _Quota] = {}
        self._asked_at: dict[bytes, float] = {}
        self._promises: dict[bytes, dict[str, float]] = {}  # ID -> who offered it -> until when
        self._turn: int | None = None  # where in the row of outsiders the next offers begin

    def __contains__(self, peer: object) -> bool:
        return peer in self._quotas

    @property
    def pending(self) -> int:
        """IDs asked for that have not come."""
        return len(self._asked_at)

    def add(self, peer: str, now: float) -> None:
        self._quotas[peer] = _Quota(self._params.serve_hourly, now)

    def remove(self, peer: str) -> None:
        self._quotas.pop(peer, None)

    def spend_control(self, peer: str, now: float) -> bool:
        """Whether the control parts of one more RPC are read."""
        quota = self._quotas[peer]
        quota.controls += 1
        return self._within(quota.controls, self._params.control_per_beat, peer, now)

    def spend_surplus(self, peer: str, count: int, now: float) -> None:
        """`count` fields of its RPC were read for nothing."""
        quota = self._quotas[peer]
        quota.surplus += count
        self._within(quota.surplus, self._params.surplus_per_beat, peer, now)

    def weigh(self, peer: str, now: float, *, good: bool, far: bool) -> None:
        """It sent a post that was kept (`good`), or one of a wrong hour, perhaps of a `far` one."""
        quota = self._quotas.get(peer)
        if quota is None:
            return
        quota.undated = max(0.0, quota.undated + (-1.0 if good else 1.0))
        if far:
            self._ledger.misbehaved(peer, now, self._params.undated_far)
        elif quota.undated > self._params.undated_free:
            self._ledger.misbehaved(peer, now, self._params.undated)

    def _within(self, used: int, bound: int, peer: str, now: float) -> bool:
        if used > bound:
            self._ledger.misbehaved(peer, now, self._params.excess)
        return used <= bound

    # -- offering --------------------------------------------------------------------------------------

    def offer(
        self, outsiders: Sequence[str], newcomers: Sequence[str], ids: Sequence[bytes], drafts: Drafts
    ) -> None:
        """Offer to all newcomers, and a part of the outsiders: each has its turn in `gossip_beats`."""
        part = max(self._params.degree_lazy, -(-len(outsiders) // self._params.gossip_beats))
        start = self._rng.randrange(1 << 16) if self._turn is None else self._turn
        self._turn = start + part
        start %= max(1, len(outsiders))
        row = [*outsiders[start:], *outsiders[:start]][:part]
        offered = ids[: self._params.offer_per_beat]
        for peer in [*newcomers, *row]:
            drafts.ihave(peer, offered)

    def greet(self, peer: str, drafts: Drafts) -> None:
        """Offer what was passed on to a peer that has just joined: it may have been cut off."""
        quota = self._quotas[peer]
        if quota.greeted or not len(self._cache):
            return
        quota.greeted = True
        if ids := self._cache.passed_on():
            drafts.ihave(peer, ids)

    def spend_iwant(self, peer: str, count: int, now: float) -> bool:
        """Whether the IWANTs of one more RPC, with `count` IDs, are read."""
        quota = self._quotas[peer]
        quota.iwants += count
        return self._within(quota.iwants, self._params.iwant_per_beat, peer, now)

    def on_iwant(self, peer: str, ids: Sequence[bytes], now: float) -> list[Message]:
        """What to send. Beyond its share a peer gets nothing, and that is not held against it."""
        quota = self._quotas[peer]
        refill = (now - quota.tokens_at) * self._params.serve_hourly / 3600
        quota.tokens = min(self._params.serve_hourly, quota.tokens + refill)
        quota.tokens_at = now
        found = []
        for message_id in dict.fromkeys(ids):
            if quota.tokens < 1:
                break
            quota.tokens -= 1
            message = self._cache.get(message_id)
            if message is not None and self._count_serving(quota, message_id):
                found.append(message)
        return found

    def _count_serving(self, quota: _Quota, message_id: bytes) -> bool:
        count = quota.served.pop(message_id, 0)
        quota.served[message_id] = count + 1
        if len(quota.served) > self._params.serve_remembered:
            del quota.served[next(iter(quota.served))]
        return count < self._params.serve_times

    # -- asking ----------------------------------------------------------------------------------------

    def spend_ihave(self, peer: str, now: float) -> bool:
        """Whether the IHAVEs of one more RPC are read."""
        quota = self._quotas[peer]
        quota.ihaves += 1
        return self._within(quota.ihaves, self._params.ihave_per_beat, peer, now)

    def on_ihave(
        self, peer: str, ids: Sequence[bytes], is_known: Callable[[bytes], bool], now: float
    ) -> list[bytes]:
        """The IDs to ask this peer for."""
        quota = self._quotas[peer]
        room = min(self._params.ask_per_beat - quota.asked, self._params.pending_asks - len(self._asked_at))
        wanted: list[bytes] = []
        for message_id in ids:
            if len(wanted) >= room:
                break
            if len(message_id) == ID_SIZE and not is_known(message_id) and self._may_ask(message_id, now):
                self._asked_at[message_id] = now
                wanted.append(message_id)
        if wanted:
            quota.asked += len(wanted)
            watched = wanted[self._rng.randrange(len(wanted))]  # one of them, and the peer can't know which
            self._promises.setdefault(watched, {}).setdefault(peer, now + self._params.promise)
        return wanted

    def _may_ask(self, message_id: bytes, now: float) -> bool:
        asked_at = self._asked_at.get(message_id)
        return asked_at is None or now - asked_at >= self._params.ask_again

    def arrived(self, message_id: bytes) -> None:
        """It came, from whomever: all promises to send it are kept."""
        self._asked_at.pop(message_id, None)
        self._promises.pop(message_id, None)

    # -- at the heartbeat ------------------------------------------------------------------------------

    def beat(self, now: float) -> list[str]:
        """Renew budgets and settle promises; the peers that broke one."""
        for quota in self._quotas.values():
            quota.beat()
            quota.undated = max(0.0, quota.undated - self._params.undated_fade)
        for message_id in [m for m, at in self._asked_at.items() if now - at > self._params.promise]:
            del self._asked_at[message_id]
        broken: list[str] = []
        for message_id, promises in list(self._promises.items()):
            late = [peer for peer, until in promises.items() if until <= now]
            for peer in late:
                del promises[peer]
                self._ledger.misbehaved(peer, now)
            if not promises:
                del self._promises[message_id]
            broken += late
        return broken
