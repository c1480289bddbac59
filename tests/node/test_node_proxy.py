"""A whole node with and without a proxy: two faces, and who is asked whom to part with."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from peers_tools import a_peer, an_address

from p2pforum.config import Config, find_paths
from p2pforum.core.errors import ConfigError
from p2pforum.node import now_hours, open_node
from p2pforum.stem.guards import Guard, Guards
from p2pforum.store.peer_book import save_book

pytestmark = pytest.mark.e2e


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def a_config(port: int, proxy: str) -> Config:
    return Config(network="test.lab", listen=(f"/ip4/127.0.0.1/tcp/{port}",), proxy=proxy)


async def test_the_lasting_peer_id_behind_a_proxy_is_another(tmp_path: Path) -> None:
    """Else whoever has met the node without one would know it again at its onion address."""
    paths, port = find_paths(tmp_path, {}), a_free_port()
    seen: dict[str, set[str]] = {"": set(), "socks5://127.0.0.1:9": set()}
    for proxy in [*seen, *seen]:
        async with open_node(a_config(port, proxy), paths) as node:
            seen[proxy].add(str(node.desk.status()["peer_id"]))
            assert node.desk.status()["proxy"] == (proxy or None)
    without, behind = seen.values()
    assert len(without) == len(behind) == 1, "each lasts over a restart"
    assert without.isdisjoint(behind)


async def test_what_was_met_one_way_is_not_dialled_the_other(tmp_path: Path) -> None:
    """An address told to one node alone, a guard or the own record would show that both are one node."""
    paths, port = find_paths(tmp_path, {}), a_free_port()
    clear, behind = a_config(port, ""), a_config(port, "socks5://127.0.0.1:9")
    guard = Guard(0, a_peer(1), an_address(1), "", now_hours() + 1_000, True)
    for before, after in [(clear, behind), (behind, clear)]:
        async with open_node(before, paths) as node:
            node.connection_manager.book.learn(an_address(1), "", now_hours())
            save_book(node.store, node.connection_manager.book.take_changes().rows, [])
            node.guard_file.save(Guards(kept=[guard]).encode())
        async with open_node(before, paths) as node:
            assert node.desk.status()["book"]["new"] == 1, "the same way it is kept"
            assert node.stem.router.guards.kept == [guard]
        async with open_node(after, paths) as node:
            assert node.desk.status()["book"] == {"new": 0, "tried": 0, "outbound": 0, "wanted": 8}
            assert before is behind or node.stem.router.guards.kept == []
    async with open_node(behind, paths) as node:
        assert node.desk.status()["book"]["new"] == 0, "nor back"


async def test_a_proxy_set_while_the_node_runs_dials_nobody_without_it(tmp_path: Path) -> None:
    """SIGHUP reads the peers anew: those that stand beside a new proxy are for a node that uses it."""
    peer = "/dns4/forum.example/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
    written = replace(a_config(0, "socks5://127.0.0.1:9"), peers=(peer,))
    async with open_node(a_config(0, ""), find_paths(tmp_path, {}), lambda: written) as node:
        with pytest.raises(ConfigError, match="restart the node"):
            node.desk.reload()
        assert node.connection_manager.absent() == []
        written = replace(a_config(0, ""), peers=(peer,))
        node.desk.reload()
        assert [row.address for row in node.connection_manager.absent()] == [peer], (
            "with the same, they are taken"
        )


async def test_the_network_asks_the_node_who_brings_posts(tmp_path: Path) -> None:
    async with open_node(a_config(0, ""), find_paths(tmp_path, {})) as node:
        places = node.network._slots  # type: ignore[attr-defined]
        assert places._worth == node.gossip._worth
        assert places._worth() == {}
