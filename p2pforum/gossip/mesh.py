"""Who is pushed to, for each topic: the mesh of gossipsub v1.1, with its quotas and backoffs.

It keeps the sets and writes drafts; scores are the ledger's. No peer exchange: a PRUNE never makes us
dial, and never tells anyone whom we know.
"""

from collections.abc import Iterable, Sequence

from p2pforum.gossip.effects import Drafts
from p2pforum.gossip.params import GossipParams, Rng
from p2pforum.gossip.score import Ledger

Peers = dict[str, None]  # a set that keeps its order, so that a run with one seed is one run


class Mesh:
    def __init__(self, topics: Sequence[str], params: GossipParams, ledger: Ledger, rng: Rng) -> None:
        self._params = params
        self._ledger = ledger
        self._rng = rng
        self._members: dict[str, Peers] = {topic: {} for topic in topics}
        self._subscribers: dict[str, Peers] = {topic: {} for topic in topics}
        self._outbound: set[str] = set()
        self._backoffs: dict[str, dict[str, float]] = {topic: {} for topic in topics}
        self._newcomers: dict[str, Peers] = {topic: {} for topic in topics}
        self._next_opportunity: float | None = None

    @property
    def topics(self) -> Iterable[str]:
        return self._members

    def members(self, topic: str) -> Peers:
        return self._members.get(topic, {})

    def subscribers(self, topic: str) -> Peers:
        return self._subscribers.get(topic, {})

    def outsiders(self, topic: str) -> list[str]:
        """Subscribers that are not in the mesh, those in backoff included: they need the IHAVEs most."""
        members = self._members[topic]
        return [peer for peer in self._subscribers[topic] if peer not in members]

    def take_newcomers(self, topic: str) -> list[str]:
        """Members since the last call: what was pushed just before they came, they must be offered."""
        newcomers, self._newcomers[topic] = self._newcomers[topic], {}
        return [peer for peer in newcomers if peer in self._members[topic]]

    def takers(self, topic: str, now: float) -> list[str]:
        """Who is pushed a post: the members, or some subscribers if there are none."""
        if self._members[topic]:
            return list(self._members[topic])
        limit = self._ledger.params.publish_threshold
        fit = [peer for peer in self._subscribers[topic] if self._ledger.score(peer, now) >= limit]
        return self._draw(fit, self._params.degree)

    def topics_with(self, peer: str) -> tuple[str, ...]:
        return tuple(topic for topic, members in self._members.items() if peer in members)

    # -- coming and going ------------------------------------------------------------------------------

    def add(self, peer: str, *, outbound: bool) -> None:
        if outbound:
            self._outbound.add(peer)

    def remove(self, peer: str, now: float) -> None:
        for topic in self._members:
            self.unsubscribe(peer, topic, now)
        self._outbound.discard(peer)

    def subscribe(self, peer: str, topic: str) -> bool:
        """False if it is old news, or none of our topics."""
        subscribers = self._subscribers.get(topic)
        if subscribers is None or peer in subscribers:
            return False
        subscribers[peer] = None
        return True

    def unsubscribe(self, peer: str, topic: str, now: float) -> None:
        if topic in self._members:
            self._subscribers[topic].pop(peer, None)
            self._drop(peer, topic, now)

    def _drop(self, peer: str, topic: str, now: float) -> None:
        if peer in self._members[topic]:
            del self._members[topic][peer]
            self._ledger.pruned(peer, topic, now)

    # -- what peers say --------------------------------------------------------------------------------

    def on_graft(self, peer: str, topic: str, now: float, drafts: Drafts) -> float:
        """Accept or refuse; how much misbehaviour it was, if any."""
        members = self._members.get(topic)
        if members is None or peer in members:  # an answer to unknown topics would be a tool for flooding
            return 0.0
        left = self._backoff_left(peer, topic, now)
        full = len(members) >= self._params.degree_high and peer not in self._outbound
        subscribed = peer in self._subscribers[topic]
        if left > 0 or full or not subscribed or self._ledger.score(peer, now) < 0:
            self._refuse(peer, topic, now, drafts)
        else:
            self._admit(peer, topic, now)
        if left <= 0:
            return 0.0
        return 2.0 if self._params.backoff - left < self._params.graft_flood else 1.0

    def on_prune(self, peer: str, topic: str, backoff: int | None, now: float) -> None:
        if topic not in self._members:
            return
        self._drop(peer, topic, now)
        wait = self._params.backoff if backoff is None else backoff
        self._back_off(peer, topic, now, min(wait, self._params.backoff_longest))

    def _admit(self, peer: str, topic: str, now: float) -> None:
        self._members[topic][peer] = None
        self._newcomers[topic][peer] = None
        self._ledger.grafted(peer, topic, now)

    def _refuse(self, peer: str, topic: str, now: float, drafts: Drafts) -> None:
        self._back_off(peer, topic, now, self._params.backoff)
        drafts.prune(peer, topic, self._params.backoff)

    def _backoff_left(self, peer: str, topic: str, now: float) -> float:
        return self._backoffs[topic].get(peer, now) - now

    def _back_off(self, peer: str, topic: str, now: float, wait: float) -> None:
        """Keyed by peer, not by connection: it holds over a reconnect. Never shortened."""
        backoffs = self._backoffs[topic]
        until = max(now + wait, backoffs.pop(peer, now))
        backoffs[peer] = until
        if len(backoffs) > self._params.remembered:
            del backoffs[next(iter(backoffs))]

    # -- at the heartbeat ------------------------------------------------------------------------------

    def maintain(self, now: float, drafts: Drafts) -> None:
        opportunity = self._is_opportunity(now)
        negatives = self._ledger.negatives(now)
        for topic, members in self._members.items():
            if not negatives.isdisjoint(members):
                self._drop_negative(topic, now, drafts)
            self.fill(topic, now, drafts)
            if len(members) > self._params.degree_high:
                self._trim(topic, now, drafts)
            if len(members) >= self._params.degree_low:
                self._fill_outbound(topic, now, drafts)
            if opportunity:
                self._graft_better(topic, now, drafts)
                self._forget_backoffs(topic, now)

    def _forget_backoffs(self, topic: str, now: float) -> None:
        oldest = now - self._params.backoff_slack
        self._backoffs[topic] = {p: until for p, until in self._backoffs[topic].items() if until > oldest}

    def fill(self, topic: str, now: float, drafts: Drafts) -> None:
        """Graft up to D if there are fewer than D_lo."""
        count = len(self._members[topic])
        if count < self._params.degree_low:
            candidates = self._candidates(topic, now)
            for peer in self._draw(candidates, self._params.degree - count):
                self._graft(peer, topic, now, drafts)

    def _graft(self, peer: str, topic: str, now: float, drafts: Drafts) -> None:
        self._admit(peer, topic, now)
        drafts.graft(peer, topic)

    def _prune(self, peer: str, topic: str, now: float, drafts: Drafts) -> None:
        self._drop(peer, topic, now)
        self._refuse(peer, topic, now, drafts)

    def _candidates(self, topic: str, now: float) -> list[str]:
        backoffs, slack = self._backoffs[topic], self._params.backoff_slack
        return [
            peer
            for peer in self.outsiders(topic)
            if now >= backoffs.get(peer, -slack) + slack and self._ledger.score(peer, now) >= 0
        ]

    def _draw(self, peers: Sequence[str], count: int) -> list[str]:
        return self._rng.sample(peers, max(0, min(count, len(peers))))

    def _drop_negative(self, topic: str, now: float, drafts: Drafts) -> None:
        """Those who are only slow keep their place while nobody else would take it."""
        members, score = self._members[topic], self._ledger.score
        for peer in sorted((p for p in members if score(p, now) < 0), key=lambda p: score(p, now)):
            if len(members) > self._params.degree or not self._ledger.is_only_slow(peer, now):
                self._prune(peer, topic, now, drafts)

    def _trim(self, topic: str, now: float, drafts: Drafts) -> None:
        """Keep the best, a few by lot, and enough of those whose address we chose."""
        lots = self._draw(list(self._members[topic]), len(self._members[topic]))
        ranked = sorted(lots, key=lambda peer: -self._ledger.score(peer, now))
        best, others = ranked[: self._params.degree_score], ranked[self._params.degree_score :]
        order = best + self._draw(others, len(others))
        keep, spare = order[: self._params.degree], order[self._params.degree :]
        missing = self._params.degree_outbound - len(self._outbound.intersection(keep))
        reserves = [peer for peer in spare if peer in self._outbound][: max(0, missing)]
        victims = [peer for peer in reversed(keep) if peer not in self._outbound][: len(reserves)]
        for peer in [*spare, *victims]:
            if peer not in reserves:
                self._prune(peer, topic, now, drafts)

    def _fill_outbound(self, topic: str, now: float, drafts: Drafts) -> None:
        missing = self._params.degree_outbound - len(self._outbound.intersection(self._members[topic]))
        if missing > 0 and len(self._outbound) > self._params.degree_outbound - missing:
            candidates = [peer for peer in self._candidates(topic, now) if peer in self._outbound]
            for peer in self._draw(candidates, missing):
                self._graft(peer, topic, now, drafts)

    def _is_opportunity(self, now: float) -> bool:
        if self._next_opportunity is None:
            self._next_opportunity = now + self._params.opportunity
        if now < self._next_opportunity:
            return False
        self._next_opportunity = now + self._params.opportunity
        return True

    def _graft_better(self, topic: str, now: float, drafts: Drafts) -> None:
        """Opportunistic grafting: a poor mesh takes in peers that have proved clearly better than it."""
        scores = sorted(self._ledger.score(peer, now) for peer in self._members[topic])
        limits = self._ledger.params
        room = min(self._params.opportunity_grafts, self._params.degree_high - len(scores))
        if len(scores) < 2 or (median := scores[len(scores) // 2]) >= limits.opportunity_threshold:
            return
        wanted = median + limits.opportunity_margin
        better = [p for p in self._candidates(topic, now) if self._ledger.score(p, now) > wanted]
        for peer in self._draw(better, room):
            self._graft(peer, topic, now, drafts)
