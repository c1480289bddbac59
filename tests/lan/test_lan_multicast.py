"""Real multicast DNS, on the loopback interface only: what is found, what is said; and the loop goes on."""

import contextlib
import queue
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from random import SystemRandom
from typing import Any

import pytest
import trio
import trio.testing
from strategies import TEST_NETWORK
from zeroconf import DNSIncoming, DNSOutgoing, DNSPointer, DNSText, NamePartTooLongException, ServiceInfo

from p2pforum.core import limits
from p2pforum.core.peer_id import peer_id_of
from p2pforum.lan import multicast
from p2pforum.lan.addresses import Interface, LanNode
from p2pforum.lan.multicast import Multicast
from p2pforum.lan.names import random_name, service_type
from p2pforum.lan.names_per_machine import NamesPerMachine

KIND = service_type(TEST_NETWORK.name)
PEERS = [peer_id_of(bytes([n]) * 32) for n in (1, 2)]
LOOPBACK, GROUP, PORT = "127.0.0.1", "224.0.0.251", 5353


def lan_node(peer: str) -> LanNode:
    return LanNode(peer, 4001, (LOOPBACK,))


def a_name() -> str:
    return random_name(SystemRandom())


def machine_name() -> str:
    """What most programs give as the name of the host."""
    return socket.gethostname()


def opened(
    peer: str | None, found: Callable[[LanNode], None] = lambda _: None, names: Callable[[], str] = a_name
) -> Multicast:
    return Multicast(KIND, [lan_node(peer)] if peer else [], [Interface(LOOPBACK, 8)], names, found)


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
    seen: dict[str, queue.Queue[LanNode]] = {peer: queue.Queue() for peer in PEERS}
    turns = Turns()
    with tap() as heard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns.run)
            first = await trio.to_thread.run_sync(opened, PEERS[0], seen[PEERS[0]].put)
            assert turns.count > 20, "it takes a second and more to open"
            said = b"\n".join(heard())
            second = await trio.to_thread.run_sync(opened, PEERS[1], seen[PEERS[1]].put)
            for peer, other in (PEERS, PEERS[::-1]):
                assert await trio.to_thread.run_sync(seen[peer].get, True, 10) == lan_node(other)
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
    places = [Interface("192.168.1.5", 24), Interface("10.1.2.3", 32)]
    near = multicast._Near(listener, places, KIND, NamesPerMachine())
    for ip in ("192.168.1.77", "8.8.8.8", "192.168.2.1", "10.1.2.3", "10.1.2.4", "::1", "?"):
        near.datagram_received(b"", (ip, 5353))
    assert listener.heard == ["192.168.1.77", "10.1.2.3"]
    with opened(None) as node:
        readers = node._zeroconf.engine.readers
        assert [type(reader.transport.get_protocol()) for reader in readers] == [multicast._Near] * len(
            readers
        )
        assert readers


def announced(*names: str, flags: int = 0x8400) -> bytes:
    """A packet that tells of nodes."""
    out = DNSOutgoing(flags)
    for name in names:
        out.add_answer_at_time(DNSPointer(KIND, 12, 1, 4_500, f"{name}.{KIND}"), 0)
    return out.packets()[0]


def heard_after_a_flood(shares: NamesPerMachine) -> Counter[str]:
    """Packets that the library gets: one machine makes up names, then nodes of others come."""
    listener = _Listener()
    near = multicast._Near(listener, [Interface("192.168.1.5", 24)], KIND.upper(), shares)
    for number in range(1_000):
        near.datagram_received(announced(f"made-up-{number}"), ("192.168.1.66", 5353))
    for host in range(100, 110):
        near.datagram_received(announced(f"node-{host}"), (f"192.168.1.{host}", 5353))
    return Counter(listener.heard)


def test_who_makes_up_a_thousand_names_keeps_no_other_machine_from_being_found() -> None:
    heard = heard_after_a_flood(NamesPerMachine())
    assert heard.pop("192.168.1.66") == limits.LAN_NAMES
    assert len(heard) == 10


def test_control_one_share_for_all_is_filled_by_the_first() -> None:
    class OneForAll(NamesPerMachine):
        def takes(self, address: str, names: Collection[str], now: float) -> bool:
            return super().takes("", names, now)

    heard = heard_after_a_flood(OneForAll(names=256))
    assert heard == {"192.168.1.66": 256}


def test_questions_and_what_is_no_name_of_a_node_cost_nothing() -> None:
    listener = _Listener()
    near = multicast._Near(listener, [Interface("192.168.1.5", 24)], KIND, NamesPerMachine(names=1))
    asked = announced(*(f"known-{number}" for number in range(20)), flags=0)
    for data in (asked, announced("one"), announced("one"), b"", b"\xff" * 40):
        near.datagram_received(data, ("192.168.1.7", 5353))
    near.datagram_received(announced("one", "two"), ("192.168.1.7", 5353))
    assert len(listener.heard) == 5


class TestShares:
    def test_both_sides_of_a_machines_bound(self) -> None:
        shares = NamesPerMachine(names=3, machines=2)
        assert shares.takes("a", {"1", "2"}, 0.0)
        assert not shares.takes("a", {"3", "4"}, 0.0)
        assert shares.takes("a", {"3"}, 0.0)
        assert shares.takes("a", {"1", "3"}, 0.0)
        assert not shares.takes("a", {"4"}, 0.0)

    def test_both_sides_of_the_bound_on_machines(self) -> None:
        shares = NamesPerMachine(names=3, machines=2)
        assert [shares.takes(machine, {"1"}, 0.0) for machine in "abc"] == [True, True, False]
        assert shares.takes("a", {"2"}, 0.0)

    def test_a_name_counts_for_an_hour(self) -> None:
        shares, hour = NamesPerMachine(names=1, machines=1), limits.LAN_NAMES_SECONDS
        assert shares.takes("a", {"1"}, 0.0)
        assert not shares.takes("a", {"2"}, hour - 1)
        assert not shares.takes("b", {"2"}, hour - 1)
        assert shares.takes("b", {"2"}, hour)

    def test_who_tells_of_no_node_takes_no_place(self) -> None:
        shares = NamesPerMachine(names=1, machines=1)
        assert shares.takes("a", (), 0.0)
        assert shares.takes("b", {"1"}, 0.0)


class _Answering:
    """A library whose look-ups end so."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get_service_info(self, kind: str, name: str, timeout: int) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def test_an_answer_that_is_none_ends_nothing(
    caplog: pytest.LogCaptureFixture, wanted_faults: list[str]
) -> None:
    wanted_faults.append("a fault in the search of the local network")
    found: list[LanNode] = []
    nameless = ServiceInfo(KIND, f"x.{KIND}", port=1, parsed_addresses=[LOOPBACK])
    odd = ServiceInfo(KIND, f"x.{KIND}", port=1, properties={"id": b"\xff"}, parsed_addresses=["::1"])
    with opened(None, found.append) as node:
        for answer in (None, nameless, odd, NamePartTooLongException(), ZeroDivisionError()):
            node.add_service(_Answering(answer), KIND, f"x.{KIND}")  # type: ignore[arg-type]
    assert [o.ips for o in found] == [()]
    assert "ZeroDivisionError" in caplog.text, "our own fault is told"
