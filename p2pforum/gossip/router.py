"""The GossipSub router: which peers a post goes to, and how far each peer is trusted. It does no I/O.

Time (seconds on any steady clock) and randomness are arguments, effects are return values, so that the
service and a simulation of ten thousand nodes run this same class. It knows data, not posts: the door says
through `on_verdict` whether data is a valid post.
"""

from collections.abc import Container, Iterable, Sequence

from p2pforum.core.verdict import Outcome
from p2pforum.gossip.effects import ControlBatch, Disconnect, Effect, Forward, Send, Serve, Validate
from p2pforum.gossip.lazy import LazyGossip
from p2pforum.gossip.mesh import Mesh
from p2pforum.gossip.params import GossipParams, Rng, ScoreParams
from p2pforum.gossip.score import PeerScores
from p2pforum.gossip.seen import MessageCache, SeenCache, message_id
from p2pforum.gossip.validation_queue import PendingMessage
from p2pforum.gossip.views import Counts, PeerView
from p2pforum.gossip.wire.rpc import IHave, Message, Rpc, Subscription


class Router:
    """Tell it what peers do, and carry out the effects that it returns, in their order."""

    def __init__(
        self, topic: str, rng: Rng, params: GossipParams | None = None, scoring: ScoreParams | None = None
    ) -> None:
        self.params = params or GossipParams()
        self.scoring = scoring or ScoreParams()
        self.counts = Counts()
        self._topic = topic
        self._rng = rng
        p = self.params
        self._scores = self.scores = PeerScores(self.scoring, p.remembered)
        self._mesh = Mesh(p, self._scores, rng)
        self._cache = MessageCache(p.history_beats, p.gossip_beats, p.history_count, p.history_bytes)
        self.kept = self._cache.get  #: the message of an ID in a `Serve`, None if it is gone
        self._lazy = LazyGossip(p, self._cache, self._scores, rng)
        self._seen = SeenCache(p.seen_time, p.seen_count)
        self._early = SeenCache(p.early_time, p.seen_count)
        self._bad = SeenCache(p.seen_time, p.bad_count)
        self._in_flight: dict[bytes, PendingMessage] = {}

    # -- peers ------------------------------------------------------------------------------------------

    def add_peer(self, peer: str, now: float, *, outbound: bool, group: str = "") -> list[Effect]:
        """The peer is connected, or by another connection than before. `outbound`: this node chose its
        address. `group`: its public address, "" if it has none of its own."""
        if self._scores.is_banned(peer, now):
            return [Disconnect(peer, "it is banned for a while")]
        if peer not in self._lazy:
            self._lazy.add(peer, now)
        self._scores.join(peer, group, now)
        self._mesh.add(peer, outbound=outbound)
        return []

    def on_stream(self, peer: str, now: float) -> None:
        """It opened a stream and subscribes anew. It may have restarted and lost messages: greet it again."""
        self._mesh.forget_subscription(peer)
        self._lazy.may_greet_again(peer, now)

    def remove_peer(self, peer: str, now: float, unjudged: Iterable[bytes] = ()) -> None:
        """`unjudged`: messages that only this peer had brought, and that will not be judged."""
        self.on_failure(unjudged)
        self._mesh.remove(peer, now)
        self._lazy.remove(peer)
        self._scores.leave(peer, now)

    def hello(self, peer: str, *, again: bool) -> Rpc:
        """The first RPC on a stream to a peer. `again`: on a later one, which repeats GRAFTs that may be
        lost."""
        graft = (self._topic,) if again and peer in self._mesh.members else ()
        return Rpc(subscriptions=(Subscription(self._topic, subscribe=True),), graft=graft)

    def view(self, peer: str, now: float) -> PeerView:
        is_in_mesh, is_subscribed = peer in self._mesh.members, peer in self._mesh.subscribers
        return PeerView(is_in_mesh, is_subscribed, *self._scores.standing(peer, now))

    # -- what comes in ----------------------------------------------------------------------------------

    def on_rpc(self, peer: str, rpc: Rpc, now: float) -> list[Effect]:
        """Handle one RPC of a peer, within its budgets. RPCs of unknown or banned peers have no effect."""
        if peer not in self._lazy or self._scores.is_banned(peer, now):
            return []
        effects: list[Effect] = []
        drafts = ControlBatch(self._topic)
        if rpc.surplus:
            self._lazy.spend_surplus(peer, rpc.surplus, now)
        has_control = bool(rpc.subscriptions) or rpc.has_control
        reads_control = has_control and self._lazy.spend_control(peer, now)
        if reads_control:
            self._on_subscriptions(peer, rpc.subscriptions, now, drafts)
        for message in rpc.publish:
            effects += self._on_message(peer, message, now)
        if reads_control and not self._scores.is_banned(peer, now):
            self._on_mesh_control(peer, rpc, now, drafts)
            effects += self._on_ihave(peer, rpc.ihave, now)
            effects += self._on_iwant(peer, rpc.iwant, now)
        if not has_control and not rpc.publish:
            self._scores.misbehaved(peer, now, self.params.useless)
        return [*drafts.effects(), *effects, *self._judge(peer, now)]

    def on_violation(self, peer: str, reason: str, now: float) -> list[Effect]:
        """The peer sent bytes that are no RPC."""
        return self._expel(peer, now, reason)

    def _judge(self, peer: str, now: float) -> list[Effect]:
        if self._scores.score(peer, now) >= self.scoring.graylist_threshold:
            return []
        return self._expel(peer, now, "its score is too low")

    def _expel(self, peer: str, now: float, reason: str) -> list[Effect]:
        if self._scores.is_banned(peer, now):
            return []
        self._scores.ban(peer, now)
        self._mesh.remove(peer, now)
        return [Disconnect(peer, reason)]

    def _on_subscriptions(
        self, peer: str, subscriptions: Iterable[Subscription], now: float, drafts: ControlBatch
    ) -> None:
        is_new = False
        for sub in subscriptions:
            if sub.topic != self._topic:
                continue
            if not sub.subscribe:
                self._mesh.unsubscribe(peer, now)
            elif self._mesh.subscribe(peer):
                is_new = True
        if is_new:
            self._mesh.fill(now, drafts)  # at once: two nodes that connect need not wait for a heartbeat
        if is_new and self._is_trusted_with_gossip(peer, now):
            self._lazy.greet(peer, now, drafts)

    def _on_mesh_control(self, peer: str, rpc: Rpc, now: float, drafts: ControlBatch) -> None:
        """Foreign topics get no answer, because an attacker could use answers for a flood."""
        if self._topic in rpc.graft and (early := self._mesh.on_graft(peer, now, drafts)):
            self._scores.misbehaved(peer, now, early)
        for prune in rpc.prune:
            if prune.topic == self._topic:
                self._mesh.on_prune(peer, prune.backoff, now)

    def _is_trusted_with_gossip(self, peer: str, now: float) -> bool:
        return self._scores.score(peer, now) >= self.scoring.gossip_threshold

    def _on_ihave(self, peer: str, offers: Sequence[IHave], now: float) -> list[Effect]:
        if not offers or not self._lazy.spend_ihave(peer, now) or not self._is_trusted_with_gossip(peer, now):
            return []
        wanted: list[bytes] = []
        for offer in offers:
            if offer.topic == self._topic:
                wanted += self._lazy.on_ihave(peer, offer.ids, lambda i: self._is_known(i, now), now)
        return self._ask(peer, wanted)

    def _ask(self, peer: str, wanted: Sequence[bytes]) -> list[Effect]:
        self.counts.asked += len(wanted)
        size = self.params.ask_per_rpc
        return [Send(peer, Rpc(iwant=tuple(wanted[i : i + size]))) for i in range(0, len(wanted), size)]

    def _is_known(self, message_id: bytes, now: float) -> bool:
        return (
            message_id in self._in_flight
            or message_id in self._cache
            or self._seen.has(message_id, now)
            or self._early.has(message_id, now)
        )

    def _on_iwant(self, peer: str, ids: Sequence[bytes], now: float) -> list[Effect]:
        if not ids or not self._lazy.spend_iwant(peer, len(ids), now):
            return []
        if not self._is_trusted_with_gossip(peer, now):
            return []
        found = self._lazy.on_iwant(peer, ids, now)
        self.counts.served += len(found)
        return [Serve(peer, tuple(found))] if found else []

    # -- messages ---------------------------------------------------------------------------------------

    def _on_message(self, peer: str, message: Message, now: float) -> list[Effect]:
        self.counts.received += 1
        if self._scores.is_banned(peer, now):  # since an earlier message of this RPC
            return []
        if message.authored:
            self.counts.authored += 1
            self._scores.invalid(peer, now)
            return []
        if message.topic != self._topic:
            self.counts.foreign += 1
            self._scores.misbehaved(peer, now, self.params.useless)
            return []
        name = message_id(message.data)
        self._lazy.arrived(name)
        if (pending := self._in_flight.get(name)) is not None:
            self.counts.duplicates += 1
            if peer in pending.senders:
                return []
            pending.senders[peer] = None
            return [Validate(peer, name, message, is_again=True)]
        if self._bad.has(name, now):
            return self._on_invalid(peer, now)
        if self._is_known(name, now):
            return self._on_duplicate(peer, name, now)
        self._in_flight[name] = PendingMessage(message, peer)
        return [Validate(peer, name, message)]

    def _on_duplicate(self, peer: str, name: bytes, now: float) -> list[Effect]:
        self.counts.duplicates += 1
        age = self._cache.age(name, now)
        if age is not None and age <= self.scoring.delivery_window:
            self._scores.delivery(peer)
        return []

    def _on_invalid(self, peer: str, now: float) -> list[Effect]:
        """Honest nodes never pass on a post that breaks a rule for all nodes, so one is enough for a ban."""
        self.counts.invalid += 1
        self._scores.invalid(peer, now)
        return self._expel(peer, now, "it sent an invalid post")

    def on_verdict(self, name: bytes, outcome: Outcome, now: float) -> list[Effect]:
        """The door has judged. Only INVALID costs the peers that brought it: any other outcome may depend on
        this node (its clock, its quota, its store)."""
        pending = self._in_flight.pop(name, None)
        if pending is None:
            return []
        if outcome is Outcome.INVALID:
            self._bad.add(name, now)
            return [effect for peer in pending.senders for effect in self._on_invalid(peer, now)]
        if outcome is Outcome.STORED:
            return self._accept(name, pending, now)
        self.counts.ignored += 1
        (self._early if outcome is Outcome.TOO_EARLY else self._seen).add(name, now)
        return []

    def on_failure(self, names: Iterable[bytes]) -> None:
        """These were not judged: treat them as if they had never come."""
        for name in names:
            self._in_flight.pop(name, None)

    def hold(self, peer: str, *, held: bool) -> None:
        """Whether the node has stopped reading from this peer; then it breaks no promise."""
        self._lazy.hold(peer, held=held)

    def _accept(self, name: bytes, pending: PendingMessage, now: float) -> list[Effect]:
        self.counts.accepted += 1
        self._seen.add(name, now)
        self._cache.put(name, pending.message, now)
        self._scores.accepted(crowded=len(self._mesh.members) > self.params.degree)
        first, *others = pending.senders
        self._scores.first_delivery(first)
        for peer in others:
            self._scores.delivery(peer)
        return self._push(pending.message, pending.senders, now)

    def _push(self, message: Message, senders: Container[str], now: float) -> list[Effect]:
        """The same for own posts and others', because any difference would show which posts are own."""
        targets = tuple(peer for peer in self._mesh.takers(now) if peer not in senders)
        return [Forward(targets, message)] if targets else []

    def originate(self, data: bytes, now: float) -> list[Effect]:
        """Publish an own post, or end a stem: push to all of the mesh. To all subscribers would show it to
        more peers; a mesh peer left out, because it brought the post by a stem, would be noticed by spies.

        Release it first, if `has_taker`: a released post counts as sent. A node killed between pushing and
        releasing would push it again after the restart. Relays never do that, so it would mark this node as
        the author.
        """
        name = message_id(data)
        if self._seen.has(name, now):
            return []
        message = Message(self._topic, data)
        self.counts.originated += 1
        self._seen.add(name, now)
        self._cache.put(name, message, now)
        return self._push(message, (), now)

    def has_taker(self, now: float) -> bool:
        """Whether there is a peer that an own post would be sent to."""
        return bool(self._mesh.takers(now))

    # -- time -------------------------------------------------------------------------------------------

    def heartbeat(self, now: float) -> list[Effect]:
        """Call it every `params.heartbeat` seconds."""
        drafts = ControlBatch(self._topic)
        expelled = [effect for peer in self._lazy.beat(now) for effect in self._judge(peer, now)]
        asks = [effect for peer, ids in self._lazy.ask_others(now).items() for effect in self._ask(peer, ids)]
        self._scores.decay(now)
        self._mesh.maintain(now, drafts)
        newcomers = self._mesh.take_newcomers()
        if ids := self._cache.fresh():
            outsiders = [p for p in self._mesh.outsiders() if self._is_trusted_with_gossip(p, now)]
            self._lazy.offer(outsiders, newcomers, ids, drafts)
        self._cache.shift()
        self._seen.expire(now)
        self._early.expire(now)
        self._bad.expire(now)
        return [*drafts.effects(), *asks, *expelled]
