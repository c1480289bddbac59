"""Two nodes on a cable of their own find each other, and a post travels; who did not ask is not found.

The cable is a pair of virtual interfaces between two network namespaces that this test makes: it needs
Linux, `ip` and root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e_nodes import DemoNode, wait_until
from missing import missing

from p2pforum.lan.names import service_type

pytestmark = pytest.mark.e2e

CONFIG = 'network = "test.e2e"\nhide_origin = false\nlisten = ["/ip4/0.0.0.0/tcp/0"]\n'


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def cable() -> Iterator[list[str]]:
    """Two namespaces, each a machine with one address."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        missing("it needs `ip` (iproute2) and root")
    places = [f"p2pforum-{os.getpid()}-{end}" for end in "ab"]
    with ExitStack() as stack:
        for place in places:
            try:
                ip("netns", "add", place)
            except subprocess.CalledProcessError as error:
                missing(f"no network namespaces here: {error.stderr.decode().strip()}")
            stack.callback(ip, "netns", "delete", place)
        ip("link", "add", "end", "netns", places[0], "type", "veth", "peer", "end", "netns", places[1])
        for number, place in enumerate(places, 1):
            ip("-netns", place, "address", "add", f"10.77.0.{number}/24", "dev", "end")
            for interface in ("lo", "end"):
                ip("-netns", place, "link", "set", interface, "up")
        yield places


class NodeAt(DemoNode):
    """A node on one of these machines. Its API is a file, which both share with this one."""

    def __init__(self, place: str, home: Path, config: str) -> None:
        super().__init__(place, home, config)
        self._place = place

    def _command(self, *arguments: str) -> list[str]:
        return ["ip", "netns", "exec", self._place, *super()._command(*arguments)]


def test_two_nodes_on_a_cable_find_each_other_and_a_post_travels(tmp_path: Path, cable: list[str]) -> None:
    here, there = cable
    with (
        NodeAt(here, tmp_path / "alice", CONFIG + "lan = true\n") as alice,
        NodeAt(there, tmp_path / "bob", CONFIG + "lan = true\n") as bob,
        NodeAt(there, tmp_path / "shy", CONFIG) as shy,
    ):
        nodes = (alice, bob, shy)
        for node in nodes:
            node.start()
        wait_until(lambda: alice.node.status()["gossip"]["mesh_peers"] > 0, "they did not find each other")
        posted = alice.new_thread("general", "Over the cable", "Nobody named anybody.").post
        assert posted is not None
        wait_until(lambda: bob.holds(posted), "the post did not arrive")
        (met,) = bob.node.peers()
        assert (met["peer"], met["named"]) == (alice.node.status()["peer_id"], False)
        assert met["address"].startswith("/ip4/10.77.0.1/tcp/")
        assert shy.node.peers() == [], "lan = true is for those who want it"
        wait_until(lambda: bob.node.status()["lan"] == {"told": 1, "found": 1}, "bob found nobody")
        assert shy.node.status()["lan"] is None


_ASK = """
import socket, sys
from zeroconf import DNSOutgoing, DNSQuestion
out = DNSOutgoing(0)
out.add_question(DNSQuestion(sys.argv[1], 12, 1))  # PTR, IN
out.add_question(DNSQuestion(sys.argv[2] + "." + sys.argv[1], 12, 1))  # the same packet again gets no answer
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(float(sys.argv[3]))
    sock.sendto(out.packets()[0], (sys.argv[2], 5353))
    try:
        print(len(sock.recv(9000)) > 100)
    except TimeoutError:
        print(False)
"""


def _is_answered(place: str, target: str, seconds: float) -> bool:
    """Whether the port of multicast DNS answers who asks it directly."""
    kind = service_type("test.e2e")
    program = [sys.executable, "-c", _ASK, kind, target, str(seconds)]
    done = subprocess.run(
        ["ip", "netns", "exec", place, *program], check=True, capture_output=True, text=True
    )
    return done.stdout.strip() == "True"


def test_who_asks_from_elsewhere_gets_no_answer(tmp_path: Path, cable: list[str]) -> None:
    """The machine has a public address, too; python-zeroconf listens at all."""
    here, there = cable
    for number, place in enumerate(cable, 1):
        ip("-netns", place, "address", "add", f"8.8.8.{number}/24", "dev", "end")
    with NodeAt(here, tmp_path / "alice", CONFIG + "lan = true\n") as alice:
        alice.start()
        wait_until(lambda: alice.node.status()["lan"]["told"] == 1, "it tells nobody")
        assert not _is_answered(there, "8.8.8.1", 1)
        assert _is_answered(there, "10.77.0.1", 10), "a neighbour gets one"
