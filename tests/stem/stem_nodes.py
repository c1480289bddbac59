"""Nodes that hide origins: the real stem, gossip and door on a memory network, under a virtual clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace

import trio
from gossip_nodes import InlineDoor, MemoryStore
from strategies import HOUR, TEST_NETWORK

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.gossip.effects import Effect, Validate
from p2pforum.gossip.service import GossipService
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import StemParams
from p2pforum.stem.router import Fluff, StemRouter
from p2pforum.stem.service import StemService
from p2pforum.stem.wire import ANSWER, FRAME_SIZE, decode_frame

STEM = TEST_NETWORK.stem_protocol


class Stranger:
    """A peer by hand: opens stem streams, and records those opened to it."""

    def __init__(self, network: Network, *, answers: bool = True) -> None:
        self.network = network
        self.frames: list[bytes] = []
        self.answers = answers
        network.set_handler(STEM, self._listen)

    async def _listen(self, peer: PeerID, stream: trio.abc.HalfCloseableStream) -> None:
        frame = b""
        while len(frame) < FRAME_SIZE:
            frame += await stream.receive_some()
        if not self.answers:
            raise RemoteProtocolError("no answer")
        await stream.send_all(ANSWER)
        while chunk := await stream.receive_some():
            frame += chunk
        self.frames.append(frame)

    async def say(self, peer: str, frame: bytes) -> tuple[bytes, float]:
        """All that is answered until the stream ends, and after how many seconds it came."""
        start = trio.current_time()
        stream = await self.network.open_stream(PeerID(peer), STEM)
        await stream.send_all(frame)
        await stream.send_eof()
        answer, took = b"", 0.0
        while chunk := await stream.receive_some():
            answer += chunk
            took = trio.current_time() - start
        return answer, took


@dataclass(eq=False)
class StemNode:
    name: str
    network: Network
    store: MemoryStore
    gossip: GossipService
    stem: StemService
    saved: list[str]
    fluffed: list[bytes]

    @property
    def public(self) -> set[bytes]:
        return {name for name, released in self.store.posts.items() if released}

    async def publish(self, post: Post) -> None:
        """As `Node.submit`, with origin hiding."""
        await self.stem._door.ingest([post.raw], Origin.LOCAL)
        self.stem.originate([post.raw])

    async def publish_openly(self, post: Post) -> None:
        """The control: as without a stem."""
        await self.stem._door.ingest([post.raw], Origin.LOCAL)
        await self.gossip.originate([post.raw])

    async def dial(self, other: "StemNode") -> None:
        await self.network.dial(other.network.addresses[0])

    def spy(self, seen: dict[bytes, str]) -> None:
        """Write down who brings each raw post first to any spy, by whichever way; else behave."""
        perform, take = self.gossip._perform, self.stem._take

        def noting_perform(effects: Sequence[Effect]) -> None:
            effects = list(effects)
            for effect in effects:
                if isinstance(effect, Validate):
                    seen.setdefault(effect.message.data, effect.peer)
            perform(effects)

        async def noting_take(peer: PeerID, frame: bytes) -> None:
            if raw := decode_frame(frame):
                seen.setdefault(raw, peer)
            await take(peer, frame)

        self.gossip._perform = noting_perform
        self.stem._take = noting_take


@asynccontextmanager
async def a_stem_node(
    hub: MemoryHub, name: str, *, params: StemParams | None = None, guards: Guards | None = None
) -> AsyncIterator[StemNode]:
    async with hub.network(name) as network, stem_node_on(network, name, params, guards) as node:
        yield node


@asynccontextmanager
async def stem_node_on(
    network: Network, name: str, params: StemParams | None = None, guards: Guards | None = None
) -> AsyncIterator[StemNode]:
    """On a network that has just started."""
    async with trio.open_nursery() as nursery:
        store, saved, fluffed = MemoryStore(), list[str](), list[bytes]()

        async def release(ids: Sequence[bytes]) -> None:
            await trio.lowlevel.checkpoint()
            store.release(ids)

        async def public(ids: Sequence[bytes]) -> set[bytes]:
            await trio.lowlevel.checkpoint()
            return store.known(ids)

        async def fluff(fluffs: Sequence[Fluff]) -> None:
            """As `StemPublication.fluff`."""
            fluffed.extend(fluff.post_id for fluff in fluffs)
            await gossip.originate([fluff.raw for fluff in fluffs])

        async def save(text: str) -> None:
            await trio.lowlevel.checkpoint()
            saved.append(text)

        door = InlineDoor(store, TEST_NETWORK, lambda: HOUR)
        gossip = GossipService(network, door, Random(name), release)
        router = StemRouter(Random(f"{name} stem"), guards or Guards(), trio.current_time(), params)
        publication = SimpleNamespace(public=public, fluff=fluff, handed=lambda *_: None)
        stem = StemService(network, door, router, publication, save)
        await nursery.start(gossip.run)
        await nursery.start(stem.run)
        yield StemNode(name, network, store, gossip, stem, saved, fluffed)
        nursery.cancel_scope.cancel()
