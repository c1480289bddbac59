"""Many gossiping nodes under virtual time: everything reaches everyone, whatever some of them do."""

import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random

import pytest
import trio
from gossip_nodes import Node, a_swarm, some_nodes
from strategies import HOUR, TEST_NETWORK, a_post
from trio.testing import MockClock

from p2pforum.core.post import Post
from p2pforum.gossip.service import GossipService
from p2pforum.ingest import Door
from p2pforum.network.memory_network import MemoryHub
from p2pforum.store.posts import open_store

pytestmark = pytest.mark.slow

BOARDS = ["general", "news", "cats", "code", "music", "books", "garden", "food", "maps", "tools"]


async def until(condition: Callable[[], bool], seconds: float = 30) -> float:
    """Wait in virtual time; the seconds it took. Fails when it does not come true."""
    started = trio.current_time()
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.05)
    return trio.current_time() - started


def some_posts(count: int, name: str = "") -> list[Post]:
    return [a_post(f"{name} {n}", key=n % 7 + 1, board=BOARDS[n % len(BOARDS)]) for n in range(count)]


async def link_up(nodes: list[Node], degree: int, rng: Random) -> None:
    """A connected random graph: each dials some that were there before it."""
    for n, node in enumerate(nodes):
        for other in rng.sample(nodes[:n], min(n, degree)):
            await node.dial(other)


def agree(nodes: list[Node], posts: list[Post]) -> bool:
    wanted = {post.id for post in posts}
    return all(node.held >= wanted for node in nodes)


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(Random(7), latency=(0.005, 0.08))


async def test_every_post_reaches_every_node_quickly_and_with_few_duplicates(
    hub: MemoryHub, autojump_clock: MockClock
) -> None:
    rng = Random(1)
    async with some_nodes(hub, 30) as nodes:
        await link_up(nodes, 4, rng)
        await trio.sleep(3)
        posts = some_posts(50)
        for post in posts:
            await rng.choice(nodes).publish(post)
            await trio.sleep(0.05)
        assert await until(lambda: agree(nodes, posts)) < 3
        totals = [node.service.statistics() for node in nodes]
        assert sum(s.accepted + s.originated for s in totals) == 30 * 50
        assert sum(s.duplicates for s in totals) < 30 * 50 * 6
        assert not any(s.invalid or s.expelled or s.dropped or s.authored for s in totals)
        assert all(view.score >= 0 for node in nodes for view in node.service.peers().values())


async def test_meshes_keep_their_degree_in_a_dense_network(hub: MemoryHub, autojump_clock: MockClock) -> None:
    async with some_nodes(hub, 30) as nodes:
        await link_up(nodes, 15, Random(2))
        await trio.sleep(10)
        for node in nodes:
            assert 4 <= len(node.service._router._mesh.members) <= 12
        before = sum(len(node.service._router._mesh.members) for node in nodes)
        await trio.sleep(120)
        after = sum(len(node.service._router._mesh.members) for node in nodes)
        assert abs(after - before) <= before // 10  # it has come to rest


async def test_mesh_links_are_known_to_both_ends(hub: MemoryHub, autojump_clock: MockClock) -> None:
    async with some_nodes(hub, 20) as nodes:
        await link_up(nodes, 10, Random(3))
        await trio.sleep(200)
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            for peer in node.service._router._mesh.members:
                assert node.name in by_name[peer].service._router._mesh.members


async def test_a_hub_with_more_peers_than_its_mesh_holds_serves_them_all(
    hub: MemoryHub, autojump_clock: MockClock
) -> None:
    async with some_nodes(hub, 31) as (centre, *leaves):
        for leaf in leaves:
            await leaf.dial(centre)
        await trio.sleep(3)
        posts = some_posts(20)
        for n, post in enumerate(posts):
            await leaves[n].publish(post)
        assert await until(lambda: agree([centre, *leaves], posts)) < 6
        assert centre.service.statistics().served > 0  # not all of it was pushed


async def test_a_partition_heals_by_what_peers_offer_each_other(
    hub: MemoryHub, autojump_clock: MockClock
) -> None:
    rng = Random(4)
    async with some_nodes(hub, 16) as nodes:
        left, right = nodes[:8], nodes[8:]
        for half, other in ((left, right), (right, left)):
            await link_up(half, 3, rng)
            await half[0].dial(other[-1])
        await trio.sleep(3)
        hub.partition([[n.name for n in left], [n.name for n in right]])
        lefts, rights = some_posts(40, "left"), some_posts(40, "right")
        for a, b in zip(lefts, rights, strict=True):
            await rng.choice(left).publish(a)
            await rng.choice(right).publish(b)
            await trio.sleep(1)
        await until(lambda: agree(left, lefts) and agree(right, rights))
        assert not any(agree([node], rights) for node in left)
        hub.heal()
        for node in left[:3]:
            await node.dial(rng.choice(right))
        await until(lambda: agree(nodes, [*lefts, *rights]))


async def test_nodes_that_die_and_come_do_not_disturb(hub: MemoryHub, autojump_clock: MockClock) -> None:
    rng = Random(5)
    async with a_swarm(hub) as swarm:
        steady = [await swarm.start(f"steady{n}") for n in range(14)]
        passing = [await swarm.start(f"passing{n}") for n in range(6)]
        await link_up([*steady, *passing], 5, rng)
        await trio.sleep(3)
        posts = some_posts(36)
        late: list[Node] = []
        for n, post in enumerate(posts):
            await rng.choice(steady).publish(post)
            if n % 6 == 0:
                hub.kill(passing[n // 6].name)
                late.append(await swarm.start(f"late{n}"))
                for other in rng.sample(steady, 3):
                    await late[-1].dial(other)
            await trio.sleep(0.3)
        await until(lambda: agree([*steady, *late], posts))


async def test_with_the_real_door_and_store_in_real_time(tmp_path: Path) -> None:
    """The other tests judge posts without a thread and keep them in a dict."""
    hub = MemoryHub(Random(9))
    async with AsyncExitStack() as stack:
        stores = [stack.enter_context(open_store(tmp_path / str(n), TEST_NETWORK)) for n in range(5)]
        networks = [await stack.enter_async_context(hub.network(f"n{n}")) for n in range(5)]
        nursery = await stack.enter_async_context(trio.open_nursery())
        services = []
        for store, network in zip(stores, networks, strict=True):
            door = Door(store, TEST_NETWORK, lambda: HOUR)
            release = partial(trio.to_thread.run_sync, store.release)
            services.append(GossipService(network, door, Random(network.peer_id), release))
            await nursery.start(services[-1].run)
        for one, other in itertools.pairwise(networks):
            await one.dial(other.addresses[0])
        await until(lambda: all(s.statistics().mesh_peers for s in services))
        posts = some_posts(100)
        stores[2].add([(post, False) for post in posts])
        await services[2].originate(stores[2].unreleased())
        ids = [post.id for post in posts]
        await until(lambda: all(len(store.known(ids)) == 100 for store in stores))
        assert stores[2].unreleased() == []
        nursery.cancel_scope.cancel()
