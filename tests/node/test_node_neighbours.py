"""A whole node and its neighbours: whom it leaves alone, and what it tells its front ends of them."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import trio
from strategies import TEST_NETWORK

from p2pforum.config import Config
from p2pforum.gossip.service import PROTOCOL
from p2pforum.network.interface import Network, PeerConnected
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node, now_hours
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.guards import Guard, Guards
from p2pforum.store.peer_book import load_book, save_book
from p2pforum.store.posts import open_store

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
from peers_tools import a_book, a_peer, an_address, tried

ALONE = Config(network=TEST_NETWORK.name)
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
    return any("broke the rules" in row.get("error", "") for row in node.peers())


async def breaks_gossip(bob: Network) -> None:
    await until(bob.connections)
    stream = await bob.open_stream(bob.connections()[0].peer, PROTOCOL)
    await stream.send_all(b"\xff" * 100)


async def test_who_broke_gossip_is_not_dialled_again_though_it_is_named(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("bob") as bob, a_node(hub, tmp_path) as node:
        await breaks_gossip(bob)
        await until(lambda: is_left_alone(node))
        assert node.status()["peers"] == 0


async def test_who_broke_sync_is_not_dialled_again_though_it_is_named(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("bob") as bob, a_node(hub, tmp_path) as node:
        await until(bob.connections)
        node.sync_service.standing.ban("bob")  # what tests/sync shows of a broken rule
        await bob.disconnect(bob.connections()[0].peer)
        await until(lambda: is_left_alone(node))


async def test_a_guard_is_dialled_first_after_a_restart(tmp_path: Path) -> None:
    """Out of thirty that the book knows; nobody names it."""
    hub, guard = MemoryHub(Random(1)), Guard(a_peer(17), "", now_hours() + 1_000)
    async with AsyncExitStack() as stack:
        for number in range(30):
            at = an_address(number).rpartition("/p2p/")[0]
            await stack.enter_async_context(hub.network(a_peer(number), at=at))
        with open_store(tmp_path, TEST_NETWORK) as store:
            book = a_book(secret=load_book(store)[0])
            tried(book, *range(30), hour=now_hours())
            save_book(store, book.take_changes().rows, [])
            GuardFile(tmp_path).save(Guards(kept=[guard]).encode())
            async with hub.network("node") as network, trio.open_nursery() as nursery:
                events = network.watch()
                await nursery.start(Node(ALONE, store, network, Random(2), tmp_path).run)
                with trio.fail_after(20):
                    event = await events.receive()
                assert isinstance(event, PeerConnected)
                assert event.connection.peer == guard.peer
                nursery.cancel_scope.cancel()


async def test_peers_say_whether_they_were_named(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("bob"), hub.network("carol") as carol, a_node(hub, tmp_path) as node:
        await carol.dial("/memory/node/p2p/node")
        await until(lambda: node.status()["peers"] == 2)
        assert {row["peer"]: row["named"] for row in node.peers()} == {"bob": True, "carol": False}
        assert node.status()["book"] == {"new": 0, "tried": 0, "outbound": 1, "wanted": 8}
