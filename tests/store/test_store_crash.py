"""What was acknowledged is there after kill -9 at any point, and everything derived still fits."""

import random
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_tools import opened
from strategies import TEST_NETWORK

from p2pforum.store import doctor
from p2pforum.store.queries import open_reader

CHILD = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from strategies import HOUR, TEST_NETWORK, a_post
from p2pforum.store import retention
from p2pforum.store.posts import open_store
rng = random.Random(int(sys.argv[3]))
root = b""
with open_store(Path(sys.argv[1]), TEST_NETWORK) as store:
    for n in range(1_000_000):
        hours = [HOUR + rng.randrange(50) for _ in range(rng.randint(1, 40))]
        name = f"Round {sys.argv[3]} post {n}"
        posts = [a_post(f"{name} {i} kept.", root=root, hour=h) for i, h in enumerate(hours)]
        root = rng.choice([root, posts[0].thread, b""])
        released = rng.random() < 0.7
        store.add([(post, released) for post in posts])
        if not released:
            store.release([post.id for post in posts])
        print("\\n".join(post.id.hex() for post in posts), flush=True)
        if n % 3 == 2:  # some hours' digests are made and saved, and change again
            with store.snapshot():
                pass
            store.checkpoint()
        if n % 5 == 4:
            print("dropping", posts[0].id.hex(), flush=True)
            retention.drop(store, [posts[0].id], scrub=n % 10 == 9)
            print("dropped", posts[0].id.hex(), flush=True)
"""


@pytest.mark.e2e
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    rng = random.Random(7)
    acknowledged: set[bytes] = set()
    dropped: set[bytes] = set()
    dropping: set[bytes] = set()
    for round_number in range(4):
        lines = _run_and_kill(tmp_path / "data", round_number, rng.randint(30, 1_500))
        for line in lines:
            word, _, rest = line.rpartition(" ")
            {"": acknowledged, "dropping": dropping, "dropped": dropped}[word].add(bytes.fromhex(rest))
        with ExitStack() as stack:
            store = opened(stack, tmp_path / "data")
            assert store.known(list(acknowledged)) == acknowledged
            found = set(store.raw(list(acknowledged)))
            assert acknowledged - dropping <= found
            assert not dropped & found
            assert doctor.check(store, TEST_NETWORK) == []
            with open_reader(tmp_path / "data") as reader:
                hits = {row.post.id for row in reader.search("kept", limit=1_000_000)}
            assert acknowledged - dropping <= hits
            assert not dropped & hits
    assert len(acknowledged) > 500


def _run_and_kill(directory: Path, seed: int, count: int) -> list[str]:
    """What the child acknowledged, whole lines, until it was killed in the midst of its work."""
    tests = Path(__file__).parent.parent
    command = [sys.executable, "-c", CHILD, str(directory), str(tests), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tests.parent) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(count)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL
    return [line.strip() for line in lines if line.endswith("\n")]
