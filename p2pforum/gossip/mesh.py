"""Which peers posts are pushed to: the mesh of gossipsub v1.1, with its quotas and backoffs.

It keeps the sets and gathers control parts; PeerScores keeps the scores. There is no peer exchange: a PRUNE
never makes this node dial, and never tells a peer which other peers it knows.
"""

from collections.abc import Sequence

from p2pforum.core.bounded import BoundedDict
from p2pforum.gossip.effects import ControlBatch
from p2pforum.gossip.params import GossipParams, Rng
from p2pforum.gossip.score import PeerScores

Peers = dict[str, None]  # a set that keeps its order, so that a run can be repeated from its seed


class Mesh:
    def __init__(self, params: GossipParams, scores: PeerScores, rng: Rng) -> None:
        self._params = params
        self._scores = scores
        self._rng = rng
        self._members: Peers = {}
        self._subscribers: Peers = {}
        self._outbound: set[str] = set()
        self._backoffs = BoundedDict[str, float](params.remembered)
        self._newcomers: Peers = {}
        self._next_opportunity: float | None = None

    @property
    def members(self) -> Peers:
        return self._members

    @property
    def subscribers(self) -> Peers:
        return self._subscribers

    def outsiders(self) -> list[str]:
        """Subscribers that are not in the mesh, with those in backoff: these need the IHAVEs most."""
        return [peer for peer in self._subscribers if peer not in self._members]

    def take_newcomers(self) -> list[str]:
        """Members since the last call. The node must offer them what was pushed just before they came."""
        newcomers, self._newcomers = self._newcomers, {}
        return [peer for peer in newcomers if peer in self._members]

    def takers(self, now: float) -> list[str]:
        """The peers that a post is pushed to: the members, or some subscribers if there are none."""
        if self._members:
            return list(self._members)
        limit = self._scores.params.publish_threshold
        fit = [peer for peer in self._subscribers if self._scores.score(peer, now) >= limit]
        return self._draw(fit, self._params.degree)

    # -- coming and going ------------------------------------------------------------------------------

    def add(self, peer: str, *, outbound: bool) -> None:
        if outbound:
            self._outbound.add(peer)
        else:
            self._outbound.discard(peer)

    def remove(self, peer: str, now: float) -> None:
        self.unsubscribe(peer, now)
        self._outbound.discard(peer)

    def subscribe(self, peer: str) -> bool:
        """False if the peer had subscribed before."""
        if peer in self._subscribers:
            return False
        self._subscribers[peer] = None
        return True

    def forget_subscription(self, peer: str) -> None:
        """Until the peer subscribes again. It stays in the mesh, because this node's hello repeats a lost
        GRAFT."""
        self._subscribers.pop(peer, None)

    def unsubscribe(self, peer: str, now: float) -> None:
        self._subscribers.pop(peer, None)
        self._drop(peer, now)

    def _drop(self, peer: str, now: float) -> None:
        if peer in self._members:
            del self._members[peer]
            self._scores.pruned(peer, now)

    # -- what peers say --------------------------------------------------------------------------------

    def on_graft(self, peer: str, now: float, drafts: ControlBatch) -> float:
        """Accept or refuse. Returns how much misbehaviour the GRAFT was, 0 if none."""
        if peer in self._members:
            return 0.0
        left = self._backoff_left(peer, now)
        full = len(self._members) >= self._params.degree_high and peer not in self._outbound
        subscribed = peer in self._subscribers
        if left > 0 or full or not subscribed or self._scores.score(peer, now) < 0:
            self._refuse(peer, now, drafts)
        else:
            self._admit(peer, now)
        if left <= 0:
            return 0.0
        return 2.0 if self._params.backoff - left < self._params.graft_flood else 1.0

    def on_prune(self, peer: str, backoff: int | None, now: float) -> None:
        """The peer dropped this node from its mesh, for `backoff` seconds (None: the default)."""
        self._drop(peer, now)
        wait = self._params.backoff if backoff is None else backoff
        self._back_off(peer, now, min(wait, self._params.backoff_longest))

    def _admit(self, peer: str, now: float) -> None:
        self._members[peer] = None
        self._newcomers[peer] = None
        self._scores.grafted(peer, now)

    def _refuse(self, peer: str, now: float, drafts: ControlBatch) -> None:
        self._back_off(peer, now, self._params.backoff)
        drafts.prune(peer, self._params.backoff)

    def _backoff_left(self, peer: str, now: float) -> float:
        return self._backoffs.get(peer, now) - now

    def _back_off(self, peer: str, now: float, wait: float) -> None:
        """Keyed by peer, not by connection, so that it outlives a reconnect. It is never shortened."""
        self._backoffs[peer] = max(now + wait, self._backoffs.get(peer, now))

    # -- at the heartbeat ------------------------------------------------------------------------------

    def maintain(self, now: float, drafts: ControlBatch) -> None:
        """The mesh's part of a heartbeat (gossipsub v1.1): drop, graft and prune until its quotas hold."""
        opportunity = self._is_opportunity(now)
        negatives = self._scores.negatives(now)
        if not negatives.isdisjoint(self._members):
            self._drop_negative(now, drafts)
        self.fill(now, drafts)
        if len(self._members) > self._params.degree_high:
            self._trim(now, drafts)
        if len(self._members) >= self._params.degree_low:
            self._fill_outbound(now, drafts)
        if opportunity:
            self._graft_better(now, drafts)
            self._forget_backoffs(now)

    def _forget_backoffs(self, now: float) -> None:
        oldest = now - self._params.backoff_slack
        for peer in [p for p, until in self._backoffs.items() if until <= oldest]:
            del self._backoffs[peer]

    def fill(self, now: float, drafts: ControlBatch) -> None:
        """Graft up to D if there are fewer than D_lo."""
        count = len(self._members)
        if count < self._params.degree_low:
            candidates = self._candidates(now)
            for peer in self._draw(candidates, self._params.degree - count):
                self._graft(peer, now, drafts)

    def _graft(self, peer: str, now: float, drafts: ControlBatch) -> None:
        self._admit(peer, now)
        drafts.graft(peer)

    def _prune(self, peer: str, now: float, drafts: ControlBatch) -> None:
        self._drop(peer, now)
        self._refuse(peer, now, drafts)

    def _candidates(self, now: float) -> list[str]:
        backoffs, slack = self._backoffs, self._params.backoff_slack
        return [
            peer
            for peer in self.outsiders()
            if now >= backoffs.get(peer, -slack) + slack and self._scores.score(peer, now) >= 0
        ]

    def _draw(self, peers: Sequence[str], count: int) -> list[str]:
        return self._rng.sample(peers, max(0, min(count, len(peers))))

    def _drop_negative(self, now: float, drafts: ControlBatch) -> None:
        """Prune members with a negative score. A peer that is only slow stays while no other would take its
        slot."""
        members, score = self._members, self._scores.score
        for peer in sorted((p for p in members if score(p, now) < 0), key=lambda p: score(p, now)):
            if len(members) > self._params.degree or not self._scores.is_only_slow(peer, now):
                self._prune(peer, now, drafts)

    def _trim(self, now: float, drafts: ControlBatch) -> None:
        """Keep the best, a few at random, and enough peers whose address this node chose."""
        lots = self._draw(list(self._members), len(self._members))
        ranked = sorted(lots, key=lambda peer: -self._scores.score(peer, now))
        best, others = ranked[: self._params.degree_score], ranked[self._params.degree_score :]
        order = best + self._draw(others, len(others))
        keep, spare = order[: self._params.degree], order[self._params.degree :]
        missing = self._params.degree_outbound - len(self._outbound.intersection(keep))
        reserves = [peer for peer in spare if peer in self._outbound][: max(0, missing)]
        victims = [peer for peer in reversed(keep) if peer not in self._outbound][: len(reserves)]
        for peer in [*spare, *victims]:
            if peer not in reserves:
                self._prune(peer, now, drafts)

    def _fill_outbound(self, now: float, drafts: ControlBatch) -> None:
        missing = self._params.degree_outbound - len(self._outbound.intersection(self._members))
        if missing > 0 and len(self._outbound) > self._params.degree_outbound - missing:
            candidates = [peer for peer in self._candidates(now) if peer in self._outbound]
            for peer in self._draw(candidates, missing):
                self._graft(peer, now, drafts)

    def _is_opportunity(self, now: float) -> bool:
        if self._next_opportunity is None:
            self._next_opportunity = now + self._params.opportunity
        if now < self._next_opportunity:
            return False
        self._next_opportunity = now + self._params.opportunity
        return True

    def _graft_better(self, now: float, drafts: ControlBatch) -> None:
        """Opportunistic grafting: a poor mesh takes in peers that have proved clearly better than it."""
        scores = sorted(self._scores.score(peer, now) for peer in self._members)
        limits = self._scores.params
        room = min(self._params.opportunity_grafts, self._params.degree_high - len(scores))
        if len(scores) < 2 or (median := scores[len(scores) // 2]) >= limits.opportunity_threshold:
            return
        wanted = median + limits.opportunity_margin
        better = [p for p in self._candidates(now) if self._scores.score(p, now) > wanted]
        for peer in self._draw(better, room):
            self._graft(peer, now, drafts)
