"""A node that strangers attack in all ways at once, and that syncs with an honest peer meanwhile.

Time is the CPU that the node uses while the honest session has something to do: see besieged_node.py.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trio
from e2e_attacks import MILLION, OPENING, WAYS, Scene, lists_fakes, never_agrees, strike
from e2e_filled import BOARDS, PARAMS, fill, written
from e2e_nodes import CONFIG, DemoNode

from p2pforum.app.clock import this_hour
from p2pforum.core.limits import KIB

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("measures")]

MOST_MEMORY = 50 * KIB * KIB


class Besieged(DemoNode):
    kind = ""

    def _command(self, *arguments: str) -> list[str]:
        script = str(Path(__file__).parent / "besieged_node.py")
        return [sys.executable, script, self.kind, "--home", str(self._home), *arguments]

    def peak(self) -> int:
        """The most memory that it ever had, in bytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * KIB

    def busy(self) -> float:
        """With the one session that brought posts."""
        lines = [line.split() for line in self._log.read_text().splitlines() if line.startswith("SESSION")]
        (seconds,) = [float(seconds) for _, new, seconds in lines if int(new)]
        return seconds


@contextmanager
def a_pair(directory: Path, name: str, kind: str, posts: int) -> Iterator[tuple[Besieged, DemoNode, Scene]]:
    """The node, an honest one that has as many other posts, and what an attacker needs."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as stack:
        victim = stack.enter_context(Besieged(name, directory / name, CONFIG))
        honest = stack.enter_context(DemoNode(f"honest-{name}", directory / f"honest-{name}", CONFIG))
        victim.kind = kind
        mine = written("mine", posts)
        fill([victim], mine)
        fill([honest], written("theirs", posts))
        victim.start()
        honest.start()
        raws = [post.raw for post in mine]
        yield victim, honest, Scene(PARAMS, victim.address(), BOARDS, raws, this_hour())


def meet(victim: Besieged, honest: DemoNode, posts: int) -> tuple[float, int]:
    """One session: seconds that the node was busy with it, and the most memory that it had."""
    (*_, last) = victim.node.sync(honest.address())
    assert last["result"]["done"] == 1
    assert last["result"]["new"] == last["result"]["sent"] == posts
    return victim.busy(), victim.peak()


def alone(directory: Path, posts: int) -> tuple[float, int]:
    with a_pair(directory, "alone", "bounded", posts) as (victim, honest, _):
        return meet(victim, honest, posts)


async def besieged(directory: Path, kind: str, posts: int) -> tuple[float, int]:
    with a_pair(directory, "victim", kind, posts) as (victim, honest, scene):
        async with trio.open_nursery() as nursery:
            for attack in OPENING:
                nursery.start_soon(strike, scene, attack, never_agrees)
            while not all(scene.did[way] for way in WAYS):
                await trio.sleep(0.05)
            figures = await trio.to_thread.run_sync(meet, victim, honest, posts)
            nursery.cancel_scope.cancel()
    return figures


async def grown_by_fakes(directory: Path, kind: str) -> int:
    """Bytes that a million IDs of posts that do not exist, and never come, cost."""
    with a_pair(directory, "victim", kind, 1_000) as (victim, _, scene):
        before = victim.peak()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(strike, scene, None, lists_fakes)
            while scene.did["listed"] < MILLION and victim.peak() - before <= MOST_MEMORY:
                await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
        return victim.peak() - before


async def test_an_honest_session_beside_attacks(tmp_path: Path) -> None:
    """It takes at most twice its time, and the node does not grow. Of two runs each the one that other
    programs on this machine disturbed less."""
    quiet = [alone(tmp_path / f"quiet-{run}", 5_000) for run in range(2)]
    attacked = [await besieged(tmp_path / f"attacked-{run}", "bounded", 5_000) for run in range(2)]
    assert min(attacked)[0] <= 2 * min(quiet)[0]
    assert max(memory for _, memory in attacked) - max(memory for _, memory in quiet) <= MOST_MEMORY


async def test_without_shares_strangers_take_the_time(tmp_path: Path) -> None:
    """The control."""
    seconds, _ = alone(tmp_path, 1_000)
    seconds_besieged, _ = await besieged(tmp_path, "unfair", 1_000)
    assert seconds_besieged > 2 * seconds


@pytest.mark.parametrize(("kind", "holds"), [("bounded", True), ("unbounded", False)])
async def test_a_million_ids_that_do_not_exist(kind: str, holds: bool, tmp_path: Path) -> None:
    """And without the limits of a session, as the control."""
    assert (await grown_by_fakes(tmp_path, kind) <= MOST_MEMORY) == holds
