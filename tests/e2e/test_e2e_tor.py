"""The same over Tor itself: a network of its own on loopback. Needs `tor`."""

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from e2e_nodes import CONFIG, DemoNode, cli, ids, wait_until
from missing import missing
from network_tools import our_node
from socks_server import PEER, onion
from tor_net import IS_HERE, TorNet, tor_net

from p2pforum.core.errors import P2PForumError

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorNet]:
    if not IS_HERE:
        missing("tor is not installed")
    with tor_net(tmp_path_factory.mktemp("tor")) as running:
        yield running


def test_a_post_and_its_answer_pass_over_an_onion_service(net: TorNet, tmp_path: Path) -> None:
    behind = f'{CONFIG}proxy = "{net.proxy}"\n'
    carol = DemoNode("carol", tmp_path / "carol", f'{behind}listen = ["/ip4/127.0.0.1/tcp/{net.target}"]\n')
    bob = DemoNode("bob", tmp_path / "bob", behind)
    with carol, bob:
        carol.start()
        peer = carol.address().rpartition("/")[2]
        bob.start(f"/onion3/{net.onion}:4001/p2p/{peer}")
        for _ in range(4):  # the service may not be known yet: then a later try of the node finds it
            with suppress(P2PForumError):
                wait_until(lambda: int(bob.node.status()["peers"]) == 1, "no connection")
                break
        posted = json.loads(cli(tmp_path / "bob", "post", "general", "-s", "Hi", "--json", stdin="Hello.\n"))
        wait_until(lambda: ids(carol) == {posted["id"]}, "the post did not arrive")
        answered = json.loads(cli(tmp_path / "carol", "reply", posted["id"], "--json", stdin="Hello.\n"))
        wait_until(lambda: answered["id"] in ids(bob), "the answer did not arrive")
        connected = json.loads(cli(tmp_path / "carol", "peers", "--json"))
        assert [peer["address"].split("/")[2] for peer in connected] == ["127.0.0.1"], "all it knows of bob"
        nowhere = cli(tmp_path / "bob", "sync", f"/onion3/{onion()}:4001/p2p/{PEER}", code=1)
        assert "no onion service is known by that name" in nowhere


async def test_two_peers_share_no_circuit(net: TorNet) -> None:
    assert len(await _circuits(net)) == 2


async def test_control_with_one_user_and_password_they_do(
    net: TorNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda size: "x" * 2 * size)
    assert len(await _circuits(net)) == 1


async def _circuits(net: TorNet) -> set[str]:
    """Those by which a node reaches two peers, through an exit."""
    async with our_node() as one, our_node() as other, our_node(listening=False, proxy=net.proxy) as node:
        for friend in (one, other):
            await node.dial(friend.addresses[0])
        wanted = {":".join(friend.addresses[0].split("/")[2:5:2]) for friend in (one, other)}
        streams = await trio.to_thread.run_sync(net.streams)
        found = [circuit for circuit, target in streams if target in wanted]
        assert len(found) == 2, streams
        return set(found)
