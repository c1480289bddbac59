"""Real node processes on loopback, on a network without stamps."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from p2pforum.cli.demo_nodes import DemoNode, wait_until
from p2pforum.core.post_id import format_id

CHECKOUT = Path(__file__).parent.parent.parent
CONFIG = 'network = "test.e2e"\nhide_origin = false\nlisten = ["/ip4/127.0.0.1/tcp/0"]\n'

__all__ = ["CHECKOUT", "CONFIG", "DemoNode", "cli", "ids", "kill", "line", "peak", "pid_of", "wait_until"]


def cli(home: Path, *arguments: str, stdin: str = "", code: int = 0) -> str:
    """Run the command as a person would; give what it printed. Checks the exit code."""
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "node.py"), "--home", str(home), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "P2PFORUM_HOME": ""},
    )
    assert done.returncode == code, f"{arguments} gave {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + (done.stderr if code else "")


def pid_of(node: DemoNode) -> int:
    assert node.process is not None
    return node.process.pid


def peak(node: DemoNode) -> int:
    """The most memory that its process has had, in bytes."""
    status = Path(f"/proc/{pid_of(node)}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def kill(node: DemoNode) -> None:
    """SIGKILL: no good-bye to peers, no commit of what is under way."""
    assert node.process is not None
    node.process.send_signal(signal.SIGKILL)
    node.process.wait()
    node.stop()


@contextmanager
def line(directory: Path, names: Sequence[str]) -> Iterator[list[DemoNode]]:
    """Running nodes, each dialling the one before it."""
    with ExitStack() as stack:
        nodes: list[DemoNode] = []
        for name in names:
            node = stack.enter_context(DemoNode(name, directory / name, CONFIG))
            node.start(*[nodes[-1].address()] if nodes else [])
            nodes.append(node)
        yield nodes


def ids(node: DemoNode) -> set[str]:
    """Every post that a node shows to its own user."""
    threads = node.reader.threads(None, 10_000)
    return {format_id(row.id) for thread in threads for row in node.reader.thread(thread.root)}
