"""Gossiping nodes on a memory network, with the real door, and a peer made by hand that does as told."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import trio
from strategies import HOUR, TEST_NETWORK

from p2pforum.core.errors import StoreError
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.gossip.service import PROTOCOL, GossipService
from p2pforum.gossip.wire.framing import FrameSplitter, frame
from p2pforum.gossip.wire.rpc import Message, Rpc, Subscription, decode_rpc, encode_rpc
from p2pforum.ingest import Door, Verdict
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.memory_network import MemoryHub


def as_message(post: Post) -> Message:
    return Message(TEST_NETWORK.topic, post.raw)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait in virtual time; fails when it does not come true."""
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.01)


class MemoryStore:
    """A PostStore in a dict. test_gossip_store holds it against the real one."""

    def __init__(self) -> None:
        self.posts: dict[bytes, bool] = {}  # ID -> released
        self.is_broken = False

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        return set()

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        return {i for i in ids if self.posts.get(i)}

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        if self.is_broken:
            raise StoreError("the disk is full")
        return [self._add(post.id, released) for post, released in posts]

    def _add(self, name: bytes, released: bool) -> bool:
        is_new = name not in self.posts or (released and not self.posts[name])
        self.posts[name] = self.posts.get(name, False) or released
        return is_new

    def release(self, ids: Sequence[bytes]) -> None:
        if self.is_broken:
            raise StoreError("the disk is full")
        for name in ids:
            if name in self.posts:
                self.posts[name] = True


class InlineDoor(Door):
    """The door without its thread: a virtual clock jumps while a thread works. It counts what it judges."""

    judged = 0

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        await trio.lowlevel.checkpoint()
        self.judged += len(raws)
        return self.ingest_now(raws, origin)


@dataclass(eq=False)
class Node:
    name: str
    network: Network
    store: MemoryStore
    door: InlineDoor
    service: GossipService

    @property
    def held(self) -> set[bytes]:
        """What this node may show to others."""
        return {name for name, released in self.store.posts.items() if released}

    async def publish(self, *posts: Post) -> None:
        self.store.add([(post, False) for post in posts])
        await self.service.originate([post.raw for post in posts])

    async def dial(self, other: "Node") -> None:
        await self.network.dial(other.network.addresses[0])


@asynccontextmanager
async def a_node(hub: MemoryHub, name: str) -> AsyncIterator[Node]:
    async with hub.network(name) as network, trio.open_nursery() as nursery:
        store = MemoryStore()

        async def release(ids: Sequence[bytes]) -> None:
            await trio.lowlevel.checkpoint()
            store.release(ids)

        door = InlineDoor(store, TEST_NETWORK, lambda: HOUR)
        service = GossipService(network, door, Random(name), release)
        await nursery.start(service.run)
        yield Node(name, network, store, door, service)
        nursery.cancel_scope.cancel()


class Swarm:
    """Nodes in one nursery; each lives as long as it."""

    def __init__(self, hub: MemoryHub, nursery: trio.Nursery) -> None:
        self._hub = hub
        self._nursery = nursery

    async def start(self, name: str) -> Node:
        return await self._nursery.start(self._live, name)

    async def _live(self, name: str, task_status: trio.TaskStatus[Node]) -> None:
        async with a_node(self._hub, name) as node:
            task_status.started(node)
            await trio.sleep_forever()

    async def start_probe(self, name: str) -> "Probe":
        return await self._nursery.start(self._live_probe, name)

    async def _live_probe(self, name: str, task_status: trio.TaskStatus["Probe"]) -> None:
        async with a_probe(self._hub, name) as probe:
            task_status.started(probe)
            await trio.sleep_forever()


@asynccontextmanager
async def a_swarm(hub: MemoryHub) -> AsyncIterator[Swarm]:
    async with trio.open_nursery() as nursery:
        yield Swarm(hub, nursery)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def some_nodes(hub: MemoryHub, count: int) -> AsyncIterator[list[Node]]:
    async with a_swarm(hub) as swarm:
        yield [await swarm.start(f"n{n}") for n in range(count)]


class Probe:
    """A peer by hand. `heard` is every RPC the node sent it, on however many streams."""

    def __init__(self, network: Network, nursery: trio.Nursery) -> None:
        self.network = network
        self.heard: list[Rpc] = []
        self.raw = b""
        self.reads = True
        self.stream: trio.abc.Stream | None = None
        self.inbound = 0
        network.set_handler(PROTOCOL, self._listen)

    async def _listen(self, peer: PeerID, stream: trio.abc.Stream) -> None:
        self.inbound += 1
        splitter = FrameSplitter()
        while not self.reads:
            await trio.sleep(1)
        while chunk := await stream.receive_some():
            self.raw += chunk
            self.heard += map(decode_rpc, splitter.feed(chunk))

    async def join(self, node: Node, topic: str = TEST_NETWORK.topic) -> None:
        await self.join_at(node.network.addresses[0], topic)

    async def join_at(self, address: str, topic: str = TEST_NETWORK.topic) -> None:
        peer = await self.network.dial(address)
        self.stream = await self.network.open_stream(peer, PROTOCOL)
        await self.say(subscriptions=(Subscription(topic, True),))

    async def say(self, **parts: object) -> None:
        await self.send(frame(encode_rpc(Rpc(**parts))))

    async def send(self, data: bytes) -> None:
        assert self.stream is not None
        await self.stream.send_all(data)

    @property
    def is_connected(self) -> bool:
        return bool(self.network.connections())

    def posts(self) -> list[bytes]:
        return [message.data for rpc in self.heard for message in rpc.publish]


@asynccontextmanager
async def a_probe(hub: MemoryHub, name: str) -> AsyncIterator[Probe]:
    async with hub.network(name) as network, trio.open_nursery() as nursery:
        yield Probe(network, nursery)
        nursery.cancel_scope.cancel()
