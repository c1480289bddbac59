"""Whatever peers do, in whatever order: what the router must never do."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from p2pforum.core.verdict import Outcome
from p2pforum.gossip.effects import Disconnect, Effect, Forward, Send, Serve, Validate
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.rpc import IHave, Message, Prune, Rpc, Subscription

pytestmark = pytest.mark.slow

TOPIC = "t"
PARAMS = GossipParams(
    history_count=20,
    history_bytes=400,
    seen_count=30,
    bad_count=10,
    ask_per_beat=10,
    pending_asks=15,
    remembered=25,
    serve_remembered=5,
    history_beats=10,
)
peers = st.integers(0, 19).map("p{}".format)
topics = st.sampled_from([TOPIC, TOPIC, "other"])
datas = st.integers(0, 60).map(lambda n: b"%d" % n * 5)


class RouterMachine(RuleBasedStateMachine):
    """`here`: connected peers. `quiet_until`: what we and they agreed on by PRUNE."""

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.router = Router(TOPIC, Random(seed), PARAMS)
        self.now = 100.0
        self.here: set[str] = set()
        self.banned: set[str] = set()
        self.quiet_until: dict[str, float] = {}
        self.pending: dict[bytes, tuple[bytes, set[str]]] = {}
        self.accepted: set[bytes] = set()
        self.offered: dict[str, set[bytes]] = {}
        self.asked: dict[str, int] = {}
        self.served: dict[tuple[str, bytes], int] = {}

    # -- what happens -----------------------------------------------------------------------------

    @rule(peer=peers, outbound=st.booleans(), joins=st.booleans())
    def come(self, peer: str, outbound: bool, joins: bool) -> None:
        self.check(self.router.add_peer(peer, self.now, outbound=outbound))
        self.here.add(peer)
        self.say(peer, subscriptions=(Subscription(TOPIC, joins),))

    @rule(peer=peers, judges_all=st.booleans())
    def go(self, peer: str, judges_all: bool) -> None:
        """What only it had brought is at the door by now, or is not judged."""
        alone = [name for name, (_, senders) in self.pending.items() if senders == {peer}]
        unjudged = [] if judges_all else alone
        self.router.remove_peer(peer, self.now, unjudged)
        self.pending = {name: entry for name, entry in self.pending.items() if name not in unjudged}
        self.here.discard(peer)
        self.banned.discard(peer)

    @rule(peer=peers, topic=topics, subscribe=st.booleans())
    def subscribe(self, peer: str, topic: str, subscribe: bool) -> None:
        self.say(peer, subscriptions=(Subscription(topic, subscribe),))

    @rule(peer=peers, topic=topics)
    def graft(self, peer: str, topic: str) -> None:
        self.say(peer, graft=(topic,))

    @rule(peer=peers, topic=topics, backoff=st.none() | st.integers(0, 200))
    def prune(self, peer: str, topic: str, backoff: int | None) -> None:
        if peer in self.here - self.banned and topic == TOPIC:
            self.be_quiet(peer, 60 if backoff is None else backoff)
        self.say(peer, prune=(Prune(topic, backoff),))

    @rule(peer=peers, topic=topics, data=datas, authored=st.booleans())
    def message(self, peer: str, topic: str, data: bytes, authored: bool) -> None:
        if peer in self.here - self.banned and not authored and topic == TOPIC:
            _, senders = self.pending.get(message_id(data), (data, set()))
            senders.add(peer)
        self.say(peer, publish=(Message(topic, data, authored),))

    @rule(peer=peers)
    def ihave_flood(self, peer: str) -> None:
        self.ihave(peer, TOPIC, [b"%d" % n * 5 for n in range(61)])

    @rule(choice=st.data(), outcome=st.sampled_from([*Outcome, *[Outcome.STORED] * 10]))
    def verdict_on_pending(self, choice: st.DataObject, outcome: Outcome) -> None:
        if self.pending:
            data = choice.draw(st.sampled_from([data for data, _ in self.pending.values()]))
            self.verdict(data, outcome)

    @rule(choice=st.data(), data=datas)
    def message_from_the_mesh(self, choice: st.DataObject, data: bytes) -> None:
        if members := list(self.router._mesh.members):
            self.message(choice.draw(st.sampled_from(members)), TOPIC, data, authored=False)

    @rule(choice=st.data())
    def prune_from_the_mesh(self, choice: st.DataObject) -> None:
        if members := list(self.router._mesh.members):
            self.prune(choice.draw(st.sampled_from(members)), TOPIC, None)

    @rule(choice=st.data())
    def second_copy(self, choice: st.DataObject) -> None:
        members = list(self.router._mesh.members)
        if members and self.pending:
            data = choice.draw(st.sampled_from([data for data, _ in self.pending.values()]))
            self.message(choice.draw(st.sampled_from(members)), TOPIC, data, authored=False)

    @rule(data=datas, outcome=st.sampled_from(Outcome))
    def verdict(self, data: bytes, outcome: Outcome) -> None:
        name = message_id(data)
        was_pending = self.pending.pop(name, None)
        if was_pending and outcome is Outcome.STORED:
            self.accepted.add(name)
        effects = self.router.on_verdict(name, outcome, self.now)
        if was_pending is None:
            assert effects == []
        else:
            sent_to = {peer for e in effects if isinstance(e, Forward) for peer in e.peers}
            assert not sent_to & was_pending[1], "sent back to a peer that it came from"
            assert outcome is Outcome.STORED or not sent_to
        self.check(effects)

    @rule(data=datas)
    def failure(self, data: bytes) -> None:
        self.pending.pop(message_id(data), None)
        self.router.on_failure([message_id(data)])

    @rule(data=datas)
    def originate(self, data: bytes) -> None:
        effects = self.router.originate(data, self.now)
        self.accepted.add(message_id(data))
        self.check(effects)

    @rule(peer=peers, topic=topics, wanted=st.lists(datas, max_size=30))
    def ihave(self, peer: str, topic: str, wanted: list[bytes]) -> None:
        ids = tuple(map(message_id, wanted))
        self.offered.setdefault(peer, set()).update(ids)
        self.say(peer, ihave=(IHave(topic, ids),))

    @rule(peer=peers, wanted=st.lists(datas, max_size=30))
    def iwant(self, peer: str, wanted: list[bytes]) -> None:
        effects = self.say(peer, iwant=tuple(map(message_id, wanted)))
        served = [name for e in effects if isinstance(e, Serve) for name in e.ids]
        assert set(served) <= set(map(message_id, wanted))
        assert len(served) == len(set(served))

    @rule(peer=peers, luck=st.integers(0, 9))
    def break_the_protocol(self, peer: str, luck: int) -> None:
        if peer in self.here and luck == 0:
            self.check(self.router.on_violation(peer, "it broke the protocol", self.now))

    @rule(seconds=st.integers(1, 130))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.beat()

    @rule()
    def beat(self) -> None:
        self.now += 1
        self.asked = {}
        self.check(self.router.heartbeat(self.now))
        members = self.router._mesh.members
        assert len(members) <= PARAMS.degree_high
        if len(members) < PARAMS.degree_low:
            assert not self.router._mesh._candidates(self.now)

    # -- what must hold ---------------------------------------------------------------------------

    def say(self, peer: str, **parts: object) -> list[Effect]:
        effects = self.router.on_rpc(peer, Rpc(**parts), self.now)
        if peer not in self.here - self.banned:
            assert effects == [], "a peer that is not here, or banned, was listened to"
        self.check(effects)
        return effects

    def be_quiet(self, peer: str, seconds: float) -> None:
        self.quiet_until[peer] = max(self.now + seconds, self.quiet_until.get(peer, 0))

    def check(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(peer, rpc):
                    assert peer in self.here
                    self.check_control(peer, rpc)
                case Forward(peers, message):
                    assert message_id(message.data) in self.accepted, "forwarded what nobody has judged"
                    assert not message.authored
                    assert len(set(peers)) == len(peers)
                    assert set(peers) <= self.here - self.banned
                case Serve(peer, ids):
                    assert peer in self.here - self.banned
                    assert set(ids) <= self.accepted, "served what nobody has judged"
                    assert all(map(self.router.kept, ids))
                case Validate(peer, name, message, is_again):
                    assert name == message_id(message.data)
                    assert is_again == (name in self.pending), "validated twice at once"
                    self.pending.setdefault(name, (message.data, set()))[1].add(peer)
                case Disconnect(peer):
                    self.banned.add(peer)

    def check_control(self, peer: str, rpc: Rpc) -> None:
        assert not rpc.publish
        assert {*rpc.graft, *(prune.topic for prune in rpc.prune)} <= {TOPIC}
        if rpc.graft:
            assert self.now >= self.quiet_until.get(peer, 0), "grafted within the backoff"
        for prune in rpc.prune:
            self.be_quiet(peer, prune.backoff or 0)
        for have in rpc.ihave:
            assert set(have.ids) <= self.accepted, "offered what was not accepted"
        self.asked[peer] = self.asked.get(peer, 0) + len(rpc.iwant)
        assert self.asked[peer] <= PARAMS.ask_per_beat
        assert set(rpc.iwant) <= self.offered.get(peer, set())

    @invariant()
    def it_knows_who_is_here(self) -> None:
        mesh = self.router._mesh
        assert set(mesh.members) <= set(mesh.subscribers) <= self.here - self.banned

    @invariant()
    def nothing_is_dropped_while_it_is_judged(self) -> None:
        assert self.router._in_flight.keys() == self.pending.keys()

    @invariant()
    def each_id_that_is_missed_is_in_the_share_of_all_who_offered_it(self) -> None:
        shares = {peer: quota.pending for peer, quota in self.router._lazy._quotas.items()}
        offers = {name: [*ask.asked, *ask.waiting] for name, ask in self.router._lazy._asks.items()}
        assert all(offers.values())
        assert {(p, n) for p, names in shares.items() for n in names} == {
            (p, n) for n, those in offers.items() for p in those
        }

    @invariant()
    def memory_is_bounded(self) -> None:
        router = self.router
        assert len(router._cache) <= PARAMS.history_count
        assert router._cache.size <= PARAMS.history_bytes
        assert len(router._seen) <= PARAMS.seen_count
        assert len(router._bad) <= PARAMS.bad_count
        assert all(len(q.pending) <= PARAMS.pending_asks for q in router._lazy._quotas.values())
        assert len(router._scores) <= PARAMS.remembered + len(self.here)
        assert len(router._mesh._backoffs) <= PARAMS.remembered
        assert all(len(q.served) <= PARAMS.serve_remembered for q in router._lazy._quotas.values())
        assert len(router._lazy._promises) <= 16 * PARAMS.ihave_per_beat * 20 * 6


RouterMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestRouterMachine = RouterMachine.TestCase
