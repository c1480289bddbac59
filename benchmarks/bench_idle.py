"""What a node costs that has nothing to do: `python -m benchmarks.bench_idle [SECONDS] [PEERS]`.

A node process with peers connected to it. Targets: under 1 % of a core, under 70 MB.
"""

import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from p2pforum.cli.demo_nodes import DemoNode, wait_for_mesh

SMALLEST = "1 1"

CONFIG = 'network = "test.bench"\n'
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Start the nodes, wait until they are idle, and print the CPU and memory of the first one."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    peers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        nodes = [
            stack.enter_context(DemoNode(f"n{i}", Path(directory) / f"n{i}", CONFIG))
            for i in range(peers + 1)
        ]
        nodes[0].start()
        for node in nodes[1:]:
            node.start(nodes[0].address())
        if peers:
            wait_for_mesh(nodes[:1])  # a mesh takes 12 of 20
        time.sleep(3)  # the first heartbeats and syncs are not idleness
        assert nodes[0].process is not None
        pid = nodes[0].process.pid
        before = cpu_seconds(pid)
        time.sleep(seconds)
        used = (cpu_seconds(pid) - before) / seconds
        print(f"idle with {peers} peers for {seconds:g} s: {used:.2%} of a core")
        print(f"resident: {resident_mb(pid):.0f} MB")


if __name__ == "__main__":
    main()
