"""Two nodes on a cable of their own find each other, and a post travels; who did not ask is not found.

The cable is a pair of virtual interfaces between two network namespaces that this test makes: it needs
Linux, `ip` and root.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from e2e_nodes import DemoNode, wait_until
from missing import missing

pytestmark = pytest.mark.e2e

CONFIG = 'network = "e2e-net"\ntest = true\nhide_origin = false\nlisten = ["/ip4/0.0.0.0/tcp/0"]\n'


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
        assert [node.node.status()["lan"] for node in nodes[1:]] == [{"told": 1, "found": 1}, None]
