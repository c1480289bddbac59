"""A node that comes back answers no session before it has caught up: what it lacks would tell who it is."""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import pytest
import trio
import trio.testing
from strategies import TEST_NETWORK
from sync_nodes import SyncNode, sync_node
from sync_pair import pool

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.sync import params
from p2pforum.sync.filling import Filling
from p2pforum.sync.terms import KnownPeers
from p2pforum.sync.wire.payloads import Code

POSTS = pool(300)
MISSED = POSTS[100:120]
KEPT = [post for post in POSTS if post not in MISSED]
Clock = trio.testing.MockClock


class Street:
    """Nodes that sync; each is told whom it knows and whom it trusts, as a whole node would be."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.hub = MemoryHub(random.Random(1))

    async def node(
        self, name: str, posts: Iterable[Post] = POSTS, *, knows: str = "", trusts: str = ""
    ) -> SyncNode:
        known_peers = KnownPeers(trusts.split, f"{knows} {trusts}".split) if knows or trusts else None
        node: SyncNode = await self._nursery.start(self._live, name, posts, known_peers)
        return node

    async def _live(
        self,
        name: str,
        posts: Iterable[Post],
        known_peers: KnownPeers | None,
        task_status: trio.TaskStatus[SyncNode],
    ) -> None:
        async with sync_node(self.hub, name, posts) as node:
            node.sync.filling.known_peers = known_peers
            task_status.started(node)
            await node.sync.run()

    async def spy(self, node: SyncNode, name: str = "spy") -> tuple[Code, int]:
        """Has all posts and opens a session: how it ended, and how many posts it saw the node lack."""
        async with sync_node(self.hub, name, POSTS) as spy:
            report = await spy.sync.sync(await spy.dial(node))
            return report.code, report.sent


@pytest.fixture
def patient_clock() -> Clock:
    return Clock(autojump_threshold=0.05)


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    async with trio.open_nursery() as nursery:
        yield Street(nursery)
        nursery.cancel_scope.cancel()


async def until_full(node: SyncNode, seconds: float) -> None:
    with trio.fail_after(seconds):
        while len(node.ids) < 300:
            await trio.sleep(0.5)


async def test_a_spy_learns_nothing_before_the_node_has_caught_up(
    patient_clock: Clock, street: Street
) -> None:
    back, friend = await street.node("back", KEPT, trusts="friend"), await street.node("friend")
    assert await street.spy(back) == (Code.BUSY, 0)
    await back.dial(friend)
    await until_full(back, 10)
    assert await street.spy(back) == (Code.DONE, 0)


async def test_it_hears_what_hour_it_is_from_sessions_that_it_does_not_answer(
    patient_clock: Clock, street: Street
) -> None:
    """Own posts wait for that: the node may be one that nobody can be dialled from, for ten minutes."""
    back = await street.node("back", KEPT, trusts="friend")
    assert not back.sync.clocks.is_confirmed
    assert await street.spy(back) == (Code.BUSY, 0)
    await trio.sleep(1)
    assert back.sync.clocks.is_confirmed


@pytest.mark.parametrize("said", [b"", b"\x01", bytes([2, 1, 0]), bytes(40), b"\xff" * 40])
async def test_who_says_anything_else_there_is_not_waited_for(
    patient_clock: Clock, street: Street, said: bytes
) -> None:
    back = await street.node("back", KEPT, trusts="friend")
    async with sync_node(street.hub, "odd", POSTS) as odd:
        stream = await odd.network.open_stream(await odd.dial(back), TEST_NETWORK.sync_protocol)
        await stream.send_all(said)
        with trio.fail_after(2 * limits.SYNC_END_SECONDS), suppress(trio.BrokenResourceError):
            while await stream.receive_some(100):
                pass
    assert not back.sync.clocks.is_confirmed


async def test_control_who_answers_at_once_tells_what_it_lacks(patient_clock: Clock, street: Street) -> None:
    back = await street.node("back", KEPT)
    assert await street.spy(back) == (Code.DONE, 20)


async def test_it_does_not_ask_a_stranger_that_dialled_in_either(
    patient_clock: Clock, street: Street
) -> None:
    back = await street.node("back", KEPT, trusts="friend")
    spy = await street.node("spy")
    await spy.dial(back)
    await trio.sleep(params.FILL_SECONDS - 10)  # some sessions were drawn by lot meanwhile
    assert len(back.ids) == 280


async def test_guards_and_named_peers_come_before_others(patient_clock: Clock, street: Street) -> None:
    """A peer of the address book may be a spy: it is not asked while a named one may come."""
    back = await street.node("back", KEPT, trusts="friend")
    spy, friend = await street.node("spy"), await street.node("friend")
    await back.dial(spy)
    await trio.sleep(params.SETTLE_SECONDS - 1)
    assert len(back.ids) == 280
    await back.dial(friend)
    await until_full(back, 0.99)
    assert (friend.door.came, spy.door.came) == (0, 0)


async def test_if_no_named_peer_comes_the_others_are_asked(patient_clock: Clock, street: Street) -> None:
    back, other = await street.node("back", KEPT, trusts="friend"), await street.node("other")
    await back.dial(other)
    await until_full(back, params.SETTLE_SECONDS + 10)


async def test_after_ten_minutes_without_anybody_it_answers(patient_clock: Clock, street: Street) -> None:
    back = await street.node("back", KEPT, trusts="friend")
    await trio.sleep(params.FILL_SECONDS - 5)
    assert (await street.spy(back))[0] is Code.BUSY
    await trio.sleep(10)
    assert (await street.spy(back))[0] is Code.DONE


async def test_who_knows_nobody_but_who_is_here_answers_at_once(patient_clock: Clock, street: Street) -> None:
    """Two that know only each other: the one that dials asks, and the other answers."""
    a = await street.node("a", KEPT, knows="b", trusts="b")
    b = await street.node("b", knows="a", trusts="a")
    await a.dial(b)
    await until_full(a, 10)


@pytest.mark.slow
async def test_a_ring_that_came_back_at_once_does_not_wait_for_itself(
    patient_clock: Clock, street: Street
) -> None:
    nodes = [
        await street.node(name, KEPT if name == "a" else POSTS, knows=f"{after} absent", trusts=after)
        for name, after in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    for node, after in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        await node.dial(after)
    await until_full(nodes[0], 4 * params.SETTLE_SECONDS)


async def test_a_node_that_was_without_any_peer_it_dialled_begins_anew(
    patient_clock: Clock, street: Street
) -> None:
    back, friend = await street.node("back", trusts="friend"), await street.node("friend")
    await back.dial(friend)
    await trio.sleep(5)
    assert (await street.spy(back))[0] is Code.DONE
    stranger = await street.node("stranger")
    await stranger.dial(back)
    street.hub.partition([["back", "stranger", "spy"], ["friend"]])
    await trio.sleep(1)
    assert (await street.spy(back))[0] is Code.BUSY
    street.hub.heal()
    await back.dial(friend)
    await trio.sleep(5)
    assert (await street.spy(back))[0] is Code.DONE


def test_without_company_there_is_nothing_to_hide() -> None:
    async def main() -> None:
        assert Filling().answers([])

    trio.run(main)


async def test_a_session_that_fails_fills_nothing(patient_clock: Clock, street: Street) -> None:
    back = await street.node("back", KEPT, trusts="friend")
    async with street.hub.network("friend") as friend:

        async def leave(_peer: PeerID, stream: trio.abc.Stream) -> None:
            await trio.aclose_forcefully(stream)

        friend.set_handler(TEST_NETWORK.sync_protocol, leave)
        await back.network.dial("/memory/friend/p2p/friend")
        await trio.sleep(params.SETTLE_SECONDS / 2)
        assert (await street.spy(back))[0] is Code.BUSY


async def test_nor_does_one_with_a_peer_that_dialled_in(patient_clock: Clock, street: Street) -> None:
    """Else a spy with few posts could have the node believe that it has all."""
    back = await street.node("back", KEPT, trusts="friend")
    stranger = await street.node("stranger", POSTS[:5])
    await stranger.dial(back)
    assert (await back.sync.sync(stranger.network.peer_id)).code is Code.DONE
    assert (await street.spy(back))[0] is Code.BUSY
