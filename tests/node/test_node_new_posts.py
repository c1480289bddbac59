"""Which posts a node tells its front ends of: those that become public here, each once, and no others."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import trio
from gossip_nodes import a_probe
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.api.new_posts import Listener
from p2pforum.config import Config
from p2pforum.core.errors import StoreError
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.node import Node
from p2pforum.stem.router import Fluff
from p2pforum.store.posts import Store, open_store

CONFIG = Config(network=TEST_NETWORK.name, retention_days=7, hold_minutes=0)
PUBLIC = (Origin.GOSSIP, Origin.SYNC, Origin.BUNDLE)
KEPT = (Origin.LOCAL, Origin.STEM)


def made(name: str) -> Post:
    return a_post(name, hour=HOUR, params=TEST_NETWORK)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data", TEST_NETWORK) as opened:
        yield opened


class House:
    def __init__(self, hub: MemoryHub, network: MemoryNetwork, node: Node) -> None:
        self.hub = hub
        self.network = network
        self.node = node


@pytest.fixture
async def house(store: Store, nursery: trio.Nursery) -> AsyncIterator[House]:
    hub = MemoryHub(Random(1))
    async with hub.network("node") as network:
        node = Node(CONFIG, store, network, Random(2))
        await nursery.start(node.run)
        yield House(hub, network, node)


@pytest.fixture
def node(house: House) -> Node:
    return house.node


async def heard(listener: Listener) -> list[bytes]:
    """What it has been told by now; [] if nothing."""
    with trio.move_on_after(0):
        return await listener.next()
    return []


@pytest.mark.parametrize("origin", PUBLIC)
async def test_what_comes_public_is_told_once(node: Node, origin: Origin) -> None:
    posts = [made("one"), made("two")]
    with node.desk.new_posts.listen() as listener:
        await listener.next()
        await node.door.ingest([post.raw for post in posts], origin)
        assert sorted(await listener.next()) == sorted(post.id for post in posts)
        for again in PUBLIC:
            await node.door.ingest([posts[0].raw, b"no post"], again)
        assert await heard(listener) == []


@pytest.mark.parametrize("origin", KEPT)
@pytest.mark.parametrize("public", PUBLIC)
async def test_what_is_kept_is_told_when_it_is_heard_back(node: Node, origin: Origin, public: Origin) -> None:
    post = made("kept")
    with node.desk.new_posts.listen() as listener:
        await listener.next()
        await node.door.ingest([post.raw], origin)
        assert await heard(listener) == [], "it may be anybody's"
        await node.door.ingest([post.raw], public)
        assert await listener.next() == [post.id]


@pytest.mark.parametrize("origin", KEPT)
async def test_what_is_kept_is_told_when_it_is_released(house: House, origin: Origin) -> None:
    """And not while no peer would take it, nor what was public before."""
    node, post, other = house.node, made("kept"), made("public")
    fluffs = [Fluff(p.id, p.raw, own=origin is Origin.LOCAL) for p in (post, other)]
    await node.door.ingest([other.raw], Origin.GOSSIP)
    with node.desk.new_posts.listen() as listener:
        await listener.next()
        await node.door.ingest([post.raw], origin)
        await node.after_stem.fluff(fluffs)
        assert await heard(listener) == []
        async with a_probe(house.hub, "peer") as probe:
            node.clocks.note("peer", HOUR, dialled=False)  # or an own post would have to wait
            await probe.join(house)
            await node.gossip.wait_for_taker()
            await node.after_stem.fluff(fluffs)
        assert await listener.next() == [post.id]
        await node.after_stem.fluff(fluffs)
        assert await heard(listener) == []


async def test_a_post_that_is_told_is_there_to_read(node: Node, store: Store) -> None:
    """Or the front end would look too early, and miss it."""
    posts = [made(str(n)) for n in range(20)]

    async with trio.open_nursery() as nursery:
        with node.desk.new_posts.listen() as listener:
            await listener.next()
            for post in posts:
                nursery.start_soon(node.door.ingest, [post.raw], Origin.GOSSIP)
            left = {post.id for post in posts}
            with trio.fail_after(20):
                while left:
                    told = set(await listener.next())
                    assert told <= left, "each once"
                    assert store.known(told) == told
                    left -= told


async def test_what_could_not_be_kept_is_not_told(
    node: Node, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = made("one")

    def full(*_: object) -> list[bool]:
        raise StoreError("the disk is full")

    with node.desk.new_posts.listen() as listener, monkeypatch.context() as patch:
        await listener.next()
        patch.setattr(store, "add", full)
        with pytest.raises(StoreError):
            await node.door.ingest([post.raw], Origin.GOSSIP)
        assert await heard(listener) == []


async def test_what_was_kept_is_told_though_no_room_could_be_made(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = made("one")

    def fails() -> None:
        raise StoreError("the disk is full")

    with node.desk.new_posts.listen() as listener, monkeypatch.context() as patch:
        await listener.next()
        patch.setattr(node.keeping, "make_room", fails)
        with suppress(StoreError):
            await node.door.ingest([post.raw], Origin.GOSSIP)
        assert await listener.next() == [post.id]


async def test_a_caller_that_gives_up_takes_nothing_along(node: Node) -> None:
    post = made("one")
    with node.desk.new_posts.listen() as listener:
        await listener.next()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.door.ingest, [post.raw], Origin.GOSSIP)
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        is_kept = bool(node.store.known([post.id]))
        assert await heard(listener) == ([post.id] if is_kept else [])


async def test_while_nobody_listens_nothing_is_held(node: Node) -> None:
    await node.door.ingest([made("one").raw], Origin.GOSSIP)
    assert vars(node.desk.new_posts) == {"_listeners": set()}
