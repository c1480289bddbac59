"""The cost of starting a node: `python -m benchmarks.bench_start [RUNS]`.

The import of all that a node runs, beside the same with the whole of libp2p, and a node process until it
answers. The least CPU time of the runs counts, because others share this machine. Targets: half of the CPU
time and modules of the whole library, a node of at most 70 MB.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_idle import cpu_seconds, resident_mb
from p2pforum.cli.demo_nodes import DemoNode

SMALLEST = "1"
CONFIG = 'network = "test.bench"\nlisten = ["/ip4/127.0.0.1/tcp/0"]\n'
LOCK = Path(__file__).parent.parent / "requirements.lock"
MEASURED = """
import sys, time
{imports}
resident = open('/proc/self/status').read().partition('VmRSS:')[2].split()[0]
print(time.process_time(), len(sys.modules), int(resident) / 1024)
"""
IMPORTS = {
    "Python alone": "",
    "a node": "import p2pforum.node",
    "a node, the whole of libp2p": "from libp2p import new_host; import p2pforum.node",
}


def cost(imports: str, runs: int) -> tuple[float, int, float]:
    """Seconds of CPU, modules, MB resident."""
    command = [sys.executable, "-c", MEASURED.format(imports=imports)]
    done = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(runs)
    ]
    return min(float(run[0]) for run in done), int(done[0][1]), float(done[0][2])


def main() -> None:
    """Print the cost of each import, and of a node process until it answers."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    packages = len(re.findall(r"^\w\S*==", LOCK.read_text(), re.MULTILINE))
    print(f"requirements.lock: {packages} packages")
    for name, imports in IMPORTS.items():
        cpu, modules, resident = cost(imports, runs)
        print(f"import {name:<28} {cpu:5.2f} s of CPU {modules:5} modules {resident:4.0f} MB")
    with tempfile.TemporaryDirectory() as directory:
        used = []
        for run in range(runs):
            with DemoNode("node", Path(directory) / f"n{run}", CONFIG) as node:
                node.start()
                assert node.process is not None
                used.append((cpu_seconds(node.process.pid), resident_mb(node.process.pid)))
    cpu, resident = min(used)
    print(f"a node process until it answers:   {cpu:5.2f} s of CPU {'':13} {resident:4.0f} MB")


if __name__ == "__main__":
    main()
