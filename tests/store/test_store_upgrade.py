"""A database of the first version is upgraded where it lies, and keeps its posts."""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from store_tools import add, assert_items, opened
from strategies import TEST_NETWORK, a_key, a_post, a_seed, a_thread

from p2pforum.core.errors import StoreError
from p2pforum.core.kinds import Kind
from p2pforum.store import doctor, migrations, schema
from p2pforum.store.peer_book import load_book
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader

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
