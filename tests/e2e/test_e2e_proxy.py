"""Real nodes behind a proxy: posts pass through it, and without it nothing leaves."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio
from e2e_nodes import CHECKOUT, CONFIG, DemoNode, cli, ids, wait_until
from missing import missing
from network_tools import our_node, receive_all, until
from socks_server import PEER, SocksServer, onion, socks_server, tcp_of

from p2pforum.core.address import parse_address

pytestmark = pytest.mark.e2e


def behind(server: SocksServer) -> str:
    return f'{CONFIG}proxy = "{server.proxy}"\n'


async def test_a_post_passes_between_nodes_that_know_each_other_by_an_onion_address(tmp_path: Path) -> None:
    async with socks_server() as server:
        carol = DemoNode("carol", tmp_path / "carol", CONFIG)
        bob = DemoNode("bob", tmp_path / "bob", behind(server))
        with carol, bob:
            await trio.to_thread.run_sync(_talk, server, carol, bob, tmp_path)
    assert {asked.host for asked in server.asked} == {f"{onion()}.onion"}


def _talk(server: SocksServer, carol: DemoNode, bob: DemoNode, home: Path) -> None:
    carol.start()
    address = parse_address(carol.address())
    server.leads[f"{onion()}.onion:4001"] = (address.host, address.port)
    bob.start(f"/onion3/{onion()}:4001/p2p/{address.peer}")
    posted = json.loads(
        cli(home / "bob", "post", "general", "--yes", "-s", "From afar", "--json", stdin="Hello.\n")
    )
    wait_until(lambda: ids(carol) == {posted["id"]}, "the post did not arrive")
    answered = json.loads(cli(home / "carol", "reply", posted["id"], "--json", stdin="Hello to you.\n"))
    wait_until(lambda: answered["id"] in ids(bob), "the answer did not arrive")
    assert json.loads(cli(home / "bob", "status", "--json"))["node"]["proxy"] == str(server.proxy)
    assert f"all connections go through {server.proxy}, or fail" in cli(home / "bob", "status")
    assert json.loads(cli(home / "carol", "status", "--json"))["node"]["proxy"] is None


# -- what peers are told -----------------------------------------------------------------------------


async def test_what_a_node_behind_a_proxy_says_holds_no_address(tmp_path: Path) -> None:
    """All that it says to a peer for a while: identify, and every stream that it opens."""
    said: list[bytes] = []

    async def listen(_peer: str, stream: trio.abc.Stream) -> None:
        async for part in stream:
            said.append(bytes(part))

    async with our_node() as spy, socks_server({f"{onion()}.onion:4001": tcp_of(spy)}) as server:
        for protocol in ("/meshsub/1.1.0", "/test.e2e/sync/1", "/test.e2e/stem/1"):
            spy.set_handler(protocol, listen)
        with DemoNode("bob", tmp_path / "bob", behind(server)) as bob:
            await trio.to_thread.run_sync(bob.start, f"/onion3/{onion()}:4001/p2p/{spy.peer_id}")
            await until(lambda: spy.connections() and b"".join(said))
            stream = await spy.open_stream(spy.connections()[0].peer, "/ipfs/id/1.0.0")
            said.append(await receive_all(stream))
            own = await trio.to_thread.run_sync(bob.address)
    assert not _traces(own, b"".join(said))
    assert len(said) >= 2
    assert await _traces_of_a_stock_host(), "the same search finds the address where it is told"


def _traces(address: str, said: bytes) -> list[bytes]:
    """An address in what was said: as text, as a multiaddr (code 4, four bytes, code 6, two bytes)."""
    target = parse_address(address)
    binary = b"\x04" + bytes(map(int, target.host.split("."))) + b"\x06" + target.port.to_bytes(2, "big")
    return [
        form for form in (b"/ip4/", target.host.encode(), binary, str(target.port).encode()) if form in said
    ]


async def _traces_of_a_stock_host() -> list[bytes]:
    from network_tools import stock_address, stock_host

    async with stock_host() as host, our_node(listening=False) as spy:
        peer = await spy.dial(stock_address(host))
        told = await receive_all(await spy.open_stream(peer, "/ipfs/id/1.0.0"))
        return _traces(stock_address(host), told)


# -- nothing leaves ------------------------------------------------------------------------------------

_PEERS = [
    f"/ip4/203.0.113.7/tcp/4001/p2p/{PEER}",
    f"/ip6/2606:4700::7/tcp/4001/p2p/{PEER[:-1]}q",
    f"/dns4/forum.example/tcp/4001/p2p/{PEER[:-1]}r",
]


def _leaks(home: Path, config: str) -> tuple[Counter[str], list[str]]:
    """What a node sends, in a network of its own where all goes by one interface, which is watched."""
    home.mkdir()
    (home / "config.toml").write_text(CONFIG + config)
    space = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        missing("no network namespace may be made here")
    program = [sys.executable, str(Path(__file__).with_name("watched_node.py")), str(CHECKOUT), str(home)]
    done = subprocess.run(
        [*space, *program, *_PEERS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return Counter(found["sent"]), found["failed"]


def test_with_a_dead_proxy_nothing_leaves_the_machine(tmp_path: Path) -> None:
    sent, failed = _leaks(tmp_path / "behind", 'proxy = "socks5://127.0.0.1:9"\n')
    assert len(failed) == len(_PEERS), "all were tried"
    assert set(sent) == {"tcp to 127.0.0.1:9"}, "it asks the proxy, and nobody else"


def test_control_without_a_proxy_the_same_watch_sees_names_and_addresses(tmp_path: Path) -> None:
    sent, _ = _leaks(tmp_path / "open", "")
    assert sent["tcp to 203.0.113.7:4001"]
    assert any(what.startswith("udp to ") and what.endswith(":53") for what in sent)
