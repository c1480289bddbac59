"""The store against a dict: any order of arrival, any batches, releases, drops and expiry in between."""

import random
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_tools import Model, assert_items, assert_same, cells_of, opened
from strategies import HOUR, TEST_NETWORK, a_post, a_seed, a_thread

from p2pforum.core import limits
from p2pforum.core.kinds import Kind
from p2pforum.core.post import Post
from p2pforum.store import doctor, retention


def _pool() -> list[Post]:
    """Threads on two boards, a lone reply, replies on the wrong board, amendments, an unknown kind."""
    long = a_thread(14)
    other = a_thread(6, board="other", hour=HOUR - 3)
    root = long[0]
    posts = [*long, *other]
    posts += [a_post(f"First of {n}.", key=2, subject=f"Lone {n}", hour=HOUR - n) for n in range(8)]
    posts += [a_post(f"Lost {n}.", root=bytes([n]) * 32, hour=HOUR + n) for n in range(3)]
    posts.append(a_post("Wrong board, first.", board="other", root=root.id, hour=HOUR + 9))
    posts.append(a_post(root=root.id, kind=Kind.RETRACT, content=(root.id,), hour=HOUR + 50))
    posts.append(a_post(root=root.id, kind=Kind.SUPERSEDE, content=(root.id, "First."), hour=HOUR + 51))
    for n in range(2):
        posts.append(a_post(key=2, root=root.id, kind=Kind.REVEAL, content=(a_seed(2),), hour=HOUR + 4 * n))
    posts.append(a_post(root=root.id, kind=900, content=("not understood", 1), hour=HOUR + 2))
    posts.append(a_post(version=7, content=(b"newer", ["x"]), hour=HOUR + 1))
    posts.append(a_post("A reply to a reply as root.", root=long[3].id, hour=HOUR + 4))
    posts.append(a_post("", subject="", hour=HOUR))
    return posts


POOL = _pool()
some = st.lists(st.integers(0, len(POOL) - 1), max_size=12)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.lists(st.tuples(st.integers(0, len(POOL) - 1), st.booleans()), max_size=25)
        ),
        st.tuples(st.just("release"), some),
        st.tuples(st.just("drop"), some),
        st.tuples(st.just("expire"), st.integers(HOUR - 5, HOUR + 5)),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("compare"), st.integers(HOUR - 10, HOUR + 20)),
        st.tuples(st.just("seal"), st.none()),
    ),
    max_size=12,
)


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few posts make many blocks, and every step more than one transaction."""
    monkeypatch.setattr(limits, "BLOCK_KEYS", 3)
    monkeypatch.setattr(limits, "BLOCK_MOST", 6)
    monkeypatch.setattr(limits, "STORE_STEP", 4)


@pytest.mark.slow
@pytest.mark.usefixtures("_small_blocks")
@settings(max_examples=60)
@given(steps=steps)
def test_the_store_holds_what_a_dict_would(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        run = _Run(Path(name) / "data")
        with run.stack:
            for kind, argument in steps:
                getattr(run, kind)(argument)
            assert_same(run.store, run.directory, run.model)
            assert doctor.check(run.store, TEST_NETWORK) == []
            run.check_sealed()


class _Run:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stack = ExitStack()
        self.store = opened(self.stack, directory)
        self.model = Model()
        self.sealed: list[tuple[object, list[tuple[int, bytes]]]] = []

    def add(self, chosen: list[tuple[int, bool]]) -> None:
        posts = [(POOL[i], released) for i, released in chosen]
        assert self.store.add(posts) == self.model.add(posts)

    def release(self, chosen: list[int]) -> None:
        ids = [POOL[i].id for i in chosen]
        self.store.release(ids)
        self.model.release(ids)

    def drop(self, chosen: list[int]) -> None:
        ids = [POOL[i].id for i in chosen]
        assert retention.drop(self.store, ids, scrub=not self.sealed) == self.model.drop(ids)

    def expire(self, before_hour: int) -> None:
        assert retention.expire(self.store, before_hour) == self.model.expire(before_hour)

    def compare(self, low_hour: int) -> None:
        """As a session does: digests are made here, kept, and wrong later if a change were missed."""
        everything = [key for board in self.model.boards() for key in self.model.keys(board)]
        with self.store.snapshot() as snapshot:
            for board, is_active in snapshot.boards(low_hour=low_hour):
                keys = [key for key in self.model.keys(board) if key[0] >= low_hour]
                items = snapshot.items(board, low_hour)
                assert items.cells(0, len(items)) == cells_of(keys)
                assert is_active == bool(keys)
            assert snapshot.cells(low_hour) == cells_of(key for key in everything if key[0] >= low_hour)

    def reopen(self, _: None) -> None:
        """What is in memory only is gone."""
        self.check_sealed()
        self.sealed.clear()
        self.stack.close()
        self.store = opened(self.stack, self.directory)

    def seal(self, _: None) -> None:
        snapshot = self.stack.enter_context(self.store.snapshot())
        self.sealed.append((snapshot, self.model.keys("general")))

    def check_sealed(self) -> None:
        """Views show what there was when they were sealed, whatever came since."""
        for snapshot, keys in self.sealed:
            assert_items(snapshot.items("general"), keys)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_arrival_leaves_no_trace(tmp_path: Path, seed: int) -> None:
    """Two stores with one secret, posts in other orders and batches: the same rows, number for number."""
    dumps = []
    for name in ("one", "two"):
        with ExitStack() as stack:
            store = opened(stack, tmp_path / name)
            with store.exclusive() as db:
                db.execute("UPDATE meta SET value = ? WHERE name = 'slot_key'", (bytes(32),))
        with ExitStack() as stack:
            store = opened(stack, tmp_path / name)
            rng = random.Random(f"{name} {seed}")
            posts = rng.sample(POOL, len(POOL))
            while posts:
                size = rng.randint(1, 9)
                store.add([(post, True) for post in posts[:size]])
                del posts[:size]
            with store.exclusive() as db:
                tables = ("board", "thread", "post")
                dumps.append([db.execute(f"SELECT * FROM {table}").fetchall() for table in tables])
    assert dumps[0] == dumps[1]
    assert _as_they_came(f"one {seed}") != _as_they_came(
        f"two {seed}"
    )  # rows numbered as they came would tell


def _as_they_came(seed: str) -> list[bytes]:
    return [post.id for post in random.Random(seed).sample(POOL, len(POOL))]
