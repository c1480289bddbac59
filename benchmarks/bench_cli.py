"""How long commands take, whole process, beside an empty click command of the same run.

    python benchmarks/bench_cli.py [POSTS]        (default 100000)

Prints medians in milliseconds and their ratio to the empty command. Targets (issue 2): `--help` 1.3,
`read` of a 200-post thread 2.0.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nacl.bindings import crypto_sign_seed_keypair  # noqa: E402

from p2pforum.config import find_paths  # noqa: E402
from p2pforum.core.limits import NetworkParams, params_for  # noqa: E402
from p2pforum.core.post import Kind, Payload, Post, sign  # noqa: E402
from p2pforum.core.post_id import format_id  # noqa: E402
from p2pforum.core.stamp import blank_stamp  # noqa: E402
from p2pforum.store.posts import open_store  # noqa: E402

_ROUNDS = 21
_BATCH = 1_000
_THREAD = 200  # posts
_EMPTY = "import click\n@click.command()\ndef command(): print('nothing')\ncommand()"
_OURS = "from p2pforum.cli.main import main; main()"
_WORDS = "board thread sync peer battery solar library network paper answer question node".split()


def posts(params: NetworkParams, rng: Random) -> Iterator[Post]:
    """Threads of _THREAD posts, each by a few keys, on twenty boards."""
    hour = time.time_ns() // 3_600_000_000_000
    while True:
        board = f"board-{rng.randrange(20)}"
        keys = [crypto_sign_seed_keypair(seed := rng.randbytes(32))[0:1] + (seed,) for _ in range(12)]
        thread: list[Post] = []
        for _ in range(_THREAD):
            public, seed = rng.choice(keys)
            text = " ".join(rng.choices(_WORDS, k=60))
            root = thread[0].id if thread else b""
            parents = (rng.choice(thread).id,) if thread else ()
            content = (text,) if thread else (text[:50], text)
            payload = Payload(
                Kind.POST, board, root, parents, hour - rng.randrange(500), content, blank_stamp(0)
            )
            thread.append(sign(payload, seed, public, params))
            yield thread[-1]


def build(home: Path, count: int) -> str:
    """A store of `count` posts; gives the ID of a thread in the middle."""
    params = params_for("bench", test=True)
    (home / "config.toml").write_text('network = "bench"\ntest = true\n')
    made = posts(params, Random(1))
    middle = ""
    with open_store(find_paths(home).data_dir, params) as store:
        for start in range(0, count, _BATCH):
            batch = list(islice(made, min(_BATCH, count - start)))
            store.add([(post, True) for post in batch])
            if start <= count // 2:
                middle = format_id(batch[0].thread)
    return middle


def measure(program: str, arguments: Sequence[str], environment: dict[str, str]) -> float:
    """Milliseconds for one run."""
    command = [sys.executable, "-c", program, *arguments]
    began = time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1_000


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        home.mkdir()
        began = time.perf_counter()
        thread = build(home, count)
        print(f"store of {count} posts built in {time.perf_counter() - began:.1f} s; {os.cpu_count()} cores")
        environment = {**os.environ, "P2PFORUM_HOME": str(home)}
        # As installed: compiled, which pip does and this machine's environment may forbid.
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
            "search": (_OURS, ["search", "battery", "solar"]),
            "status": (_OURS, ["status"]),
        }
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(_ROUNDS):  # in turn, so that what else the machine does falls on all alike
            for name, (program, arguments) in runs.items():
                taken[name].append(measure(program, arguments, environment))
        empty = statistics.median(taken["empty click command"])
        for name, values in taken.items():
            median = statistics.median(values)
            print(f"{name:<22} {median:6.1f} ms  {median / empty:4.2f}")


if __name__ == "__main__":
    main()
