"""A whole node and its guards: whom it dials for a post, and when."""

from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest
import trio
from peers_tools import a_book, a_peer, an_address, tried
from strategies import TEST_NETWORK, a_post

from p2pforum.config import Config
from p2pforum.core.post import Post
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.node import Node, now_hours
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.guards import Guard
from p2pforum.stem.wire import ANSWER, decode_frame, size_of
from p2pforum.store.peer_book import load_book, save_book
from p2pforum.store.posts import open_store

ALONE = Config(network=TEST_NETWORK.name, announce=())


def taking(network: MemoryNetwork, into: list[tuple[str, bytes]]) -> None:
    """Takes stem frames, and passes none on."""

    async def take(_peer: PeerID, stream: trio.abc.Stream) -> None:
        frame = bytes(await stream.receive_some())
        while len(frame) < size_of(frame[0]):
            frame += await stream.receive_some()
        await stream.send_all(ANSWER)
        if raw := decode_frame(frame):
            into.append((network.peer_id, raw))

    network.set_handler(TEST_NETWORK.stem_protocol, take)


class World:
    """Thirty nodes that a new node knows, and a few that only its guards' file names."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.hub = MemoryHub(Random(1))
        self.frames: list[tuple[str, bytes]] = []
        self._stack = stack

    async def start(self, *numbers: int) -> None:
        for number in numbers:
            at = an_address(number).rpartition("/p2p/")[0]
            taking(
                await self._stack.enter_async_context(self.hub.network(a_peer(number), at=at)), self.frames
            )


def posts_of(*keys: int) -> list[Post]:
    hour = now_hours()
    return [a_post(f"Of key {key}.", key=key, hour=hour, params=TEST_NETWORK) for key in keys]


async def until(condition: object, seconds: float = 30) -> None:
    """In real time: the store works in threads. The bound is for a failing test only."""
    assert callable(condition)
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.01)


@pytest.mark.slow
async def test_a_guard_of_before_the_restart_is_dialled_when_a_key_of_its_slot_posts_and_not_before(
    tmp_path: Path,
) -> None:
    """At the address of the guards' file alone; the others of the file are dialled for other slots only."""
    async with AsyncExitStack() as stack:
        world = World(stack)
        await world.start(1, *range(30, 62))
        kept = GuardFile(tmp_path).read()
        kept.since = now_hours() - 100
        for slot in range(16):
            for number, is_first in ((30 + slot, True), (46 + slot, False)):
                until_hour = now_hours() + 1_000
                place = a_peer(number), an_address(number), f"{number}"
                kept.kept.append(Guard(slot, *place, until_hour, is_first))
        GuardFile(tmp_path).save(kept.encode())
        file = (tmp_path / "guards.json").read_bytes()
        one, two = (
            next(post for key in range(1, 200) for post in posts_of(key) if kept.slot_of(post.author) == slot)
            for slot in (3, 9)
        )
        with open_store(tmp_path, TEST_NETWORK) as store:
            book = a_book(secret=load_book(store)[0])
            tried(book, 1, hour=now_hours())
            save_book(store, book.take_changes().rows, [])
            async with world.hub.network("node") as network, trio.open_nursery() as nursery:
                node = Node(ALONE, store, network, Random(2), tmp_path)
                await nursery.start(node.run)
                await until(network.connections)
                await trio.sleep(2.5)
                assert {c.peer for c in network.connections()} == {a_peer(1)}, "no post, no guard"
                await node.desk.submit(one.raw)
                await node.desk.submit(two.raw)
                await until(lambda: len(world.frames) == 2)
                assert sorted(world.frames) == sorted([(a_peer(33), one.raw), (a_peer(39), two.raw)])
                assert {c.peer for c in network.connections()} == {a_peer(1), a_peer(33), a_peer(39)}
                nursery.cancel_scope.cancel()
        assert (tmp_path / "guards.json").read_bytes() == file, "nothing is written because of a post"


async def test_without_guards_one_is_drawn_from_the_book_for_a_post(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        world = World(stack)
        await world.start(*range(30))
        with open_store(tmp_path, TEST_NETWORK) as store:
            book = a_book(secret=load_book(store)[0])
            tried(book, *range(30), hour=now_hours())
            save_book(store, book.take_changes().rows, [])
            async with world.hub.network("node") as network, trio.open_nursery() as nursery:
                node = Node(ALONE, store, network, Random(2), tmp_path)
                await nursery.start(node.run)
                (post,) = posts_of(1)
                await node.desk.submit(post.raw)
                await until(lambda: world.frames)
                guards = node.stem.router.guards
                ((guard, raw),) = world.frames
                assert raw == post.raw
                # on a machine under load its first guard may count as away, and a stand-in is drawn
                assert guard in guards.of(guards.slot_of(post.author))
                nursery.cancel_scope.cancel()
