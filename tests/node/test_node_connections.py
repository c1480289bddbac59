"""A whole node and its neighbours: whom it leaves alone, and what it tells its front ends of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import trio
from strategies import TEST_NETWORK

from p2pforum.config import Config
from p2pforum.gossip.service import PROTOCOL
from p2pforum.network.interface import Network
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node
from p2pforum.store.posts import open_store

CONFIG = Config(network=TEST_NETWORK.name, peers=("/memory/bob/p2p/bob",))


async def until(condition: Callable[[], object]) -> None:
    """In real time: the store works in threads. The bound is for a failing test only."""
    with trio.fail_after(20):
        while not condition():
            await trio.sleep(0.01)


@asynccontextmanager
async def a_node(hub: MemoryHub, directory: Path) -> AsyncIterator[Node]:
    with open_store(directory, TEST_NETWORK) as store:
        async with hub.network("node") as network, trio.open_nursery() as nursery:
            node = Node(CONFIG, store, network, Random(2))
            await nursery.start(node.run)
            yield node
            nursery.cancel_scope.cancel()


def is_left_alone(node: Node) -> bool:
    return any("broke the rules" in (row["error"] or "") for row in node.desk.peers())


async def breaks_gossip(bob: Network) -> None:
    await until(bob.connections)
    stream = await bob.open_stream(bob.connections()[0].peer, PROTOCOL)
    await stream.send_all(b"\xff" * 100)


async def test_who_broke_gossip_is_not_dialled_again_though_it_is_named(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("bob") as bob, a_node(hub, tmp_path) as node:
        await breaks_gossip(bob)
        await until(lambda: is_left_alone(node))
        assert node.desk.status()["peers"] == 0


async def test_who_broke_sync_is_not_dialled_again_though_it_is_named(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("bob") as bob, a_node(hub, tmp_path) as node:
        await until(bob.connections)
        stream = await bob.open_stream(bob.connections()[0].peer, TEST_NETWORK.sync_protocol)
        await stream.send_all(b"\xff" * 100)
        await until(lambda: is_left_alone(node))


async def test_peers_say_whether_they_were_named(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("bob"), hub.network("carol") as carol, a_node(hub, tmp_path) as node:
        await carol.dial("/memory/node/p2p/node")
        await until(lambda: node.desk.status()["peers"] == 2)
        assert {row["peer"]: row["named"] for row in node.desk.peers()} == {"bob": True, "carol": False}
        assert node.desk.status()["book"] == {"new": 0, "tried": 0, "outbound": 1, "wanted": 8}
