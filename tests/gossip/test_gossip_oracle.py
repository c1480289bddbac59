"""A stranger who asks every node, after a post, what it has: does the one that published it stand out?"""

from random import Random

import pytest

from p2pforum.gossip.effects import Drafts, Effect, Send
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire import Rpc, Subscription
from simulation.swarm import TOPIC, Setting, Swarm

pytestmark = pytest.mark.slow

NODES, POSTS = 30, 15
STRANGER = "stranger"


class LeavingOutOwn(Router):
    """The control: what a node published itself is not among what it offers to those who come."""

    def __init__(self, topic: str, rng: Random) -> None:
        super().__init__(topic, rng)
        self.published: set[bytes] = set()
        greet = self._lazy.greet

        def greet_less(peer: str, now: float, drafts: Drafts) -> None:
            kept = dict(self._cache._kept)
            for name in self.published:
                self._cache._kept.pop(name, None)
            greet(peer, now, drafts)
            self._cache._kept = kept

        self._lazy.greet = greet_less  # type: ignore[method-assign]

    def originate(self, data: bytes, now: float) -> list[Effect]:
        self.published.add(message_id(data))
        return super().originate(data, now)


class LeavingOut(Swarm):
    def _router(self, rng: Random) -> Router:
        return LeavingOutOwn(TOPIC, rng)


def offered(router: Router, now: float) -> set[bytes]:
    """To a stranger who connects now."""
    effects = router.add_peer(STRANGER, now, outbound=False)
    hello = Rpc(subscriptions=(Subscription(TOPIC, subscribe=True),))
    effects += router.on_rpc(STRANGER, hello, now)
    router.remove_peer(STRANGER, now)
    sends = [effect for effect in effects if isinstance(effect, Send)]
    return {name for send in sends for offer in send.rpc.ihave for name in offer.ids}


def standing_out(kind: type[Swarm], *, young: bool, pause: float) -> tuple[int, int]:
    """How many authors are the only one that offers a post, or the only one that does not; of how many.
    `young`: each author has just come back, and has nothing else to offer."""
    swarm = kind(Setting(NODES), Random(5))
    swarm.run(15)
    found = 0
    for author in range(POSTS):
        if young:
            swarm.restart(author)
            swarm.run(swarm.now + 20)
        swarm.post(author, swarm.now, 400)
        swarm.run(swarm.now + 60)
        name = message_id(swarm.posts[-1].message.data)
        has = {v for v in range(NODES) if name in offered(swarm.routers[v], swarm.now)}
        lacks = set(range(NODES)) - has
        found += has == {author} or lacks == {author}
        swarm.run(swarm.now + pause)
    return found, POSTS


def test_who_published_a_post_offers_it_as_all_others_do() -> None:
    for young in (False, True):
        for pause in (1.0, 130.0):  # in a quiet network nothing else is offered
            assert standing_out(Swarm, young=young, pause=pause) == (0, POSTS)
            assert standing_out(LeavingOut, young=young, pause=pause) == (POSTS, POSTS), "the control"
