"""A node at home is reached from outside: by IPv6 as it is installed, and through its router if it asks.

Home, router and world are network namespaces that this test makes: it needs Linux, root, `ip`, `nft` and
miniupnpd, a router's own program.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e_nodes import wait_until
from missing import missing
from test_e2e_lan import NodeAt, ip

pytestmark = pytest.mark.e2e

CONFIG = 'network = "test.e2e"\nhide_origin = false\nlisten = ["auto"]\n'
HOME6, ROUTER4 = "2a02:1:2:3::2", "5.5.5.1"

_RULES = """
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    jump miniupnpd
    iifname "lan" accept
    ct state established,related accept
    meta nfproto ipv6 accept
  }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain postrouting {
    type nat hook postrouting priority 100
    jump postrouting_miniupnpd
    meta nfproto ipv4 oifname "wan" masquerade
  }
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
"""
_ROUTER = """
ext_ifname=wan
listening_ip=lan
enable_natpmp=no
enable_upnp=yes
secure_mode=yes
uuid=00000000-0000-0000-0000-000000000001
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


class Town:
    """Three machines in a row."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self.home, self.router, self.world = (f"p2pforum-{os.getpid()}-{n}" for n in ("home", "rt", "world"))
        for place in (self.home, self.router, self.world):
            ip("netns", "add", place)
            stack.callback(ip, "netns", "delete", place)
            ip("-netns", place, "link", "set", "lo", "up")
        self._cable("lan", (self.home, "192.168.77.2", HOME6), (self.router, "192.168.77.1", "2a02:1:2:3::1"))
        self._cable("wan", (self.router, ROUTER4, "2a02:9::1"), (self.world, "5.5.5.2", "2a02:9::2"))
        ip("-netns", self.home, "route", "add", "default", "via", "192.168.77.1")
        ip("-netns", self.home, "-6", "route", "add", "default", "via", "2a02:1:2:3::1")
        ip("-netns", self.world, "-6", "route", "add", "default", "via", "2a02:9::1")
        self.run(self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.run(self.router, "nft", "-f", "-", text=_RULES)
        config = directory / "miniupnpd.conf"
        config.write_text(_ROUTER)
        program = ["miniupnpd", "-d", "-f", str(config), "-P", str(directory / "miniupnpd.pid")]
        daemon = subprocess.Popen(
            ["ip", "netns", "exec", self.router, *program],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(daemon.wait)
        stack.callback(daemon.terminate)

    def _cable(self, name: str, *ends: tuple[str, str, str]) -> None:
        (one, _, _), (other, _, _) = ends
        ip("link", "add", name, "netns", one, "type", "veth", "peer", name, "netns", other)
        for place, ipv4, ipv6 in ends:
            ip("-netns", place, "address", "add", f"{ipv4}/24", "dev", name)
            ip("-netns", place, "address", "add", f"{ipv6}/64", "dev", name, "nodad")
            ip("-netns", place, "link", "set", name, "up")

    def run(self, place: str, *program: str, text: str = "") -> str:
        command = ["ip", "netns", "exec", place, *program]
        return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout

    def forwarded(self) -> str:
        return self.run(self.router, "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    for program in ("ip", "nft", "miniupnpd"):
        if shutil.which(program) is None or os.geteuid() != 0:
            missing(f"it needs {program} and root")
    with ExitStack() as stack:
        try:
            made = Town(stack, tmp_path)
        except subprocess.CalledProcessError as error:
            missing(f"no network namespaces here: {error}")
        yield made


def announced(node: NodeAt) -> list[str]:
    status = node.node.status()
    return [f"{address}/p2p/{status['peer_id']}" for address in status["announced"]]


def test_a_node_as_it_is_installed_is_reached_by_ipv6_alone(tmp_path: Path, town: Town) -> None:
    with (
        NodeAt(town.home, tmp_path / "alice", CONFIG) as alice,
        NodeAt(town.world, tmp_path / "bob", CONFIG) as bob,
    ):
        alice.start()
        (address,) = announced(alice)
        assert address.startswith(f"/ip6/{HOME6}/tcp/")
        bob.start(address)
        wait_until(lambda: alice.node.status()["gossip"]["mesh_peers"] > 0, "bob did not come in")
        posted = bob.new_thread("general", "From outside", "Nobody opened a port.").post
        assert posted is not None
        wait_until(lambda: alice.holds(posted), "the post did not arrive")
        assert town.forwarded().count("dnat") == 0


def test_a_router_lets_others_through_for_as_long_as_the_node_runs(tmp_path: Path, town: Town) -> None:
    with (
        NodeAt(town.home, tmp_path / "alice", CONFIG + "map_port = true\n") as alice,
        NodeAt(town.world, tmp_path / "bob", CONFIG) as bob,
    ):
        wait_until(lambda: _answers(town), "the router does not answer")
        alice.start()
        ipv4, ipv6 = announced(alice)
        assert ipv4.startswith(f"/ip4/{ROUTER4}/tcp/")
        assert ipv6.startswith(f"/ip6/{HOME6}/tcp/")
        bob.start(ipv4)
        wait_until(lambda: alice.node.status()["gossip"]["mesh_peers"] > 0, "bob did not come in")
        assert town.forwarded().count("dnat") == 1
        alice.stop()
        assert town.forwarded().count("dnat") == 0, "it takes its port back"


def _answers(town: Town) -> bool:
    """miniupnpd takes a moment to open its sockets."""
    listening = town.run(town.router, "ss", "-lnu")
    return ":1900" in listening
