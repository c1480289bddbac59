"""All places taken by strangers that want the node's memory: it stays bounded, and honest posts arrive."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from e2e_nodes import CONFIG, DemoNode, ids, peak, wait_until

from p2pforum.core import limits
from p2pforum.core.post_id import format_id

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("measures")]

MOST = 300 * 10**6  # bytes of memory of the node, its peak
PAUSE = 4.0  # seconds: 200 of them send 12 MB/s, and more would be a test of the processor

_UNBOUNDED = """
from p2pforum.core import limits
limits.CONNECTION_MEMORY = 2**60
from p2pforum.cli.main import main
main()
"""


class Unbounded(DemoNode):
    """The control: connections have their bounds, and all together have none."""

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", _UNBOUNDED, "--home", str(self._home), *arguments]


def talk(here: DemoNode, there: DemoNode) -> float:
    """Seconds for a post."""
    began = time.monotonic()
    made = here.new_thread("general", "Hello?", f"{here.name} speaks.")
    wait_until(lambda: format_id(made.post.id) in ids(there), "a post did not come")
    return time.monotonic() - began


@contextmanager
def hoarders(node: DemoNode, count: int, pause: float) -> Iterator[IO[bytes]]:
    script = str(Path(__file__).parent / "e2e_hoarders.py")
    command = [sys.executable, script, node.address(), str(count), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


def test_two_hundred_hoarders_get_no_more_memory_than_there_is(tmp_path: Path) -> None:
    alice, bob = (DemoNode(name, tmp_path / name, CONFIG) for name in ("alice", "bob"))
    with alice, bob:
        alice.start()
        bob.start(alice.address())
        wait_until(lambda: alice.node.status()["gossip"]["mesh_peers"], "the nodes did not meet")
        with hoarders(alice, limits.MAX_CONNECTIONS, PAUSE) as said:
            assert said.readline() == b"cut\n", "the budget is spent"
            for pair in [(alice, bob), (bob, alice)] * 2:
                print(f"a post took {talk(*pair):.1f} s")
        print(f"the peak was {peak(alice) // 10**6} MB")
        assert peak(alice) < MOST
        assert bob.node.status()["peers"] == 1


def test_control_without_one_budget_for_all_a_third_of_them_is_too_much(tmp_path: Path) -> None:
    with Unbounded("alice", tmp_path / "alice", CONFIG) as alice:
        alice.start()
        with hoarders(alice, limits.MAX_CONNECTIONS // 3, 0.0):
            wait_until(lambda: peak(alice) > MOST, "it was bounded")
