"""A database of the first version is upgraded where it lies, and keeps its posts."""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from store_tools import add, assert_items, found_in_files, opened
from strategies import TEST_NETWORK, a_key, a_post, a_seed, a_thread

from p2pforum.core.errors import StoreError
from p2pforum.core.kinds import Kind
from p2pforum.core.post import Post
from p2pforum.store import doctor, migrations, retention, rows, schema
from p2pforum.store.peer_book import load_book
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader
from p2pforum.store.rows import reopen, search_text

POSTS = a_thread(5)


def of_the_first_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        migrations.migrate(path)


def test_an_old_database_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_first_version(tmp_path / "data" / schema.FILE_NAME, monkeypatch)
    with pytest.raises(StoreError, match="older"):
        open_reader(tmp_path / "data")
    reveal = a_post(root=POSTS[0].id, kind=Kind.REVEAL, content=(a_seed(1),))
    with ExitStack() as stack:
        store = opened(stack, tmp_path / "data")
        assert all(add(store, [*POSTS, reveal]))
        assert store.revealed([a_key(1), a_key(2)]) == {a_key(1)}
        assert doctor.check(store, TEST_NETWORK) == []
        secret, rows = load_book(store)
        assert (len(secret), rows) == (32, [])
    with open_store(tmp_path / "data", TEST_NETWORK) as store:
        assert store.revealed([a_key(1), a_key(2)]) == {a_key(1)}


def test_posts_of_a_store_with_sums_are_synced_by_digests(tmp_path: Path) -> None:
    """Version 4 kept sums of IDs, which can be forged."""
    path = tmp_path / "data" / schema.FILE_NAME
    with open_store(tmp_path / "data", TEST_NETWORK) as store:
        add(store, POSTS)
        with store.snapshot() as snapshot:
            before = snapshot.cells()
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE rblock RENAME TO new_rblock")
        db.execute(next(text for text in schema.MIGRATIONS[0][1] if "TABLE rblock" in text))
        db.execute("INSERT INTO rblock SELECT board, lo_hour, lo_id, n, zeroblob(32) FROM new_rblock")
        for table in ("new_rblock", "rhour"):
            db.execute(f"DROP TABLE {table}")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'hours'")
        db.execute("PRAGMA user_version = 4")
        db.commit()
    with open_store(tmp_path / "data", TEST_NETWORK) as store:
        assert doctor.check(store, TEST_NETWORK) == []
        with store.snapshot() as snapshot:
            assert snapshot.cells() == before
            items = snapshot.items("general")
            assert_items(items, sorted((post.payload.hour, post.id) for post in POSTS))


def _with_the_words_of_version_5(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        for table in ("vocabulary", "words"):
            db.execute(f"DROP TABLE {table}")
        db.execute(next(text for text in schema.MIGRATIONS[0][1] if "TABLE words" in text))
        for row, board, post_id, raw in db.execute(
            "SELECT row, board, id, raw FROM post WHERE raw IS NOT NULL"
        ):
            text = search_text(reopen(post_id, raw))
            db.execute("INSERT INTO words(rowid, text, board) VALUES (?, ?, ?)", (row, text, f"b{board}"))
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'words'")
        db.execute("PRAGMA user_version = 5")
        db.commit()


def _count(path: Path, match: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM words WHERE words MATCH ?", (match,)).fetchone()[0])


def _of_version_5(directory: Path) -> Post:
    """A store with a post of Japanese (which is given), one that is damaged, and one that was dropped."""
    japanese = a_post("これは日本語の電子書籍リーダーです。", key=2)
    damaged, dropped = a_post("Damaged words."), a_post("Dropped supercalifragilistic words.")
    with open_store(directory, TEST_NETWORK) as store:
        add(store, [*POSTS, japanese, damaged, dropped])
        retention.drop(store, [dropped.id])
    _with_the_words_of_version_5(directory / schema.FILE_NAME)
    with closing(sqlite3.connect(directory / schema.FILE_NAME)) as db:
        db.execute("UPDATE post SET raw = x'00' WHERE id = ?", (damaged.id,))
        db.commit()
    return japanese


def test_posts_of_an_older_version_are_found_by_the_words_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "data" / schema.FILE_NAME
    japanese = _of_version_5(path.parent)
    assert _count(path, '"日本語"') == 0, "the control: that is what version 5 did not find"
    assert _count(path, '"reply"') == 4
    with ExitStack() as stack:
        store = opened(stack, path.parent)
        with open_reader(path.parent) as reader:
            assert [row.post.id for row in reader.search("日本語")] == [japanese.id]
            assert len(reader.search("reply")) == 4
            assert reader.search("words") == []
        retention.drop(store, [japanese.id])
        assert [text for text in doctor.check(store, TEST_NETWORK) if "search" in text] == []
        for text in ("日本".encode(), b"supercalifragilistic"):
            assert found_in_files(path.parent, text) == []
    assert _count(path, '"日本"') == 0


def test_an_upgrade_that_fails_leaves_the_words_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data" / schema.FILE_NAME
    _of_version_5(path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "indexed", lambda text: text["no such index"])
        with pytest.raises(StoreError):
            migrations.migrate(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (5,)
    assert _count(path, '"reply"') == 4
    with open_store(path.parent, TEST_NETWORK), open_reader(path.parent) as reader:
        assert len(reader.search("日本語")) == 1


def test_an_upgrade_that_was_killed_leaves_no_time_behind(tmp_path: Path) -> None:
    """sqlite-utils writes when it applied a step, one commit before that is wiped out."""
    data, killed = tmp_path / "data", tmp_path / "killed"
    with open_store(data, TEST_NETWORK):
        pass
    with closing(sqlite3.connect(data / schema.FILE_NAME)) as db:
        db.execute("UPDATE _sqlite_migrations SET applied_at = '2026-11-29 18:20:01'")
        db.commit()
        shutil.copytree(data, killed)  # with the log, as a kill leaves it
    with open_store(killed, TEST_NETWORK):
        pass
    with closing(sqlite3.connect(killed / schema.FILE_NAME)) as db:
        assert {time for (time,) in db.execute("SELECT applied_at FROM _sqlite_migrations")} == {""}
