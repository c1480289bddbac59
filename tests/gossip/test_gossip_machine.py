"""Whatever peers do, in whatever order: what the router must never do."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from p2pforum.core.verdict import Outcome
from p2pforum.gossip.effects import Disconnect, Effect, Forward, Send, Validate
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire import IHave, Message, Prune, Rpc, Subscription

TOPICS = ("t0", "t1")
PARAMS = GossipParams(
    history_count=20,
    history_bytes=400,
    seen_count=30,
    in_flight=8,
    ask_per_beat=10,
    pending_asks=15,
    remembered=25,
    serve_remembered=5,
    history_beats=10,
)
peers = st.integers(0, 19).map("p{}".format)
topics = st.sampled_from([*TOPICS, "other"])
datas = st.integers(0, 60).map(lambda n: b"%d" % n * 5)


class RouterMachine(RuleBasedStateMachine):
    """`here`: connected peers. `quiet_until`: what we and they agreed on by PRUNE."""

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.router = Router(TOPICS, Random(seed), PARAMS)
        self.now = 100.0
        self.here: set[str] = set()
        self.banned: set[str] = set()
        self.quiet_until: dict[tuple[str, str], float] = {}
        self.pending: dict[bytes, tuple[bytes, set[str]]] = {}
        self.accepted: set[bytes] = set()
        self.offered: dict[str, set[bytes]] = {}
        self.asked: dict[str, int] = {}
        self.served: dict[tuple[str, bytes], int] = {}

    # -- what happens -----------------------------------------------------------------------------

    @rule(peer=peers, outbound=st.booleans(), which=st.sets(st.sampled_from(TOPICS)))
    def come(self, peer: str, outbound: bool, which: set[str]) -> None:
        self.check(self.router.add_peer(peer, self.now, outbound=outbound))
        self.here.add(peer)
        self.say(peer, subscriptions=tuple(Subscription(topic, True) for topic in sorted(which)))

    @rule(peer=peers)
    def go(self, peer: str) -> None:
        self.router.remove_peer(peer, self.now)
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
        if peer in self.here - self.banned:
            self.be_quiet(peer, topic, 60 if backoff is None else backoff)
        self.say(peer, prune=(Prune(topic, backoff),))

    @rule(peer=peers, topic=topics, data=datas, authored=st.booleans())
    def message(self, peer: str, topic: str, data: bytes, authored: bool) -> None:
        if peer in self.here - self.banned and not authored and topic in TOPICS:
            _, senders = self.pending.get(message_id(data), (data, set()))
            senders.add(peer)
        self.say(peer, publish=(Message(topic, data, authored),))

    @rule(peer=peers, topic=st.sampled_from(TOPICS))
    def ihave_flood(self, peer: str, topic: str) -> None:
        self.ihave(peer, topic, [b"%d" % n * 5 for n in range(61)])

    @rule(choice=st.data(), outcome=st.sampled_from([*Outcome, *[Outcome.STORED] * 10]))
    def verdict_on_pending(self, choice: st.DataObject, outcome: Outcome) -> None:
        if self.pending:
            data = choice.draw(st.sampled_from([data for data, _ in self.pending.values()]))
            self.verdict(data, outcome, self.router._in_flight[message_id(data)].message.topic)

    @rule(choice=st.data(), data=datas, topic=st.sampled_from(TOPICS))
    def message_from_the_mesh(self, choice: st.DataObject, data: bytes, topic: str) -> None:
        if members := list(self.router._mesh.members(topic)):
            self.message(choice.draw(st.sampled_from(members)), topic, data, authored=False)

    @rule(choice=st.data(), topic=st.sampled_from(TOPICS))
    def prune_from_the_mesh(self, choice: st.DataObject, topic: str) -> None:
        if members := list(self.router._mesh.members(topic)):
            self.prune(choice.draw(st.sampled_from(members)), topic, None)

    @rule(choice=st.data(), topic=st.sampled_from(TOPICS))
    def second_copy(self, choice: st.DataObject, topic: str) -> None:
        members = list(self.router._mesh.members(topic))
        if members and self.pending:
            data = choice.draw(st.sampled_from([data for data, _ in self.pending.values()]))
            self.message(choice.draw(st.sampled_from(members)), topic, data, authored=False)

    @rule(data=datas, outcome=st.sampled_from(Outcome), topic=st.sampled_from(TOPICS))
    def verdict(self, data: bytes, outcome: Outcome, topic: str) -> None:
        name = message_id(data)
        was_pending = self.pending.pop(name, None)
        if was_pending and outcome is Outcome.STORED:
            self.accepted.add(name)
        effects = self.router.on_verdict(name, outcome, topic, self.now)
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
        self.router.on_failure(message_id(data))

    @rule(data=datas, topic=st.sampled_from(TOPICS))
    def originate(self, data: bytes, topic: str) -> None:
        effects = self.router.originate(data, topic, self.now)
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
        served = [e.message.data for e in effects if isinstance(e, Forward)]
        assert set(served) <= set(wanted)
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
        for topic in TOPICS:
            members = self.router._mesh.members(topic)
            assert len(members) <= PARAMS.degree_high
            if len(members) < PARAMS.degree_low:
                assert not self.router._mesh._candidates(topic, self.now)

    # -- what must hold ---------------------------------------------------------------------------

    def say(self, peer: str, **parts: object) -> list[Effect]:
        effects = self.router.on_rpc(peer, Rpc(**parts), self.now)
        if peer not in self.here - self.banned:
            assert effects == [], "a peer that is not here, or banned, was listened to"
        self.check(effects)
        return effects

    def be_quiet(self, peer: str, topic: str, seconds: float) -> None:
        until = max(self.now + seconds, self.quiet_until.get((peer, topic), 0))
        self.quiet_until[peer, topic] = until

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
                case Validate(peer, name, message):
                    assert name == message_id(message.data)
                    assert name not in self.pending, "validated twice at once"
                    self.pending[name] = (message.data, {peer})
                case Disconnect(peer):
                    self.banned.add(peer)

    def check_control(self, peer: str, rpc: Rpc) -> None:
        assert not rpc.publish
        for topic in rpc.graft:
            assert self.now >= self.quiet_until.get((peer, topic), 0), "grafted within the backoff"
        for prune in rpc.prune:
            assert prune.topic in TOPICS
            self.be_quiet(peer, prune.topic, prune.backoff or 0)
        for have in rpc.ihave:
            assert set(have.ids) <= self.accepted, "offered what was not accepted"
        self.asked[peer] = self.asked.get(peer, 0) + len(rpc.iwant)
        assert self.asked[peer] <= PARAMS.ask_per_beat
        assert set(rpc.iwant) <= self.offered.get(peer, set())

    @invariant()
    def it_knows_who_is_here(self) -> None:
        mesh = self.router._mesh
        for topic in TOPICS:
            assert set(mesh.members(topic)) <= set(mesh.subscribers(topic)) <= self.here - self.banned

    @invariant()
    def memory_is_bounded(self) -> None:
        router = self.router
        assert len(router._in_flight) <= PARAMS.in_flight
        assert len(router._cache) <= PARAMS.history_count
        assert router._cache.size <= PARAMS.history_bytes
        assert len(router._seen) <= PARAMS.seen_count
        assert router._lazy.pending <= PARAMS.pending_asks
        assert len(router._ledger) <= PARAMS.remembered + len(self.here)
        assert all(len(b) <= PARAMS.remembered for b in router._mesh._backoffs.values())
        assert all(len(q.served) <= PARAMS.serve_remembered for q in router._lazy._quotas.values())
        assert len(router._lazy._promises) <= 16 * PARAMS.ihave_per_beat * 20 * 6


RouterMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestRouterMachine = RouterMachine.TestCase
