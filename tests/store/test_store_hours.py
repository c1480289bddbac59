"""The digest of each hour: right whatever came in between, kept over a stop, found out when it is wrong."""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from store_tools import add, cells_of, opened
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core.post import Post
from p2pforum.store import change, doctor, hours, retention
from p2pforum.store.posts import Store

POSTS = [a_post(f"Number {n}.", board=f"board-{n % 3}", hour=HOUR - n % 40) for n in range(120)]


def seen(store: Store) -> bytes:
    with store.snapshot() as view:
        return view.cells()


def expected(posts: list[Post]) -> bytes:
    return cells_of((post.payload.hour, post.id) for post in posts)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Hours whose digest was made from posts."""
    found: list[int] = []
    read = hours.read_digest
    monkeypatch.setattr(hours, "read_digest", lambda db, hour: (found.append(hour), read(db, hour))[1])
    return found


def test_only_hours_that_changed_are_read(tmp_path: Path, made: list[int]) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS[:100])
        assert seen(store) == expected(POSTS[:100])
        assert len(made) == 40
        made.clear()
        assert seen(store) == expected(POSTS[:100])
        assert made == []
        add(store, POSTS[100:103])
        assert seen(store) == expected(POSTS[:103])
        assert sorted(made) == sorted(post.payload.hour for post in POSTS[100:103])
        made.clear()
        add(store, POSTS[103:105], released=False)
        assert seen(store) == expected(POSTS[:103])
        assert made == []
        store.release([POSTS[103].id])
        assert seen(store) == expected(POSTS[:104])


def test_a_view_shows_the_hours_as_they_were(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS[:50])
        with store.snapshot() as before:
            add(store, POSTS[50:90])
            with store.snapshot() as after:
                retention.expire(store, HOUR - 20)
                assert before.cells() == expected(POSTS[:50])
                assert after.cells() == expected(POSTS[:90])
        assert seen(store) == expected([p for p in POSTS[:90] if p.payload.hour >= HOUR - 20])


def test_a_view_that_nobody_has_read_yet_is_sealed_too() -> None:
    digests = [(hour, bytes([hour]) * 32) for hour in (1, 2, 3)]
    cache = hours.HourCache(digests)
    before = cache.sealed()
    cache.publish([2, 4], gone=[1])
    with closing(sqlite3.connect(":memory:")) as db:
        assert before.cells(db) == b"".join(hour.to_bytes(4, "big") + digest for hour, digest in digests)
    assert list(cache.current()) == [2, 3, 4]


def test_after_a_stop_no_post_is_read_again(tmp_path: Path, made: list[int]) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS)
        seen(store)
        retention.expire(store, HOUR - 30)
        seen(store)
    made.clear()
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        assert seen(store) == expected([p for p in POSTS if p.payload.hour >= HOUR - 30])
        assert made == []
        with store.exclusive() as db:
            assert db.execute("SELECT count(*) FROM rhour").fetchone() == (31,)  # none of empty hours
        add(store, POSTS)  # those that are gone come back
        assert seen(store) == expected(POSTS)


def killed(directory: Path, copy: Path) -> Path:
    """The files as kill -9 leaves them."""
    shutil.copytree(directory, copy)
    return copy


def test_what_was_not_saved_when_it_was_killed_is_made_again(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS[:60])
        seen(store)
        store.checkpoint()  # saved
        add(store, POSTS[60:80])  # and changed again
        unread = killed(tmp_path / "data", tmp_path / "unread")
        seen(store)
        unsaved = killed(tmp_path / "data", tmp_path / "unsaved")
    for directory in (unread, unsaved):
        with ExitStack() as stack:
            store = opened(stack, directory)
            assert doctor.check(store, TEST_NETWORK) == []
            assert seen(store) == expected(POSTS[:80])


def test_control_an_hour_that_is_not_marked_is_wrong_after_a_kill_and_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS[:60])
        seen(store)
        store.checkpoint()
        monkeypatch.setattr(change, "mark_changed", lambda *_: None)
        add(store, POSTS[60:80])
        directory = killed(tmp_path / "data", tmp_path / "killed")
    with ExitStack() as stack:
        store = opened(stack, directory)
        assert seen(store) != expected(POSTS[:80])
        assert doctor.check(store, TEST_NETWORK) == ["the digest of an hour does not fit the posts"]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE rhour SET digest = zeroblob(32) WHERE hour = ?", "the digest of an hour does not fit"),
        ("DELETE FROM rhour WHERE hour = ?", "the digests of hours miss one"),
    ],
)
def test_doctor_finds_a_wrong_digest_and_makes_it_anew(tmp_path: Path, damage: str, found: str) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS)
        seen(store)
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        with store.exclusive() as db:
            db.execute(damage, (HOUR - 3,))
        (said,) = doctor.check(store, TEST_NETWORK)
        assert said.startswith(found)
        doctor.rebuild_index(store)
        assert doctor.check(store, TEST_NETWORK) == []
        assert seen(store) == expected(POSTS)


def test_an_hour_that_was_empty_when_the_rows_were_made_anew_gets_one_again(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS)
        retention.expire(store, HOUR - 20)  # hours that are gone, and nobody has looked since
        doctor.rebuild_index(store)
        add(store, POSTS)
        assert doctor.check(store, TEST_NETWORK) == []
        assert seen(store) == expected(POSTS)


def test_digests_that_can_not_be_saved_stop_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        add(store, POSTS[:20])
        seen(store)
        with store.exclusive() as db:
            db.execute("PRAGMA query_only = ON")
        store.checkpoint()
        with store.exclusive() as db:
            db.execute("PRAGMA query_only = OFF")
        assert store.checkpoint()
        assert seen(store) == expected(POSTS[:20])
