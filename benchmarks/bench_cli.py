"""How long commands take, whole process, beside an empty click command of the same run.

    python -m benchmarks.bench_cli [POSTS] [ROUNDS]        (default 100000 and 21)

Prints medians in milliseconds, by the clock and of CPU, and their ratio to the empty command; on a busy
machine the CPU figures mean more. Targets (issue 2): `--help` 1.3, `read` of a 200-post thread 2.0.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.bench_posts import Writer
from p2pforum.config import find_paths
from p2pforum.core.network_params import params_for
from p2pforum.core.post_id import format_id
from p2pforum.store.posts import open_store

SMALLEST = "300 2"

_ROOT = Path(__file__).resolve().parent.parent
_BATCH = 1_000
_THREAD = 200  # posts in the thread that is read
_EMPTY = "import click\n@click.command()\ndef command(): print('nothing')\ncommand()"
_OURS = "from p2pforum.cli.main import main; main()"


def build(home: Path, count: int) -> str:
    """A store of `count` posts; gives the ID of a thread of _THREAD posts in the middle of it."""
    params = params_for("test.bench")
    (home / "config.toml").write_text('network = "test.bench"\n')
    writer = Writer(params)
    posts = writer.posts(count - _THREAD)
    with open_store(find_paths(home).data_dir, params) as store:
        while batch := list(islice(posts, _BATCH)):
            store.add([(post, True) for post in batch])
        thread = writer.thread(_THREAD)
        store.add([(post, True) for post in thread])
    return format_id(thread[0].id)


def measure(program: str, arguments: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Milliseconds for one run: by the clock, and of CPU."""
    command = [sys.executable, "-c", program, *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=_ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return (time.perf_counter() - began) * 1_000, (used.ru_utime + used.ru_stime) * 1_000


def main() -> None:
    """Build a store, run each command in turn, and print the table that the head of this file describes."""
    count, rounds = [int(v) for v in sys.argv[1:3]] + [100_000, 21][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        home.mkdir()
        began = time.perf_counter()
        thread = build(home, count)
        print(f"store of {count} posts built in {time.perf_counter() - began:.1f} s; {os.cpu_count()} cores")
        environment = {**os.environ, "P2PFORUM_HOME": str(home)}
        # As installed: compiled. pip does that, and the environment of this machine may forbid it.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(directory) / "compiled")
        runs = {
            "empty click command": (_EMPTY, []),
            "--help": (_OURS, ["--help"]),
            f"read ({_THREAD} posts)": (_OURS, ["read", thread]),
            "read, in colour": (_OURS, ["--color", "always", "read", thread]),
            "read --json": (_OURS, ["read", thread, "--json"]),
            "boards": (_OURS, ["boards"]),
            "threads": (_OURS, ["threads"]),
            "search": (_OURS, ["search", thread[:4], "OR", "et*"]),
            "status": (_OURS, ["status"]),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(rounds + 1):  # in turn, so that other work on the machine slows all alike
            for name, (program, arguments) in runs.items():
                taken[name].append(measure(program, arguments, environment))
        print(f"{'':<22} {'by the clock':>20} {'of CPU':>20}")
        empty = medians(taken["empty click command"])
        for name, values in taken.items():
            found = medians(values)
            shown = [f"{m:10.1f} ms  {m / e:5.2f}" for m, e in zip(found, empty, strict=True)]
            print(f"{name:<22} {shown[0]:>20} {shown[1]:>20}")


def medians(values: Sequence[tuple[float, float]]) -> list[float]:
    """The medians, without the first run, which compiles."""
    return [statistics.median(column) for column in zip(*values[1:], strict=True)]


if __name__ == "__main__":
    main()
