"""Honest nodes that gossip while others attack them, under virtual time; what it costs them is counted."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import trio
from attackers import Attack
from gossip_nodes import InlineDoor, Node, Probe, Swarm, a_probe, a_swarm
from strategies import TEST_NETWORK, a_post

from p2pforum.core.errors import NetworkError
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.gossip.effects import Effect
from p2pforum.gossip.params import GossipParams, ScoreParams
from p2pforum.gossip.router import Router
from p2pforum.gossip.service import PROTOCOL
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import Rpc, Subscription, encode_rpc
from p2pforum.ingest import Verdict
from p2pforum.network.memory_network import MemoryHub

BOARDS = ["general", "news", "cats", "code", "music", "books", "garden", "food", "maps", "tools"]
HELLO = Rpc(subscriptions=(Subscription(TEST_NETWORK.topic, True),))
IN_TIME = 5.0  # seconds for a post to be everywhere: pushed in half a second, offered and asked for in a few


def some_posts(count: int) -> list[Post]:
    return [a_post(f"{n}", key=n % 7 + 1, board=BOARDS[n % len(BOARDS)]) for n in range(count)]


class CountingRouter(Router):
    """How much of what it is told it has to look at."""

    def __init__(
        self, name: str, gossip: GossipParams | None = None, scoring: ScoreParams | None = None
    ) -> None:
        super().__init__(TEST_NETWORK.topic, Random(name), gossip, scoring)
        self.read: Counter[str] = Counter()

    def on_rpc(self, peer: str, rpc: Rpc, now: float) -> list[Effect]:
        self.read[peer] += not self._scores.is_banned(peer, now)
        return super().on_rpc(peer, rpc, now)


MakeRouter = Callable[[str], Router]


def make_busy(node: Node, door: type[InlineDoor], seconds: float) -> None:
    """Its door takes so much (virtual) time for each post, as a real one does."""

    class Busy(door):
        async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
            await trio.sleep(seconds * len(raws))
            return await super().ingest(raws, origin)

    node.service._door = node.door = Busy(node.store, TEST_NETWORK, node.door.now)


@dataclass(eq=False)
class Siege:
    swarm: Swarm
    nursery: trio.Nursery
    nodes: list[Node]
    rng: Random
    probes: list[Probe] = field(default_factory=list)
    published: int = 0
    size: int = 0  #: bytes of what was published
    names: int = 0  #: of attackers who change them
    is_over: bool = False  #: they stop
    arrived: int = 0  #: in time; each post at each node counts

    # -- what honest nodes do ------------------------------------------------------------------------------

    async def dial(self, degree: int) -> None:
        """Each dials some that were there before it."""
        for n, node in enumerate(self.nodes):
            for other in self.rng.sample(self.nodes[:n], min(n, degree)):
                await node.dial(other)

    async def publish(self, posts: Sequence[Post], pause: float) -> None:
        async with trio.open_nursery() as nursery:
            for post in posts:
                await self.rng.choice(self.nodes).publish(post)
                self.published += 1
                self.size += len(post.raw)
                nursery.start_soon(self._see_arrive, post)
                await trio.sleep(pause)

    async def _see_arrive(self, post: Post) -> None:
        await trio.sleep(IN_TIME)
        self.arrived += sum(post.id in node.held for node in self.nodes)

    # -- what others do to them ----------------------------------------------------------------------------

    async def attack(self, attack: Attack, period: float = 0.1) -> None:
        """One more attacker, with a connection to every node; it comes back when it is dropped."""
        probe = await self.swarm.start_probe(f"attacker{len(self.probes)}")
        self.probes.append(probe)
        for node in self.nodes:
            self.nursery.start_soon(self._go_on, probe, node, attack, period)

    async def _go_on(self, probe: Probe, node: Node, attack: Attack, period: float) -> None:
        n = 0
        while True:
            with contextlib.suppress(NetworkError, trio.BrokenResourceError, trio.ClosedResourceError):
                peer = await probe.network.dial(node.network.addresses[0])
                stream = await probe.network.open_stream(peer, PROTOCOL)
                await stream.send_all(frame(encode_rpc(HELLO)))
                while True:
                    n += 1
                    if rpc := attack(probe, n):
                        await stream.send_all(frame(encode_rpc(rpc)))
                    await trio.sleep(period)
            await trio.sleep(1)

    async def flood(self, attack: Attack, *nodes: Node) -> None:
        """One more attacker without limits: it sends as fast as it is read, and is back under another name
        as soon as it was thrown out."""
        for node in nodes or self.nodes:
            self.nursery.start_soon(self._flood, node, attack)

    async def _flood(self, node: Node, attack: Attack) -> None:
        n = 0
        while not self.is_over:
            self.names += 1
            async with a_probe(self.swarm._hub, f"flooder{self.names}") as probe:
                with contextlib.suppress(NetworkError, trio.BrokenResourceError, trio.ClosedResourceError):
                    await probe.join(node)
                    while not self.is_over:
                        n += 1
                        if rpc := attack(probe, n):
                            await probe.send(frame(encode_rpc(rpc)))
                        else:
                            await trio.sleep(0.05)
            await trio.sleep(0.05)  # to connect

    # -- what came of it -----------------------------------------------------------------------------------

    @property
    def links(self) -> int:
        return len(self.probes) * len(self.nodes)

    @property
    def delivered(self) -> float:
        return self.arrived / (self.published * len(self.nodes))

    @property
    def judged(self) -> int:
        """Posts that the doors looked at, beyond the honest ones."""
        return sum(node.door.judged for node in self.nodes) - self.published * (len(self.nodes) - 1)

    @property
    def read(self) -> int:
        """RPCs of attackers that were not left unread."""
        names = {probe.network.peer_id for probe in self.probes}
        return sum(node.service._router.read[name] for node in self.nodes for name in names)

    @property
    def asked(self) -> int:
        return sum(node.service.statistics().asked for node in self.nodes)

    @property
    def sent(self) -> int:
        """Bytes that attackers got."""
        return sum(len(probe.raw) for probe in self.probes)

    @property
    def blames_honest(self) -> bool:
        """Whether an honest node has a bad opinion of another one."""
        names = {node.name for node in self.nodes}
        views = (view for node in self.nodes for view in node.service.peers().items())
        return any(view.score < 0 for peer, view in views if peer in names)

    @property
    def honest_members(self) -> float:
        """How many honest peers are in a mesh, on average."""
        names = {node.name for node in self.nodes}
        meshes = [n.service._router._mesh.members for n in self.nodes]
        return sum(len(names & mesh.keys()) for mesh in meshes) / len(meshes)


@asynccontextmanager
async def besieged(
    count: int, make_router: MakeRouter = CountingRouter, *, dials: int = 3
) -> AsyncIterator[Siege]:
    async with a_swarm(MemoryHub(Random(2), latency=(0.005, 0.08))) as swarm, trio.open_nursery() as nursery:
        siege = Siege(swarm, nursery, [await swarm.start(f"n{n}") for n in range(count)], Random(1))
        for node in siege.nodes:
            node.service._router = node.service._sender._router = make_router(node.name)
        await siege.dial(dials)
        await trio.sleep(3)
        yield siege
        nursery.cancel_scope.cancel()
