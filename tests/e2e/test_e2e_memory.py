"""All places taken by strangers that want the node's memory: it stays bounded, and honest posts arrive."""

import re
import sys
import time
from pathlib import Path

import pytest
import trio
from e2e_hoarders import Hoarders
from e2e_nodes import CONFIG, DemoNode, ids, pid_of, wait_until

from p2pforum.core import limits
from p2pforum.core.post_id import format_id

pytestmark = pytest.mark.e2e

MOST = 300 * 10**6  # bytes of memory of the node, its peak
SOON = 5.0  # seconds for an honest post

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


def peak(node: DemoNode) -> int:
    """Bytes."""
    status = Path(f"/proc/{pid_of(node)}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


async def until(condition: object, seconds: float) -> None:
    with trio.fail_after(seconds):
        while not condition():  # type: ignore[operator]
            await trio.sleep(0.1)


async def talk(here: DemoNode, there: DemoNode) -> float:
    """Seconds for a post."""
    began = time.monotonic()
    made = await trio.to_thread.run_sync(here.new_thread, "general", "Hello?", f"{here.name} speaks.")
    await until(lambda: format_id(made.post.id) in ids(there), 30)
    return time.monotonic() - began


async def test_two_hundred_hoarders_get_no_more_memory_than_there_is(tmp_path: Path) -> None:
    alice, bob = (DemoNode(name, tmp_path / name, CONFIG) for name in ("alice", "bob"))
    with alice, bob:
        alice.start()
        bob.start(alice.address())
        wait_until(lambda: alice.node.status()["gossip"]["mesh_peers"], "the nodes did not meet")
        hoarders = Hoarders(alice.address())
        async with trio.open_nursery() as nursery:
            for _ in range(limits.MAX_CONNECTIONS):
                nursery.start_soon(hoarders.attack)
            await until(lambda: hoarders.cut >= limits.MAX_CONNECTIONS // 4, 60)  # the budget is spent
            took = [await talk(*pair) for pair in [(alice, bob), (bob, alice)] * 2]
            nursery.cancel_scope.cancel()
        assert max(took) < SOON
        assert peak(alice) < MOST
        assert bob.node.status()["peers"] == 1, "it was never cut"


async def test_control_without_one_budget_for_all_a_third_of_them_is_too_much(tmp_path: Path) -> None:
    with Unbounded("alice", tmp_path / "alice", CONFIG) as alice:
        alice.start()
        hoarders = Hoarders(alice.address())
        async with trio.open_nursery() as nursery:
            for _ in range(limits.MAX_CONNECTIONS // 3):
                nursery.start_soon(hoarders.attack)
            await until(lambda: peak(alice) > MOST, 60)
            nursery.cancel_scope.cancel()
