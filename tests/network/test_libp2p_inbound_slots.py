"""Places of the real network: who of those that dial in gets one, and from whom."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from network_tools import echoes, our_node, until

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.network import inbound_slots

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVICTION_SECONDS", 0)


@asynccontextmanager
async def strangers(node: Any, count: int) -> AsyncIterator[list[Any]]:
    """They dial in one after the other, each when the one before is there."""
    async with AsyncExitStack() as stack:
        came = []
        for _ in range(count):
            peer = await stack.enter_async_context(our_node(listening=False))
            await peer.dial(node.addresses[0])
            await until(lambda peer=peer: peer.peer_id in peers_of(node))  # type: ignore[misc]
            came.append(peer)
        yield came


def peers_of(node: Any) -> set[str]:
    return {connection.peer for connection in node.connections()}


async def test_a_full_node_lets_strangers_in_and_parts_with_the_youngest() -> None:
    async with our_node(max_connections=8) as node, our_node() as friend, strangers(node, 10) as came:
        await until(lambda: len(node.connections()) == 4)  # half of a small limit is kept for those we dial
        stayed = {peer.peer_id for peer in (*came[:3], came[-1])}
        assert peers_of(node) == stayed
        assert await echoes(came[0], node.peer_id)
        assert await node.dial(friend.addresses[0]) == friend.peer_id
        assert await echoes(node, friend.peer_id)


async def test_whom_a_full_node_dials_comes_in_and_stays() -> None:
    async with AsyncExitStack() as stack:
        friends = [await stack.enter_async_context(our_node()) for _ in range(6)]
        async with our_node(max_connections=6) as node:
            for friend in friends[:4]:
                await node.dial(friend.addresses[0])
            async with strangers(node, 4) as came:
                await until(lambda: len(node.connections()) == 6)
                dialled = {friend.peer_id for friend in friends[:4]}
                assert peers_of(node) == dialled | {came[0].peer_id, came[-1].peer_id}
                await node.dial(friends[4].addresses[0])
                await until(lambda: peers_of(node) == {friends[4].peer_id, came[0].peer_id, *dialled})
                with pytest.raises(NetworkError, match="all the connections it may have"):
                    await node.dial(friends[5].addresses[0])
            with pytest.raises(NetworkError, match="must end in /p2p/ and the peer ID"):
                await node.dial(friends[0].addresses[0].split("/p2p/")[0])


async def test_a_full_node_with_nobody_to_spare_refuses_strangers() -> None:
    async with our_node(max_connections=2) as node, strangers(node, 1) as (first,):
        for _ in range(3):
            async with our_node(listening=False) as peer:
                with suppress(NetworkError):  # it may be told so late that the dial had succeeded
                    await peer.dial(node.addresses[0])
                await until(lambda peer=peer: not peer.connections())  # type: ignore[misc]
        assert peers_of(node) == {first.peer_id}
        assert await echoes(first, node.peer_id)


async def test_soon_after_a_place_was_made_strangers_are_refused_before_it_is_heard_who_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with our_node(max_connections=8) as node, strangers(node, 6) as came:
        monkeypatch.setattr(limits, "EVICTION_SECONDS", 3_600)
        async with our_node(listening=False) as peer:
            with pytest.raises(NetworkError, match="is not a node of p2pforum"):
                await peer.dial(node.addresses[0])
        assert came[-1].peer_id in peers_of(node)


async def test_one_address_has_its_share_of_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        inbound_slots, "address_group", lambda _address: "8.8.8.8"
    )  # as if all came from there
    async with our_node() as node, strangers(node, limits.MAX_INBOUND_PER_ADDRESS):
        async with our_node(listening=False) as peer:
            with pytest.raises(NetworkError):
                await peer.dial(node.addresses[0])
        assert len(node.connections()) == limits.MAX_INBOUND_PER_ADDRESS
