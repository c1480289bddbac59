"""What is told in the local network, what is taken from it, and under which names."""

import re
from random import Random, SystemRandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core import limits
from p2pforum.core.address import parse_address
from p2pforum.core.peer_id import peer_id_of
from p2pforum.lan.addresses import Interface, LanNode, accepted, advertised, usable
from p2pforum.lan.names import random_name, service_type

PEER = peer_id_of(bytes(range(32)))
OTHER = peer_id_of(bytes(range(1, 33)))
HOME = Interface("192.168.1.5", 24)
OFFICE = Interface("10.20.0.9", 16)
INTERFACES = [Interface("127.0.0.1", 8), HOME, OFFICE, Interface("8.8.1.1", 24), Interface("169.254.3.4", 16)]


def listening(*hosts: str, port: int = 4001) -> list[str]:
    return [f"/{'ip6' if ':' in host else 'ip4'}/{host}/tcp/{port}/p2p/{PEER}" for host in hosts]


# -- names -----------------------------------------------------------------------------------------


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=32))
def test_a_service_type_is_one_that_dns_allows(network: str) -> None:
    kind = service_type(network)
    assert re.fullmatch(r"_[a-z0-9](?:-?[a-z0-9])*\._tcp\.local\.", kind)
    assert len(kind.split(".")[0]) - 1 <= 15


def test_networks_do_not_mix() -> None:
    assert len({service_type(f"net-{n}") for n in range(1_000)}) == 1_000
    assert service_type("p2pforum") == service_type("p2pforum")


def test_names_are_drawn_anew() -> None:
    assert len({random_name(SystemRandom()) for _ in range(100)}) == 100
    assert random_name(Random(1)) == random_name(Random(1)), "from the rng alone: nothing of the machine"


# -- told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["0.0.0.0"], [HOME, OFFICE]),
        (["192.168.1.5"], [HOME]),
        (["127.0.0.1"], []),
        (["8.8.1.1"], []),
        (["169.254.3.4"], []),
        (["127.0.0.1", "10.20.0.9"], [OFFICE]),
        (["::", "::1"], []),
        ([], []),
    ],
)
def test_only_where_it_listens_in_a_private_network(hosts: list[str], expected: list[Interface]) -> None:
    near = usable(listening(*hosts), INTERFACES)
    assert near == expected
    nodes = advertised(listening(*hosts), near)
    assert {ip for node in nodes for ip in node.ips} == {i.ip for i in expected}
    assert all((node.peer, node.port) == (PEER, 4001) for node in nodes)


def test_one_offer_for_each_port() -> None:
    both = [*listening("192.168.1.5"), *listening("0.0.0.0", port=4002)]
    assert advertised(both, [HOME, OFFICE]) == [
        LanNode(PEER, 4001, ("192.168.1.5",)),
        LanNode(PEER, 4002, ("10.20.0.9", "192.168.1.5")),
    ]


# -- taken -----------------------------------------------------------------------------------------


def test_a_neighbour_is_taken() -> None:
    node = LanNode(OTHER, 4001, ("192.168.1.77",))
    assert accepted(node, [HOME, OFFICE]) == [f"/ip4/192.168.1.77/tcp/4001/p2p/{OTHER}"]


@pytest.mark.parametrize(
    "ip",
    [
        "203.0.113.7",
        "8.8.8.8",
        "127.0.0.1",
        "169.254.169.254",
        "192.168.2.77",
        "10.21.0.1",
        "172.16.0.1",
        "192.168.1.5",
        "0.0.0.0",
        "224.0.0.251",
        "::1",
        "fe80::1",
        "nonsense",
        "",
        "192.168.1.77/24",
    ],
)
def test_whoever_is_in_the_local_network_can_make_us_dial_nothing_outside_it(ip: str) -> None:
    assert accepted(LanNode(OTHER, 4001, (ip,)), [HOME, OFFICE]) == []


@pytest.mark.parametrize("peer", ["", "bob", OTHER + " ", "Qm" + "a" * 44, OTHER + "/tcp/1"])
def test_a_name_that_is_no_peer_id_is_not_taken(peer: str) -> None:
    assert accepted(LanNode(peer, 4001, ("192.168.1.77",)), [HOME]) == []


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_is_none_is_not_taken(port: int) -> None:
    assert accepted(LanNode(OTHER, port, ("192.168.1.77",)), [HOME]) == []


@given(st.text(), st.integers(), st.lists(st.text() | st.ip_addresses().map(str), max_size=20))
def test_whatever_is_said_what_is_taken_is_near(peer: str, port: int, ips: list[str]) -> None:
    for address in accepted(LanNode(peer, port, tuple(ips)), [HOME, OFFICE]):
        host = parse_address(address).host
        assert host.startswith(("192.168.1.", "10.20."))


def test_one_node_has_few_addresses() -> None:
    many = tuple(f"10.20.1.{n}" for n in range(1, 200))
    assert len(accepted(LanNode(OTHER, 4001, many), [OFFICE])) == limits.MAX_PEER_ADDRESSES
