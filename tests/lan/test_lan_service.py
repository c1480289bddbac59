"""When a node takes part in its local network: with a stand-in for the sockets, in the memory network."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from strategies import TEST_NETWORK

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.core.peer_id import peer_id_of
from p2pforum.lan import multicast
from p2pforum.lan.addresses import Interface, LanNode
from p2pforum.lan.names import service_type
from p2pforum.lan.service import LanService
from p2pforum.network.memory_network import MemoryHub

HOME = Interface("192.168.1.5", 24)
CAFE = Interface("10.20.0.9", 16)
OTHER = peer_id_of(bytes(32))
NEIGHBOUR = LanNode(OTHER, 4001, ("192.168.1.77", "8.8.8.8"))


class Air:
    """The local networks that this machine is in, and who is open there."""

    def __init__(self) -> None:
        self.interfaces = [Interface("127.0.0.1", 8), HOME]
        self.open: list[Stand] = []
        self.opened: list[Stand] = []
        self.fails = ""


class Stand:
    """As multicast.Multicast."""

    def __init__(
        self,
        air: Air,
        kind: str,
        nodes: Sequence[LanNode],
        near: Sequence[Interface],
        names: Callable[[], str],
        found: Callable[[LanNode], None],
    ) -> None:
        if air.fails:
            raise NetworkError(air.fails)
        self.kind, self.nodes, self.found = kind, nodes, found
        self.ips = [i.ip for i in near]
        self.name = names()
        self._air = air
        air.open.append(self)
        air.opened.append(self)

    def close(self) -> None:
        self._air.open.remove(self)


@pytest.fixture
def air(monkeypatch: pytest.MonkeyPatch) -> Iterator[Air]:
    air = Air()
    monkeypatch.setattr(multicast, "interfaces", lambda: list(air.interfaces))
    monkeypatch.setattr(multicast, "Multicast", lambda *args: Stand(air, *args))
    monkeypatch.setattr(limits, "LAN_LOOK_SECONDS", 0.001)
    yield air
    assert air.open == [], "whatever happened, it was closed"


@asynccontextmanager
async def a_service(listen: str = "/ip4/0.0.0.0/tcp/4001") -> AsyncIterator[tuple[LanService, list[str]]]:
    found: list[str] = []

    def take(address: str) -> None:
        found.append(address)
        if "192.168.1.66" in address:
            raise ZeroDivisionError

    async with MemoryHub(Random(1)).network("node", at=listen, keyed=True) as network:
        service = LanService(network, TEST_NETWORK, Random(1), take)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(service.run)
            yield service, found
            nursery.cancel_scope.cancel()


async def until(condition: Callable[[], object]) -> None:
    """In real time, since threads take part. The bound is for a failing test only."""
    with trio.fail_after(20):
        while not condition():
            await trio.sleep(0.001)


async def test_it_tells_where_it_is_and_takes_what_is_near(air: Air) -> None:
    async with a_service() as (service, found):
        await until(lambda: air.open)
        (stand,) = air.open
        assert (stand.kind, stand.ips) == (service_type(TEST_NETWORK.name), [HOME.ip])
        assert [(o.port, o.ips) for o in stand.nodes] == [(4001, (HOME.ip,))]
        await trio.to_thread.run_sync(stand.found, NEIGHBOUR)
        await until(lambda: found)
        assert found == [f"/ip4/192.168.1.77/tcp/4001/p2p/{OTHER}"], "not the public one"
        assert (service.told, service.found) == (1, 1)


async def test_its_own_voice_is_no_neighbour(air: Air) -> None:
    async with a_service() as (_, found):
        await until(lambda: air.open)
        (stand,) = air.open
        own = LanNode(stand.nodes[0].peer, 4001, ("192.168.1.99",))
        for node in (own, NEIGHBOUR):
            await trio.to_thread.run_sync(stand.found, node)
        await until(lambda: found)
        assert not [address for address in found if own.peer in address]


async def test_in_another_network_it_has_another_name(air: Air) -> None:
    async with a_service():
        await until(lambda: air.open)
        air.interfaces = [CAFE]
        await until(lambda: len(air.opened) == 2)
        first, second = air.opened
        assert second.ips == [CAFE.ip]
        assert first.name != second.name
        await until(lambda: air.open == [second])


async def test_with_nothing_to_reach_it_says_so_once_and_waits(
    air: Air, caplog: pytest.LogCaptureFixture
) -> None:
    air.interfaces = []
    async with a_service():
        await until(lambda: caplog.records)
        await trio.sleep(0.05)
        assert [r.getMessage() for r in caplog.records] == [
            "can't look for nodes in the local network: this node listens at no address of a private network"
        ]
        air.interfaces = [HOME]
        await until(lambda: air.open)


async def test_sockets_that_can_not_be_had_do_not_end_the_node(
    air: Air, caplog: pytest.LogCaptureFixture
) -> None:
    air.fails = "no multicast here"
    async with a_service():
        await until(lambda: "no multicast here" in caplog.text)
        air.fails = ""
        await until(lambda: air.open)


async def test_a_fault_of_our_own_costs_a_neighbour_and_not_the_node(
    air: Air, caplog: pytest.LogCaptureFixture, wanted_faults: list[str]
) -> None:
    async with a_service() as (_, found):
        await until(lambda: air.open)
        (stand,) = air.open
        for node in (LanNode(OTHER, 4001, ("192.168.1.66",)), NEIGHBOUR):
            await trio.to_thread.run_sync(stand.found, node)
        await until(lambda: len(found) == 2)
    wanted_faults.append("a fault with what was found in the local network")


async def test_a_library_that_fails_does_not_end_the_node(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wanted_faults: list[str]
) -> None:
    wanted_faults.append("a fault in the search of the local network")

    def fails() -> list[Interface]:
        raise OSError("no such device")

    with monkeypatch.context() as patch:
        patch.setattr(multicast, "interfaces", fails)
        async with a_service():
            await until(lambda: "no such device" in caplog.text)
            patch.setattr(multicast, "interfaces", lambda: list(air.interfaces))
            await until(lambda: air.open)
