"""The keystore under processes that compete, die or run out of disk: real ones, killed for real."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from keystore_samples import a_keystore, reopened

from p2pforum.keystore.contents import Draft

TESTS = Path(__file__).parent
PREAMBLE = f"""
import sys
sys.path[:0] = [{str(TESTS)!r}, {str(TESTS.parents[1])!r}]
from pathlib import Path
from keystore_samples import reopened
from p2pforum.keystore.contents import Draft
keystore = reopened(Path(sys.argv[1]))
"""
COUNT = (
    PREAMBLE
    + """
for _ in range(int(sys.argv[2])):
    with keystore.transaction() as box:
        draft = box.drafts.setdefault("board count", Draft("board x", "", "", 0))
        draft.hour += 1
"""
)
REWRITE = (
    PREAMBLE
    + """
n = keystore.read().drafts["board count"].hour
while True:
    n += 1
    with keystore.transaction() as box:
        box.drafts["board count"] = Draft("board x", "", "x" * (n % 7 * 20_000), n)
    print(n, flush=True)
"""
)
FULL_DISK = (
    PREAMBLE
    + """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))
try:
    with keystore.transaction() as box:
        box.drafts["board count"] = Draft("board x", "", "x" * 100_000, 2)
except Exception as error:
    print(type(error).__name__, error)
"""
)


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_no_change_of_competing_processes_is_lost(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    processes = [run(COUNT, tmp_path, 25) for _ in range(3)]
    assert [process.wait() for process in processes] == [0] * 3
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    assert keystore.read().drafts["board count"].hour == 75


@pytest.mark.slow
def test_killed_while_it_writes_the_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    with keystore.transaction() as box:
        box.drafts["board count"] = Draft("board x", "", "", 0)
    rng, written = Random(1), 0
    for _ in range(8):
        with run(REWRITE, tmp_path) as process:
            assert process.stdout is not None
            for _ in range(rng.randrange(1, 5)):
                acknowledged = int(process.stdout.readline())
            # Not at the moment of a line: somewhere in the next write or two, which take milliseconds.
            try:
                process.wait(rng.random() * 0.03)
            except subprocess.TimeoutExpired:
                process.kill()
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split("\n")[:-1])])
        assert process.returncode == -signal.SIGKILL
        draft = reopened(tmp_path).read().drafts["board count"]
        assert draft.hour in (acknowledged, acknowledged + 1)
        assert len(draft.body) == draft.hour % 7 * 20_000
        written = draft.hour
    assert written > 8
    with keystore.transaction() as box:  # the lock died with its holder
        box.drafts.clear()
    assert sorted(os.listdir(tmp_path)) == ["keystore", "keystore.lock"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    before = keystore.path.read_bytes()
    with run(FULL_DISK, tmp_path) as process:
        assert process.stdout is not None
        shown = process.stdout.read()
    assert shown.startswith("KeystoreError cannot write")
    assert "as it was before" in shown
    assert keystore.path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["keystore", "keystore.lock"]
