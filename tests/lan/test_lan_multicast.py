"""Real multicast DNS, on the loopback interface only: what is found, what is said; and the loop goes on."""

import contextlib
import queue
import re
import socket
import struct
from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

import pytest
import trio
import trio.testing
from strategies import TEST_NETWORK
from zeroconf import DNSIncoming, DNSText, NamePartTooLongException, ServiceInfo

from p2pforum.core import limits
from p2pforum.core.peer_id import peer_id_of
from p2pforum.lan import multicast
from p2pforum.lan.multicast import Multicast
from p2pforum.lan.names import random_name, service_type
from p2pforum.lan.places import Interface, Offer

KIND = service_type(TEST_NETWORK.name)
PEERS = [peer_id_of(bytes([n]) * 32) for n in (1, 2)]
LOOPBACK, GROUP, PORT = "127.0.0.1", "224.0.0.251", 5353


def offer(peer: str) -> Offer:
    return Offer(peer, 4001, (LOOPBACK,))


def a_name() -> str:
    return random_name(SystemRandom())


def machine_name() -> str:
    """What most programs give as the name of the host."""
    return socket.gethostname()


def opened(
    peer: str | None, found: Callable[[Offer], None] = lambda _: None, names: Callable[[], str] = a_name
) -> Multicast:
    return Multicast(KIND, [offer(peer)] if peer else [], [Interface(LOOPBACK, 8)], names, found)


@contextlib.contextmanager
def tap() -> Iterator[Callable[[], list[bytes]]]:
    """Hears all that is said on the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((GROUP, PORT))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        sock.setblocking(False)

        def heard() -> list[bytes]:
            packets: list[bytes] = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    packets.append(sock.recv(9_000))
            return packets

        yield heard


def good_byes(packets: list[bytes]) -> str:
    """What is good for no second more."""
    answers = [answer for packet in packets for answer in DNSIncoming(packet).answers()]
    return " ".join(str(answer.text) for answer in answers if isinstance(answer, DNSText) and answer.ttl == 0)


class Turns:
    """How often the event loop comes round."""

    count = 0

    async def run(self) -> None:
        while True:
            await trio.sleep(0.001)
            self.count += 1


@pytest.mark.slow
async def test_nodes_find_each_other_and_meanwhile_the_event_loop_goes_on() -> None:
    seen: dict[str, queue.Queue[Offer]] = {peer: queue.Queue() for peer in PEERS}
    turns = Turns()
    with tap() as heard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns.run)
            first = await trio.to_thread.run_sync(opened, PEERS[0], seen[PEERS[0]].put)
            assert turns.count > 100, "it takes a second and more to open"
            said = b"\n".join(heard())
            second = await trio.to_thread.run_sync(opened, PEERS[1], seen[PEERS[1]].put)
            for peer, other in (PEERS, PEERS[::-1]):
                assert await trio.to_thread.run_sync(seen[peer].get, True, 10) == offer(other)
            before = turns.count
            for node in (first, second):
                await trio.to_thread.run_sync(node.close)
            assert turns.count > before
            nursery.cancel_scope.cancel()
        assert PEERS[0].encode() in said, "we did listen"
        assert machine_name().encode() not in said
        # one name of an instance and one of a host, and no more
        assert len(set(re.findall(rb"[0-9a-f]{32}", said))) == 2
        gone = good_byes(heard())
        assert all(peer in gone for peer in PEERS), "names are taken back"


async def test_control_opened_in_the_event_loop_it_stops_it_and_usual_names_are_heard() -> None:
    turns = Turns()
    with tap() as heard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns.run)
            await trio.testing.wait_all_tasks_blocked()
            opened(PEERS[0], names=machine_name).close()
            assert turns.count < 10
            nursery.cancel_scope.cancel()
        assert machine_name().encode() in b"\n".join(heard())


class _Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def datagram_received(self, _data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(addr[0])


def test_who_is_not_in_the_local_network_is_not_heard() -> None:
    """On a real cable: tests/e2e/test_e2e_lan.py."""
    listener = _Listener()
    near = multicast._Near(listener, [Interface("192.168.1.5", 24), Interface("10.1.2.3", 32)])
    for ip in ("192.168.1.77", "8.8.8.8", "192.168.2.1", "10.1.2.3", "10.1.2.4", "::1", "?"):
        near.datagram_received(b"", (ip, 5353))
    assert listener.heard == ["192.168.1.77", "10.1.2.3"]
    with opened(None) as node:
        readers = node._zeroconf.engine.readers
        assert [type(reader.transport.get_protocol()) for reader in readers] == [multicast._Near] * len(
            readers
        )
        assert readers


class _Endless:
    """A local network in which there is always one more."""

    def __init__(self, answer: Any = None) -> None:
        self.asked = 0
        self._answer = answer

    def get_service_info(self, kind: str, name: str, timeout: int) -> Any:
        self.asked += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def test_who_makes_up_thousands_of_names_is_heard_no_more() -> None:
    network: Any = _Endless()
    with opened(None) as node:
        for number in range(10 * limits.MAX_LAN_NAMES):
            node.add_service(network, KIND, f"{number}.{KIND}")
    assert network.asked == limits.MAX_LAN_NAMES


async def test_an_answer_that_is_none_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    found: list[Offer] = []
    nameless = ServiceInfo(KIND, f"x.{KIND}", port=1, parsed_addresses=[LOOPBACK])
    odd = ServiceInfo(KIND, f"x.{KIND}", port=1, properties={"id": b"\xff"}, parsed_addresses=["::1"])
    with opened(None, found.append) as node:
        for answer in (None, nameless, odd, NamePartTooLongException(), ZeroDivisionError()):
            node.add_service(_Endless(answer), KIND, f"x.{KIND}")  # type: ignore[arg-type]
    assert [o.ips for o in found] == [()]
    assert "ZeroDivisionError" in caplog.text, "our own fault is told"
