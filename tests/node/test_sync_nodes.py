"""Nodes with real stores and doors that only sync: cut apart, posting on both sides, and healed."""

import hashlib
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.store.posts import Store, open_store
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService
from p2pforum.sync.terms import Settings

pytestmark = pytest.mark.slow


@dataclass
class Node:
    name: str
    network: MemoryNetwork
    store: Store
    door: Door
    sync: SyncService

    async def dial(self, other: str) -> None:
        await self.network.dial(f"/memory/{other}/p2p/{other}")

    async def receive(self, posts: list[Post]) -> None:
        """As from a part of the network that this test does not have."""
        verdicts = await self.door.ingest([post.raw for post in posts], Origin.GOSSIP)
        assert all(v.outcome is Outcome.STORED for v in verdicts)

    def set_hash(self) -> str:
        """One hash over all that this node shows: board by board, count and digests of hours."""
        total = hashlib.sha256()
        with self.store.snapshot() as snapshot:
            for board, _ in snapshot.boards():
                items = snapshot.items(board)
                total.update(f"{board} {len(items)} {items.cells(0, len(items)).hex()}\n".encode())
        return total.hexdigest()


@asynccontextmanager
async def open_node(hub: MemoryHub, name: str, directory: Path, *, every: float) -> AsyncIterator[Node]:
    with open_store(directory / name, TEST_NETWORK) as store:
        async with hub.network(name) as network, trio.open_nursery() as nursery:
            door = Door(store, TEST_NETWORK, lambda: HOUR)
            sync = SyncService(network, store.snapshot, door, random.Random(name), Clocks(lambda: HOUR))
            sync.settings = Settings(every=every)
            nursery.start_soon(sync.run)
            try:
                yield Node(name, network, store, door, sync)
            finally:
                nursery.cancel_scope.cancel()


def some_posts(name: str, count: int) -> list[Post]:
    """Of two boards that all know and one that only this node has."""
    boards = ["general", "news", f"only-{name}"]
    return [
        a_post(f"{n} at {name}", key=1 + n % 5, board=boards[n % 3], hour=HOUR - n % 50) for n in range(count)
    ]


async def until(done: Callable[[], bool]) -> None:
    with trio.fail_after(60):
        while not done():
            await trio.sleep(0.02)


async def dial_line(nodes: list[Node]) -> None:
    """Each to the next: what one end has takes several sessions to the other."""
    for node, following in itertools.pairwise(nodes):
        await node.dial(following.name)


async def test_six_nodes_cut_in_two_halves_that_both_post_come_to_one_set(tmp_path: Path) -> None:
    hub = MemoryHub(random.Random(1), latency=(0.0, 0.002))
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(open_node(hub, f"node-{n}", tmp_path, every=0.15))
            for n in range(6)
        ]
        halves = nodes[:3], nodes[3:]
        await dial_line(nodes)
        for node in nodes:
            await node.receive(some_posts(node.name, 60))
        await until(lambda: len({node.set_hash() for node in nodes}) == 1)

        hub.partition([[node.name for node in half] for half in halves])
        for half in halves:
            await half[0].receive([a_post(f"{n} apart", board=f"apart-{half[0].name}") for n in range(200)])
            await half[2].receive(
                [a_post(f"{n} away at {half[2].name}", board="general") for n in range(200)]
            )
        for half in halves:
            await until(lambda half=half: len({node.set_hash() for node in half}) == 1)
        assert len({node.set_hash() for node in nodes}) == 2

        hub.heal()
        await nodes[2].dial(nodes[3].name)
        await until(lambda: len({node.set_hash() for node in nodes}) == 1)
        assert nodes[0].store.statistics().posts == 6 * 60 + 4 * 200


async def test_a_node_killed_in_the_middle_of_a_session_loses_nothing_acknowledged(tmp_path: Path) -> None:
    posts = some_posts("rich", 1500)
    hub = MemoryHub(random.Random(2))
    async with open_node(hub, "rich", tmp_path, every=1e9) as rich:
        await rich.receive(posts)
        stored: set[bytes] = set()
        async with open_node(hub, "poor", tmp_path, every=1e9) as poor:
            with _noting(poor, stored):
                await poor.dial("rich")
                await until(lambda: len(stored) > 100)
                hub.kill("poor")
        assert 100 < len(stored) < 1500
        async with open_node(hub, "poor", tmp_path, every=1e9) as poor:
            assert poor.store.known(list(stored)) == stored
            await poor.dial("rich")
            await until(lambda: poor.set_hash() == rich.set_hash())


@contextmanager
def _noting(node: Node, stored: set[bytes]):  # noqa: ANN202
    """Write down what the store said it has kept."""
    add = node.store.add

    def noted(posts: list[tuple[Post, bool]]) -> list[bool]:
        new = add(posts)
        stored.update(post.id for post, _ in posts)
        return new

    node.store.add = noted
    yield
    node.store.add = add
