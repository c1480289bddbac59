"""Nodes that only sync: the real service and the real door, over an in-process network."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from memory_posts import MemoryPosts
from strategies import HOUR, TEST_NETWORK

from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.ingest import Door, Verdict
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService


class CountingDoor(Door):
    """Remembers how many posts came in by sync, wanted or not."""

    came = 0

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        self.came += len(raws)
        return await super().ingest(raws, origin)


@dataclass
class SyncNode:
    name: str
    network: MemoryNetwork
    store: MemoryPosts
    door: CountingDoor
    sync: SyncService

    @property
    def ids(self) -> set[bytes]:
        return set(self.store.posts)

    async def dial(self, other: "SyncNode") -> PeerID:
        return await self.network.dial(f"/memory/{other.name}/p2p/{other.name}")


@asynccontextmanager
async def sync_node(
    hub: MemoryHub, name: str, posts: Iterable[Post] = (), store: MemoryPosts | None = None
) -> AsyncIterator[SyncNode]:
    async with hub.network(name) as network:
        store = store or MemoryPosts(posts)
        door = CountingDoor(store, TEST_NETWORK, lambda: HOUR)
        rng = random.Random(name)
        service = SyncService(network, store.snapshot, door, rng, Clocks(lambda: HOUR))
        yield SyncNode(name, network, store, door, service)


@asynccontextmanager
async def two_nodes(
    left: Iterable[Post], right: Iterable[Post], *, buffer: int = 64 * 1024
) -> AsyncIterator[tuple[SyncNode, SyncNode]]:
    """The first has dialled the second."""
    hub = MemoryHub(random.Random(1), buffer=buffer)
    async with sync_node(hub, "left", left) as a, sync_node(hub, "right", right) as b:
        await a.dial(b)
        yield a, b
