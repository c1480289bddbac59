"""No room on the disk: a clear error, nothing half there, and a store that goes on when there is room."""

import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_tools import add, opened
from strategies import TEST_NETWORK, a_post, a_thread

from p2pforum.core.errors import StoreError
from p2pforum.store import doctor, retention

KEPT = a_thread(50)
LARGE = [a_post("x" * 12_000, subject=f"Large {n}") for n in range(60)]


def test_a_full_disk_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        add(store, KEPT)
        with store.exclusive() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages + 20}")
        for _ in range(3):
            with pytest.raises(StoreError, match="disk is full"):
                add(store, LARGE)
        assert store.known([post.id for post in LARGE]) == set()
        assert store.known([post.id for post in KEPT]) == {post.id for post in KEPT}
        assert add(store, [a_post("Small enough.")]) == [True]
        assert doctor.check(store, TEST_NETWORK) == []
        with store.exclusive() as db:
            db.execute("PRAGMA max_page_count = 1000000")
        assert add(store, LARGE) == [True] * len(LARGE)
        assert doctor.check(store, TEST_NETWORK) == []


def test_a_board_that_did_not_get_in_gets_in_later(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        add(store, KEPT)
        with store.exclusive() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages + 1}")
        new_board = [a_post("x" * 12_000, board="new", subject=f"{n}") for n in range(9)]
        with pytest.raises(StoreError):
            add(store, new_board)
        with store.snapshot() as snapshot:
            assert snapshot.boards() == [("general", True)]
            assert len(snapshot.items("general")) == len(KEPT)
        with store.exclusive() as db:
            db.execute("PRAGMA max_page_count = 1000000")
        assert add(store, new_board) == [True] * 9
        assert doctor.check(store, TEST_NETWORK) == []


def test_room_can_be_made_on_a_full_disk(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        add(store, LARGE[:30])
        with store.exclusive() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="disk is full"):
            add(store, LARGE[30:])
        assert retention.drop(store, [post.id for post in LARGE[:20]]) == 20
        assert add(store, LARGE[30:40]) == [True] * 10
        assert doctor.check(store, TEST_NETWORK) == []


CHILD = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from strategies import TEST_NETWORK, a_post
from p2pforum.core.errors import StoreError
from p2pforum.store import doctor
from p2pforum.store.posts import open_store
with open_store(Path(sys.argv[1]), TEST_NETWORK) as store:
    limit = int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    kept, failed = [], 0
    for n in range(200):
        batch = [a_post("y" * 3_000, subject=f"{n} {i}") for i in range(10)]
        try:
            store.add([(post, True) for post in batch])
            kept += batch
        except StoreError as error:
            failed += 1
            text = str(error)
        if failed == 3:
            break
    assert failed == 3, failed
    assert "disk" in text, text
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert store.known([post.id for post in kept]) == {post.id for post in kept}
    assert store.known([post.id for post in batch]) == set()
    assert store.add([(post, True) for post in batch]) == [True] * len(batch)
    assert doctor.check(store, TEST_NETWORK) == []
    print(len(kept))
"""


@pytest.mark.e2e
@pytest.mark.parametrize("limit", [300_000, 2_000_000])
def test_a_file_that_may_not_grow(tmp_path: Path, limit: int) -> None:
    """A real refusal by the kernel, in the log first. Python ignores SIGXFSZ, so writes fail."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    tests = Path(__file__).parent.parent
    command = [sys.executable, "-c", CHILD, str(tmp_path / "data"), str(tests), str(limit)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tests.parent, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= 10
    with ExitStack() as stack:
        assert doctor.check(opened(stack, tmp_path / "data"), TEST_NETWORK) == []
