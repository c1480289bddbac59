"""The hardening of connections, each with what happens without it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from p2pforum.core.errors import StoreError
from p2pforum.store.connection import open_read_only, open_writer, translated
from p2pforum.store.migrations import migrate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    migrate(tmp_path / "node.db")
    return tmp_path / "node.db"


@pytest.fixture(params=[open_writer, open_read_only])
def db(request: pytest.FixtureRequest, path: Path) -> Iterator[sqlite3.Connection]:
    opener: Callable[[Path], sqlite3.Connection] = request.param
    with closing(opener(path)) as db:
        yield db


@pytest.fixture
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """The negative control: as sqlite3 opens it."""
    with closing(sqlite3.connect(path)) as db:
        yield db


def test_no_way_to_other_files(db: sqlite3.Connection, plain: sqlite3.Connection, tmp_path: Path) -> None:
    other = str(tmp_path / "other.db")
    with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|too many attached"):
        db.execute("ATTACH ? AS other", (other,))
    plain.execute("ATTACH ? AS other", (other,))


def test_no_way_to_the_schema(path: Path, plain: sqlite3.Connection) -> None:
    with closing(open_writer(path)) as db:
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            db.execute("PRAGMA writable_schema = ON")
        with pytest.raises(sqlite3.DatabaseError, match="may not be modified"):
            db.execute("DELETE FROM sqlite_schema")
    plain.execute("PRAGMA writable_schema = ON")


def test_values_and_expressions_are_bounded(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.DataError):
        db.execute("SELECT zeroblob(3000000)").fetchone()
    with pytest.raises(sqlite3.OperationalError, match="Expression tree is too large"):
        db.execute("SELECT 1" + "+1" * 120)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("temp_store", 2),
        ("journal_mode", "wal"),
        ("page_size", 4_096),
    ],
)
def test_settings(db: sqlite3.Connection, pragma: str, value: object) -> None:
    assert db.execute(f"PRAGMA {pragma}").fetchone()[0] == value


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("secure_delete", 1),
        ("synchronous", 1),
        ("foreign_keys", 1),
        ("auto_vacuum", 2),
        ("wal_autocheckpoint", 0),
    ],
)
def test_settings_of_the_writer(path: Path, pragma: str, value: object) -> None:
    with closing(open_writer(path)) as db:
        assert db.execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_a_reader_is_read_only_twice(path: Path) -> None:
    with closing(open_read_only(path)) as db:
        assert db.execute("PRAGMA query_only").fetchone() == (1,)
        db.execute("PRAGMA query_only = OFF")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM meta")


@pytest.mark.parametrize("opener", [open_writer, open_read_only])
def test_a_database_that_is_not_there_is_not_made(
    tmp_path: Path, opener: Callable[[Path], sqlite3.Connection]
) -> None:
    with pytest.raises(StoreError, match="can't be opened"):
        opener(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_odd_characters_in_the_path(tmp_path: Path) -> None:
    directory = tmp_path / "a ?mode=rw#%41 ü"
    directory.mkdir()
    migrate(directory / "node.db")
    with closing(open_read_only(directory / "node.db")) as db:
        assert db.execute("SELECT count(*) FROM post").fetchone() == (0,)
    assert {file.name for file in directory.iterdir()} >= {"node.db"}


def test_errors_in_words() -> None:
    told = pytest.raises(StoreError, match=r"the database failed \(no such table: missing\)")
    with closing(sqlite3.connect(":memory:")) as db, told, translated():
        db.execute("SELECT * FROM missing")
    with pytest.raises(KeyError), translated():
        raise KeyError("not SQLite's")
