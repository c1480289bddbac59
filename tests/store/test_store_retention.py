"""What goes is gone: from every answer, from the sync index, and from the bytes of the files."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_tools import Model, add, assert_same, found_in_files
from strategies import HOUR, TEST_NETWORK, a_post, a_thread

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.store import doctor, retention
from p2pforum.store.posts import Store

SECRET = "Meet me at the lighthouse when the tide is out, bring supercalifragilisticexpialidocious."


def test_expired_posts_are_gone_in_whole_blocks(store: Store, tmp_path: Path) -> None:
    model = Model()
    posts = [a_post(f"First {n}.", subject=f"{n}", hour=HOUR + n // 40) for n in range(1_900)]
    pairs = [(post, n % 50 > 0) for n, post in enumerate(posts)]
    assert store.add(pairs) == model.add(pairs)
    assert retention.expire(store, HOUR + 25) == model.expire(HOUR + 25) == 980
    assert_same(store, tmp_path, model)
    assert doctor.check(store, TEST_NETWORK) == []
    assert retention.expire(store, HOUR + 25) == 0
    assert retention.expire(store, HOUR + 1_000) == model.expire(HOUR + 1_000) == 882
    assert_same(store, tmp_path, model)
    assert doctor.check(store, TEST_NETWORK) == []
    assert len(store.unreleased()) == 38  # nobody else has these: only their author removes them


def test_nothing_expires_while_the_newest_post_is_long_ago(store: Store) -> None:
    month = 30 * 24
    assert not retention.stands_still(None, HOUR)  # an empty store has nothing to lose
    assert not retention.stands_still(HOUR, HOUR + month)
    assert retention.stands_still(HOUR, HOUR + month + 1)
    assert not retention.stands_still(HOUR, HOUR - 10**6)  # a clock behind drops nothing anyway
    assert retention.newest_released(store) is None
    add(store, [a_post(hour=HOUR + 2), a_post(hour=HOUR)])
    add(store, [a_post("An own one, dated by the wrong clock.", hour=HOUR + 9_999)], released=False)
    assert retention.newest_released(store) == HOUR + 2


def test_space_is_given_back(store: Store, tmp_path: Path) -> None:
    posts = [a_post("z" * 9_000, subject=f"{n}", hour=HOUR + n // 100) for n in range(300)]
    add(store, posts)
    store.checkpoint()
    full = (tmp_path / "node.db").stat().st_size
    retention.expire(store, HOUR + 2)
    store.checkpoint()
    assert (tmp_path / "node.db").stat().st_size < full * 0.4
    assert store.statistics().size == (tmp_path / "node.db").stat().st_size


def test_sync_keeps_the_id_of_a_dropped_post_and_nothing_else(store: Store, tmp_path: Path) -> None:
    thread = a_thread(6)
    add(store, thread)
    before = store.known([post.id for post in thread])
    assert retention.drop(store, [thread[2].id, bytes(32)]) == 1
    assert retention.drop(store, [thread[2].id]) == 0
    assert store.known([post.id for post in thread]) == before  # or it would be fetched again
    assert add(store, [thread[2]]) == [False]
    assert store.raw([thread[2].id]) == {}
    with store.snapshot() as snapshot:
        assert len(snapshot.items("general")) == 6


def test_a_post_dropped_before_it_was_released_does_not_come_back(store: Store, tmp_path: Path) -> None:
    post = a_post()
    add(store, [post], released=False)
    retention.drop(store, [post.id])
    assert store.unreleased() == []
    assert store.known([post.id]) == set()  # sync must not show that it was ever here
    with store.snapshot() as snapshot:
        assert len(snapshot.items("general")) == 0
    assert add(store, [post]) == [False]  # a peer brings it: from now on sync counts it in
    assert store.known([post.id]) == {post.id}
    assert store.raw([post.id]) == {}
    assert doctor.check(store, TEST_NETWORK) == []


def secret_posts() -> list[Post]:
    """Two in the middle are to go; the long one lies on pages of its own."""
    return [
        *a_thread(30),
        a_post(SECRET, subject="Tonight"),
        a_post(SECRET + "w" * 8_000, subject="Tonight, at length"),
        *a_thread(30, board="other"),
    ]


def test_nothing_of_a_dropped_post_is_left_in_the_files(store: Store, tmp_path: Path) -> None:
    posts = secret_posts()
    add(store, posts)
    add(store, a_thread(40, board="more"))
    bodies = [posts[30].body.encode(), posts[31].body.encode()]
    assert all(found_in_files(tmp_path, body) for body in bodies)
    retention.drop(store, [posts[30].id, posts[31].id])
    for body in bodies:
        assert found_in_files(tmp_path, body) == []
    assert found_in_files(tmp_path, b"supercalifragilisticexpialidocious") == []


def test_the_search_index_is_merged_in_steps(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_PAGES_A_STEP", 1)
    secret = a_post(SECRET)
    add(store, [secret])
    for n in range(12):
        words = " ".join(f"{i * n:x}tide{i}" for i in range(400))
        add(store, [a_post(f"{words} {i}", subject=f"{n}") for i in range(8)])
    retention.drop(store, [secret.id])
    assert found_in_files(tmp_path, b"supercalifragilisticexpialidocious") == []


def test_nothing_of_an_expired_post_is_left_in_the_files(store: Store, tmp_path: Path) -> None:
    old = a_post(SECRET, subject="Old", hour=HOUR - 9)
    add(store, [old, *a_thread(30)])
    retention.expire(store, HOUR - 8)
    retention.clean(store)
    assert found_in_files(tmp_path, SECRET.encode()) == []


@pytest.mark.parametrize("without", ["the checkpoint", "secure_delete", "the merge of the search index"])
def test_each_step_of_dropping_is_needed(store: Store, tmp_path: Path, without: str) -> None:
    """The negative control: leave one step out, and the scan finds something."""
    posts = secret_posts()
    add(store, posts)
    store.checkpoint()
    if without == "secure_delete":
        with store.exclusive() as db:
            db.execute("PRAGMA secure_delete = OFF")
    retention.drop(store, [posts[30].id], scrub=without == "secure_delete")
    word = b"supercalifragilisticexpialidocious"
    if without == "the merge of the search index":
        store.checkpoint()
        assert found_in_files(tmp_path, word)
    else:
        assert found_in_files(tmp_path, SECRET.encode())


def test_a_view_that_sync_holds_does_not_stop_a_drop(store: Store, tmp_path: Path) -> None:
    posts = secret_posts()
    del posts[31]
    add(store, posts)
    with store.snapshot() as snapshot:
        retention.drop(store, [posts[30].id])
        assert set(snapshot.raw([posts[30].id])) == {posts[30].id}  # sealed before
        assert store.raw([posts[30].id]) == {}
        assert store.checkpoint() is False  # the log still holds what the view shows
    assert store.checkpoint() is True
    assert found_in_files(tmp_path, SECRET.encode()) == []


def test_the_log_stays_short(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_LOG_LEAST", 400_000)
    sizes = []
    for n in range(60):
        add(store, [a_post("q" * 5_000, subject=f"{n} {i}") for i in range(10)])
        sizes.append((tmp_path / "node.db-wal").stat().st_size)
    assert max(sizes) < 1_000_000


def test_doctor_finds_what_does_not_fit(store: Store, tmp_path: Path) -> None:
    add(store, [*a_thread(20), *a_thread(5, board="other")])
    for statement, complaint in {
        "UPDATE rblock SET n = n + 1": "sync index",
        "DELETE FROM rblock": "sync index",
        "UPDATE thread SET posts = posts + 1": "thread",
        "UPDATE thread SET last_hour = 1": "thread",
        "UPDATE board SET posts = 0": "board",
        "UPDATE post SET hour = hour + 1": "damaged",
        "UPDATE post SET raw = x'00'": "damaged",
        "UPDATE words_data SET block = x'00' WHERE id > 10": "search",
    }.items():
        assert doctor.check(store, TEST_NETWORK) == []
        with store.exclusive() as db:
            db.execute("BEGIN")
            db.execute(statement)
            found = doctor.examine(db, TEST_NETWORK)
            db.execute("ROLLBACK")
        assert any(complaint in text for text in found), statement


def test_doctor_rebuilds_the_sync_index(store: Store, tmp_path: Path) -> None:
    posts = [*a_thread(700), *a_thread(5, board="other")]
    add(store, posts)
    with store.exclusive() as db:
        db.execute("UPDATE rblock SET n = 1")
    assert doctor.check(store, TEST_NETWORK) == ["the sync index does not fit the posts"]
    doctor.rebuild_index(store)
    assert doctor.check(store, TEST_NETWORK) == []
    model = Model()
    model.add([(post, True) for post in posts])
    assert_same(store, tmp_path, model)


def test_secure_delete_alone_is_not_what_sqlite_does_by_default(tmp_path: Path) -> None:
    """Why the pragma is set: a plain connection leaves the text in the file."""
    path = tmp_path / "plain.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("CREATE TABLE t(a)")
        db.execute("INSERT INTO t VALUES (?)", (SECRET,))
        db.execute("DELETE FROM t")
    assert found_in_files(tmp_path, SECRET.encode()) == ["plain.db"]
