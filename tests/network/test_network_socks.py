"""Dialling through a proxy: what it is asked, what a person is told, and that nothing else is tried."""

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from network_tools import echoes, our_node, until
from socks_server import IP4, IP6, NAME, PEER, SocksServer, dead_port, onion, socks_server, tcp_of

from p2pforum.config import Proxy
from p2pforum.core import limits
from p2pforum.core.errors import NetworkError

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def behind(leads: dict[str, tuple[str, int]]) -> AsyncIterator[tuple[Any, SocksServer]]:
    """A node behind a proxy that leads there."""
    async with socks_server(leads) as server, our_node(listening=False, proxy=server.proxy) as node:
        yield node, server


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("place", "kind", "asked"),
    [
        ("/ip4/192.0.2.7/tcp/4001", IP4, "192.0.2.7:4001"),
        ("/ip6/2001:db8::7/tcp/4001", IP6, "20010db8000000000000000000000007:4001"),
        ("/dns/forum.example/tcp/4001", NAME, "forum.example:4001"),
        ("/dns4/forum.example./tcp/4001", NAME, "forum.example:4001"),
        (f"/onion3/{onion()}:4001", NAME, f"{onion()}.onion:4001"),
        ("/ip4/127.0.0.1/tcp/4001", IP4, "127.0.0.1:4001"),  # this machine's own too
    ],
)
async def test_a_node_is_reached_through_the_proxy_and_the_proxy_looks_names_up(
    place: str, kind: int, asked: str
) -> None:
    async with our_node() as friend, behind({asked: tcp_of(friend)}) as (node, server):
        address = f"{place}/p2p/{friend.peer_id}"
        assert await node.dial(address) == friend.peer_id
        assert await echoes(node, friend.peer_id)
        assert [(a.kind, f"{a.host}:{a.port}") for a in server.asked] == [(kind, asked)]
        assert node.connections()[0].address == address


@pytest.mark.e2e
async def test_each_dial_has_a_user_and_a_password_of_its_own() -> None:
    """Tor gives connections with the same ones the same circuit: its end would see who talks to whom."""
    async with our_node() as friend, behind({"192.0.2.7:4001": tcp_of(friend)}) as (node, server):
        for _ in range(3):
            await node.dial(f"/ip4/192.0.2.7/tcp/4001/p2p/{friend.peer_id}")
            await node.disconnect(friend.peer_id)
    drawn = [secret for asked in server.asked for secret in (asked.user, asked.password)]
    assert len(set(drawn)) == 6
    assert {len(secret) for secret in drawn} == {16}


@pytest.mark.e2e
async def test_another_peer_at_the_address_is_told_as_without_a_proxy() -> None:
    async with our_node() as other, behind({"192.0.2.7:4001": tcp_of(other)}) as (node, _):
        with pytest.raises(NetworkError, match=r"another peer answers at /ip4/192\.0\.2\.7"):
            await node.dial(f"/ip4/192.0.2.7/tcp/4001/p2p/{PEER}")
        assert not node.connections()


@pytest.mark.e2e
async def test_an_onion_address_without_a_proxy_is_not_tried() -> None:
    async with our_node(listening=False) as node:
        with pytest.raises(NetworkError, match="is an onion service: set `proxy`"):
            await node.dial(f"/onion3/{onion()}:4001/p2p/{PEER}")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ({"reply": 4}, "nothing answers at /ip4/192.0.2.7.*the proxy says that that host is not reachable"),
        ({"reply": 5}, "the connection was refused"),
        ({"reply": 0xF0}, "no onion service is known by that name"),
        ({"reply": 99}, "it failed for reason 99"),
        ({"method": 0}, "takes no user and password"),
        ({"method": 255}, "takes no user and password"),
        ({"status": 1}, "takes no user and password"),
        ({"answer": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "does not answer as a SOCKS5 proxy"),
        ({"answer": b"\x04\x02"}, "does not answer as a SOCKS5 proxy"),
    ],
)
async def test_what_a_person_is_told(behaviour: dict[str, Any], told: str) -> None:
    async with our_node() as friend, socks_server() as server:
        for name, value in behaviour.items():
            setattr(server, name, value)
        async with our_node(listening=False, proxy=server.proxy) as node:
            with pytest.raises(NetworkError, match=told):
                await node.dial(f"/ip4/192.0.2.7/tcp/4001/p2p/{friend.peer_id}")
            assert not node.connections()


@pytest.mark.e2e
@pytest.mark.parametrize("said", [b"", b"\x05", b"\x05\x02", b"\x05\x02\x01\x00\x05"])
async def test_a_proxy_that_falls_silent_is_not_waited_for_for_ever(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROXY_GREETING_SECONDS", 0.2)
    monkeypatch.setattr(limits, "PROXY_DIAL_SECONDS", 0.5)
    async with socks_server() as server, our_node(listening=False, proxy=server.proxy) as node:
        server.answer = said
        with pytest.raises(NetworkError, match=r"does not answer as a SOCKS5 proxy|nothing answers at"):
            await node.dial(f"/ip4/192.0.2.7/tcp/4001/p2p/{PEER}", timeout=0.1)


@pytest.mark.e2e
async def test_a_dead_proxy_is_told_and_nobody_is_dialled_without_it() -> None:
    async with our_node() as friend:
        async with our_node(listening=False, proxy=Proxy("127.0.0.1", await dead_port())) as node:
            with pytest.raises(NetworkError, match=r"the proxy socks5://127\.0\.0\.1:\d+ does not answer"):
                await node.dial(friend.addresses[0])
        assert not friend.connections()
        async with our_node(listening=False) as node:  # the control: without a proxy it is reached
            await node.dial(friend.addresses[0])
            await until(friend.connections)


@pytest.mark.e2e
async def test_what_a_slow_proxy_needs_a_caller_need_not_know() -> None:
    """Tor may take a minute where a direct dial takes a second: a short timeout of a caller is raised."""
    async with our_node() as friend, behind({"192.0.2.7:4001": tcp_of(friend)}) as (node, _):
        await node.dial(f"/ip4/192.0.2.7/tcp/4001/p2p/{friend.peer_id}", timeout=0.0)
        async with our_node(listening=False) as node:
            with pytest.raises(NetworkError, match="within 0 seconds"):
                await node.dial(friend.addresses[0], timeout=0.0)


# -- the only door out -------------------------------------------------------------------------------

_DOORS = {
    "open_tcp_stream": {"network/libp2p_upgrade.py", "network/socks.py"},
    "open_tcp_listeners": {"network/libp2p_upgrade.py"},
    "open_ssl_over_tcp_stream": set(),
    "open_unix_socket": set(),
    "create_connection": set(),
    "create_server": set(),
    "getaddrinfo": set(),
    "getnameinfo": set(),
    "gethostbyname": set(),
    "gethostbyaddr": set(),
    "getfqdn": set(),
    "urlopen": set(),
    "sendto": set(),
    # of the standard library: Unix sockets, and `doctor`, which binds and never connects
    "socket": {"agent/client.py", "agent/holder.py", "api/client.py", "api/server.py", "app/checks.py"},
}
_LAN = "lan/"  # finding nodes in the local network; a proxy forbids it (tests/test_config.py)


def _calls(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            found.add(function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", ""))
    return found


def test_only_one_place_opens_connections_or_looks_names_up() -> None:
    package = ROOT / "p2pforum"
    for path in package.rglob("*.py"):
        name = str(path.relative_to(package))
        opened = {call for call in _calls(path) & set(_DOORS) if name not in _DOORS[call]}
        assert not opened or name.startswith(_LAN), f"{name} calls {opened}"
    assert "open_tcp_stream" in _calls(package / "network/libp2p_upgrade.py"), "the search finds the door"
