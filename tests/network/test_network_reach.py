"""Where a node listens and what it tells others, for each way to configure it."""

from pathlib import Path

import pytest
from test_own_ipv6 import LASTING, ONE, listed

from p2pforum.config import AUTO, Config
from p2pforum.core import limits
from p2pforum.core.errors import ConfigError, NetworkError
from p2pforum.network import port_mapping
from p2pforum.network.peer_seed import peer_seed, port_of, seed_at
from p2pforum.reach import Reach, find_reach

PUBLIC = listed((ONE, LASTING))
LOOPBACK = "/ip4/127.0.0.1/tcp/0"
OTHER = "/ip4/203.0.113.7/tcp/4001"


async def reach(directory: Path, interfaces: str = PUBLIC, **settings: object) -> Reach:
    async with find_reach(Config(**settings), directory, interfaces) as found:  # type: ignore[arg-type]
        return found


async def test_a_public_address_is_listened_at_and_told(tmp_path: Path) -> None:
    found = await reach(tmp_path)
    network = f"/ip6/{ONE}/tcp/{port_of(peer_seed(tmp_path))}"
    assert found.listen == (LOOPBACK, network)
    assert found.announce == (network,)
    assert found == await reach(tmp_path), "the same after a restart"


async def test_without_one_the_node_is_there_for_this_machine_only(tmp_path: Path) -> None:
    assert await reach(tmp_path, "") == Reach((LOOPBACK,))
    assert not (tmp_path / "peer.seed").exists(), "and it has a new peer ID at every start"


async def test_in_another_network_it_is_another_peer(tmp_path: Path) -> None:
    here = await reach(tmp_path)
    there = await reach(tmp_path, listed(("2a02:9:9:9::1", LASTING)))
    assert None not in (here.seed, there.seed)
    assert here.seed != there.seed
    assert here.seed != peer_seed(tmp_path), "nor the one of a port that the user named"
    neighbour = await reach(tmp_path, listed(("2a02:1:2:3::77", LASTING)))
    assert neighbour.seed == here.seed, "but a new address in the same network is the same peer"


async def test_what_the_user_configured_stands(tmp_path: Path) -> None:
    assert (await reach(tmp_path, announce=())).announce == ()
    assert (await reach(tmp_path, exchange=False)).announce == ()
    assert await reach(tmp_path, listen=()) == Reach(())
    assert await reach(tmp_path, listen=(LOOPBACK,)) == Reach((LOOPBACK,))
    fixed = await reach(tmp_path, listen=("/ip4/0.0.0.0/tcp/4001",), announce=(OTHER,))
    assert fixed == Reach(("/ip4/0.0.0.0/tcp/4001",), (OTHER,), peer_seed(tmp_path))
    alone = await reach(tmp_path, listen=("/ip4/0.0.0.0/tcp/4001",))
    assert alone.announce == (), "what the user listens at is told by the user"


async def test_behind_a_proxy_no_address_is_looked_for_or_told(tmp_path: Path) -> None:
    assert await reach(tmp_path, proxy="socks5://127.0.0.1:9050") == Reach((LOOPBACK,))
    with pytest.raises(ConfigError, match="map_port"):
        Config(proxy="socks5://127.0.0.1:9050", map_port=True)
    assert Config(proxy="socks5://127.0.0.1:9050").listen == AUTO


async def test_a_router_that_opens_no_port_is_no_reason_not_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> None:
        raise NetworkError("no router here answers UPnP")

    monkeypatch.setattr(port_mapping, "_find_router", silent)
    found = await reach(tmp_path, map_port=True)
    assert found == await reach(tmp_path)
    assert await reach(tmp_path, "", map_port=True) == Reach((LOOPBACK,))


def test_ports_are_spread_and_lasting() -> None:
    ports = {port_of(bytes([n]) * 32) for n in range(200)}
    assert len(ports) > 190
    assert all(limits.FIRST_PORT <= port < limits.FIRST_PORT + limits.PORTS for port in ports)
    assert port_of(b"1" * 32) == port_of(b"1" * 32)


def test_the_seed_of_a_place_says_nothing_of_that_of_another() -> None:
    seed = b"s" * 32
    assert len({seed, seed_at(seed, "a"), seed_at(seed, "b"), seed_at(b"t" * 32, "a")}) == 4
