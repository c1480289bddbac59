"""A router on a bench: peers as names, time as a number, effects sorted by kind."""

from random import Random

from p2pforum.core.verdict import Outcome
from p2pforum.gossip.effects import Disconnect, Effect, Forward, Send, Serve, Validate
from p2pforum.gossip.params import GossipParams, ScoreParams
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.rpc import IHave, Message, Prune, Rpc, Subscription

T = "test.net/posts/1"
FOREIGN = "other-net/posts/1"


class Bed:
    """`effects` gathers everything the router asked for since `clear`."""

    def __init__(self, params: GossipParams | None = None, scoring: ScoreParams | None = None) -> None:
        self.router = Router(T, Random(1), params, scoring)
        self.now = 1_000.0
        self.effects: list[Effect] = []

    def clear(self) -> None:
        self.effects = []

    def _note(self, effects: list[Effect]) -> list[Effect]:
        self.effects += effects
        return effects

    # -- peers ------------------------------------------------------------------------------------

    def add(self, *peers: str, topic: str = T, outbound: bool = False, group: str = "") -> None:
        for peer in peers:
            self._note(self.router.add_peer(peer, self.now, outbound=outbound, group=group))
            self.say(peer, subscriptions=(Subscription(topic, True),))

    def add_many(self, count: int, prefix: str = "p", **how: bool) -> list[str]:
        names = [f"{prefix}{n}" for n in range(count)]
        self.add(*names, **how)
        return names

    def remove(self, peer: str) -> None:
        self.router.remove_peer(peer, self.now)

    def mesh(self) -> list[str]:
        return list(self.router._mesh.members)

    def score(self, peer: str) -> float:
        return self.router.view(peer, self.now).score

    # -- what comes in ----------------------------------------------------------------------------

    def say(self, peer: str, **parts: object) -> list[Effect]:
        return self._note(self.router.on_rpc(peer, Rpc(**parts), self.now))

    def graft(self, peer: str, topic: str = T) -> list[Effect]:
        return self.say(peer, graft=(topic,))

    def prune(self, peer: str, topic: str = T, backoff: int | None = None) -> list[Effect]:
        return self.say(peer, prune=(Prune(topic, backoff),))

    def ihave(self, peer: str, *ids: bytes, topic: str = T) -> list[Effect]:
        return self.say(peer, ihave=(IHave(topic, ids),))

    def message(self, peer: str, data: bytes, topic: str = T) -> list[Effect]:
        return self.say(peer, publish=(Message(topic, data),))

    def verdict(self, data: bytes, outcome: Outcome) -> list[Effect]:
        return self._note(self.router.on_verdict(message_id(data), outcome, self.now))

    def deliver(self, peer: str, data: bytes) -> list[Effect]:
        """A valid message from `peer`, all the way."""
        self.message(peer, data)
        return self.verdict(data, Outcome.STORED)

    def beat(self, count: int = 1) -> list[Effect]:
        """The effects of the last heartbeat, of `count`."""
        effects: list[Effect] = []
        for _ in range(count):
            self.now += 1
            effects = self._note(self.router.heartbeat(self.now))
        return effects

    def served(self, peer: str, *ids: bytes) -> list[bytes]:
        """The data that this peer is sent when it asks for these."""
        answers = [effect for effect in self.say(peer, iwant=ids) if isinstance(effect, Serve)]
        assert {answer.peer for answer in answers} <= {peer}
        kept = [self.router.kept(name) for answer in answers for name in answer.ids]
        return [message.data for message in kept if message is not None]

    # -- what came out ----------------------------------------------------------------------------

    def sends(self) -> list[Send]:
        return [e for e in self.effects if isinstance(e, Send)]

    def grafted(self) -> list[str]:
        return [send.peer for send in self.sends() if send.rpc.graft == (T,)]

    def pruned(self) -> list[str]:
        return [s.peer for s in self.sends() if [prune.topic for prune in s.rpc.prune] == [T]]

    def offered(self) -> dict[str, list[bytes]]:
        """Who was offered which IDs."""
        found: dict[str, list[bytes]] = {}
        for send in self.sends():
            for have in send.rpc.ihave:
                assert have.topic == T
                found.setdefault(send.peer, []).extend(have.ids)
        return found

    def asked(self) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for send in self.sends():
            if send.rpc.iwant:
                found.setdefault(send.peer, []).extend(send.rpc.iwant)
        return found


def forwarded(effects: list[Effect]) -> dict[str, list[bytes]]:
    """Who is sent which data."""
    found: dict[str, list[bytes]] = {}
    for effect in effects:
        if isinstance(effect, Forward):
            for peer in effect.peers:
                found.setdefault(peer, []).append(effect.message.data)
    return found


def validations(effects: list[Effect]) -> list[bytes]:
    return [e.message.data for e in effects if isinstance(e, Validate) and not e.is_again]


def disconnected(effects: list[Effect]) -> list[str]:
    return [e.peer for e in effects if isinstance(e, Disconnect)]
