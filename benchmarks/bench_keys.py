"""The cost of keys: unlocking, signing and posting from the command line, and the search after a burn.

    python -m benchmarks.bench_keys [POSTS] [ROUNDS]        100,000 and 11

Prints medians of so many rounds, of fewer where one takes long. Posting is measured on a network without
stamps (the time of the program itself) and with the stamps of the real one (the time that a user waits).
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench_cli import build
from p2pforum.cli.demo_nodes import DemoNode
from p2pforum.config import find_paths
from p2pforum.core.network_params import params_for
from p2pforum.core.post_id import format_id
from p2pforum.keystore.format import KdfCost, derive
from p2pforum.keystore.keystore import Keystore
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader

SMALLEST = "300 1"

_ROOT = Path(__file__).resolve().parent.parent
_PASSPHRASE = b"correct horse battery staple"
_TEST = 'network = "test.bench"\n'


class Home:
    """One user's directory, and the command run in it."""

    def __init__(self, path: Path, config: str = _TEST) -> None:
        self.path = path
        self.passphrase = path.with_suffix(".passphrase")
        self.passphrase.touch(0o600)
        self.passphrase.write_bytes(_PASSPHRASE)
        if not path.exists():
            path.mkdir(mode=0o700)
            (path / "config.toml").write_text(config)

    def run(self, *arguments: str, stdin: str = "", sealed: bool = False) -> float:
        """Run a command; returns seconds. `sealed`: the passphrase comes from a file."""
        environment = {**os.environ, "P2PFORUM_HOME": str(self.path)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(self.path.parent / "compiled")
        environment.pop("P2PFORUM_PASSPHRASE_FILE", None)
        if sealed:
            environment["P2PFORUM_PASSPHRASE_FILE"] = str(self.passphrase)
        command = [sys.executable, str(_ROOT / "node.py"), *arguments]
        began = time.perf_counter()
        subprocess.run(
            command,
            env=environment,
            input=stdin.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - began

    def post(self, *, sealed: bool = False) -> float:
        return self.run("post", "library", "--yes", "-s", "A subject", stdin="Some text.\n", sealed=sealed)


def median(act: Callable[[], float], rounds: int) -> float:
    act()  # compiles, and makes the files that are made once
    return statistics.median(act() for _ in range(rounds))


def show(what: str, seconds: float) -> None:
    print(f"{what:<58} {seconds * 1000:8.0f} ms", flush=True)


def derivation() -> float:
    began = time.perf_counter()
    derive(_PASSPHRASE, bytes(16), KdfCost())
    return time.perf_counter() - began


def posting(directory: Path, rounds: int) -> None:
    """Print how long posting takes: with a node and without, with a passphrase, unlocked, and
    with a stamp.
    """
    with DemoNode("node", directory / "plain", _TEST) as node:
        node.start()
        home = Home(directory / "plain")
        show("post to a running node, no passphrase, no stamp", median(home.post, rounds))
        home.run("passphrase", "--new-file", str(home.passphrase))
        show("the same, passphrase each time", median(lambda: home.post(sealed=True), rounds))
        show("unlock", median(lambda: home.run("unlock", sealed=True), rounds))
        show("post to a running node, unlocked", median(home.post, rounds))
        home.run("lock")
    home = Home(directory / "alone")
    show("post with no node running", median(home.post, rounds))
    home = Home(directory / "stamped", 'network = "bench-stamped"\n')
    show("post with the real network's stamp (a new key)", median(home.post, -(-rounds // 4)))


def burning(directory: Path, count: int, rounds: int) -> None:
    """Print how long burning a key takes in a store of `count` posts, with the search of all files."""
    home = Home(directory / "large")
    build(home.path, count)
    size = sum(p.stat().st_size for p in home.path.rglob("*") if p.is_file())
    print(f"store of {count} posts: {size / 1e6:.0f} MB")

    def burn_one() -> float:
        home.post()
        with open_store(find_paths(home.path).data_dir, params_for("test.bench")) as store:
            store.release(_unreleased(home))
        (key,) = Keystore(find_paths(home.path).keys_dir).read().keys.values()
        return home.run("key", "burn", format_id(key.public), "--yes")

    def burn_unsent() -> float:
        home.post()
        return home.run("key", "burn", "--everything", "--yes")

    show("burn one key and search all files", median(burn_one, -(-rounds // 2)))
    show("the same, with a post that was never sent", median(burn_unsent, -(-rounds // 2)))


def _unreleased(home: Home) -> list[bytes]:
    with open_reader(find_paths(home.path).data_dir) as reader:
        return [row.id for row in reader.unreleased()]


def main() -> None:
    """Print all figures that the head of this file describes."""
    numbers = [int(text) for text in sys.argv[1:]]
    count, rounds = (numbers + [100_000, 11][len(numbers) :])[:2]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    show("Argon2id alone (256 MiB, 3 passes)", median(derivation, rounds))
    with tempfile.TemporaryDirectory() as directory:
        posting(Path(directory), rounds)
        burning(Path(directory), count, rounds)


if __name__ == "__main__":
    main()
