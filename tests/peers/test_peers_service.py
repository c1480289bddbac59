"""Named peers are dialled again and again, and nobody else ever."""

from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.network.interface import Network
from p2pforum.network.memory_network import MemoryHub
from p2pforum.peers.backoff import FIRST, LONGEST, delay
from p2pforum.peers.service import PeerService, Stage


@given(st.integers(1, 10_000), st.integers(0, 100))
def test_the_wait_doubles_up_to_a_bound(failures: int, seed: int) -> None:
    wait = delay(failures, Random(seed))
    whole = min(LONGEST, FIRST * 2.0 ** (min(failures, 20) - 1))
    assert whole / 2 <= wait <= whole


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(Random(1))


@pytest.fixture
async def alice(hub: MemoryHub) -> AsyncIterator[Network]:
    async with hub.network("alice") as network:
        yield network


async def until(condition: Callable[[], bool]) -> None:
    """Wait in virtual time; the test's timeout ends a wait for nothing."""
    while not condition():
        await trio.sleep(0.1)


def names(network: Network) -> set[str]:
    return {connection.peer for connection in network.connections()}


async def test_a_peer_that_comes_late_is_found(
    hub: MemoryHub, alice: Network, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    peers = PeerService(alice, Random(2))
    peers.name(["/memory/bob/p2p/bob"])
    nursery.start_soon(peers.run)
    await trio.sleep(1000)
    assert peers.named()[0].stage is Stage.WAITING
    assert peers.named()[0].error
    async with hub.network("bob"):
        await until(lambda: names(alice) == {"bob"})
        await until(lambda: peers.named()[0].stage is Stage.CONNECTED)
        assert peers.named()[0].error == ""
    await until(lambda: not names(alice))
    async with hub.network("bob"):
        await until(lambda: names(alice) == {"bob"})


async def test_peers_are_named_and_forgotten_while_it_runs(
    hub: MemoryHub, alice: Network, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    peers = PeerService(alice, Random(2))
    nursery.start_soon(peers.run)
    async with hub.network("bob") as bob, hub.network("carol"):
        await trio.sleep(10)
        assert names(alice) == set()
        peers.name(["/memory/bob/p2p/bob"])
        await until(lambda: names(alice) == {"bob"})
        peers.name(["/memory/carol/p2p/carol"])
        await until(lambda: names(alice) == {"bob", "carol"})
        await bob.disconnect(alice.peer_id)
        await until(lambda: names(alice) == {"carol"})
        await trio.sleep(1000)
        assert names(alice) == {"carol"}


async def test_who_dials_us_is_not_dialled_back(
    hub: MemoryHub, alice: Network, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    peers = PeerService(alice, Random(2))
    nursery.start_soon(peers.run)
    async with hub.network("mallory") as mallory:
        await mallory.dial("/memory/alice/p2p/alice")
        await until(lambda: names(alice) == {"mallory"})
        await mallory.disconnect(alice.peer_id)
        await trio.sleep(1000)
        assert names(alice) == set()
