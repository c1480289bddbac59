"""`python -m simulation.oracle`: an attacker asks every node, after a post, which posts it has. Does the node
stand out that published it? Ends with 1 if a bound breaks.

The node's own routers. In the control a node leaves out its own posts when it offers posts to a peer that
connects, as this program once did.
"""

import argparse
import sys
from collections.abc import Sequence
from random import Random
from typing import Any

from p2pforum.gossip.effects import ControlBatch, Effect, Send
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.rpc import Rpc, Subscription
from simulation.swarm import TOPIC, Setting, Swarm

NODES, POSTS = 30, 15
PAUSES = (1.0, 130.0)  # seconds between two posts: in a quiet network nothing else is offered
STRANGER = "stranger"
SMALLEST = "--nodes 12 --posts 3"


class LeavingOutOwn(Router):
    """The control: a node does not offer the posts that it published itself to peers that connect."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.published: set[bytes] = set()
        greet = self._lazy.greet

        def greet_less(peer: str, now: float, drafts: ControlBatch) -> None:
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
    """The IDs of the messages that the node offers to a stranger who connects now."""
    effects = router.add_peer(STRANGER, now, outbound=False)
    hello = Rpc(subscriptions=(Subscription(TOPIC, subscribe=True),))
    effects += router.on_rpc(STRANGER, hello, now)
    router.remove_peer(STRANGER, now)
    sends = [effect for effect in effects if isinstance(effect, Send)]
    return {name for send in sends for offer in send.rpc.ihave for name in offer.ids}


def standing_out(
    kind: type[Swarm], *, young: bool, pause: float, nodes: int = NODES, posts: int = POSTS
) -> int:
    """How many authors are the only one that offers a post, or the only one that does not. `young`: each
    author has just come back, and has nothing else to offer.
    """
    swarm = kind(Setting(nodes), Random(5))
    swarm.run(15)
    found = 0
    for author in range(posts):
        if young:
            swarm.restart(author)
            swarm.run(swarm.now + 20)
        swarm.post(author, swarm.now, 400)
        swarm.run(swarm.now + 60)
        name = message_id(swarm.posts[-1].message.data)
        has = {v for v in range(nodes) if name in offered(swarm.routers[v], swarm.now)}
        lacks = set(range(nodes)) - has
        found += has == {author} or lacks == {author}
        swarm.run(swarm.now + pause)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how many authors stand out, with the node's router and in the control. Returns 1
    if a bound breaks.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--posts", type=int, default=POSTS)
    options = parser.parse_args(arguments)
    broken = []
    for young in (False, True):
        for pause in PAUSES:
            ours, control = (
                standing_out(kind, young=young, pause=pause, nodes=options.nodes, posts=options.posts)
                for kind in (Swarm, LeavingOut)
            )
            name = f"{'just back' if young else 'long there'}, a post in {60 + pause:.0f} s"
            print(
                f"{name:<28} named {ours} of {options.posts}, own posts left out (control) {control}",
                flush=True,
            )
            if ours:
                broken.append(f"{name}: {ours} stand out")
            if control < options.posts:
                broken.append(f"{name}: in the control {control} only")
    print("\n".join(broken) or "All bounds hold, and the control breaks them.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
