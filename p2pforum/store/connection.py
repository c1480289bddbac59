"""How SQLite is opened: hardened, because strangers wrote what it holds.

Not which tables there are (schema.py). Standard library only, because front ends read through this.
"""

import sqlite3
from pathlib import Path
from types import TracebackType

from p2pforum.core import limits
from p2pforum.core.errors import StoreError

WRITER_PATIENCE = 1_000  # ms that a checkpoint waits for a reader; ours is the only writer
_READER_PATIENCE = 5_000  # ms; a reader waits only while the log is recovered after a crash
_LARGEST_VALUE = limits.KIB * limits.KIB  # bytes; posts have 16,000, pages of the search index 4,050

_HARDENING = (
    "PRAGMA trusted_schema = OFF",  # no functions from a schema that an attacker wrote
    "PRAGMA cell_size_check = ON",  # damage to a page is noticed when the page is read, before it does harm
    "PRAGMA mmap_size = 0",  # a damaged or shortened file is an error, not a SIGBUS
    "PRAGMA temp_store = MEMORY",  # no copies of posts in /tmp
)
_WRITING = (
    "PRAGMA synchronous = NORMAL",  # with WAL: safe against kill -9; a power cut: see Store.writing
    "PRAGMA secure_delete = ON",  # what is dropped is overwritten: see retention.drop
    "PRAGMA foreign_keys = ON",
    "PRAGMA wal_autocheckpoint = 0",  # the Store does it after the commit: snapshots never wait for it
    f"PRAGMA journal_size_limit = {limits.STORE_LOG_LEAST // 8}",  # kept of it once copied
    f"PRAGMA cache_size = -{limits.STORE_CACHE // limits.KIB}",
)
_READING = (
    "PRAGMA query_only = ON",
    f"PRAGMA cache_size = -{limits.STORE_READ_CACHE // limits.KIB}",
)


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. The file must exist. Raises StoreError."""
    with translated():
        db = _connect(path, "rw", WRITER_PATIENCE)
        _configure(db, (*_HARDENING, *_WRITING))
        return db


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a connection that sees what is committed and never blocks the writer. The file
    must exist. Raises StoreError.
    """
    with translated():
        db = _connect(path, "ro", _READER_PATIENCE)
        _configure(db, (*_HARDENING, *_READING))
        return db


def _connect(path: Path, mode: str, patience: int) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,  # this program begins and ends transactions where one can see it
        check_same_thread=False,  # code that shares a connection between threads holds a lock
        timeout=patience / 1_000,
    )


def _configure(db: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    try:
        for pragma in pragmas:
            db.execute(pragma)
    except BaseException:
        db.close()
        raise
    restrict(db)


def restrict(db: sqlite3.Connection) -> None:
    """Set limits, and close the way to other files and to the schema's own table. So an attacker who could
    inject SQL would gain little.

    The authorizer runs when a statement is prepared, not when it runs, so hot paths pay nothing.
    """
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    db.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100)
    db.set_authorizer(_authorize)


def _authorize(action: int, first: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_ATTACH:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() == "writable_schema":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


class translated:  # noqa: N801 - used like a function; a generator would cost 1 us a post
    """`with translated():` turns SQLite's errors into StoreError, in words for the user."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise StoreError(_in_words(error)) from error


_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full, so nothing was written; free some space and try again",
    sqlite3.SQLITE_IOERR: "the disk gave an error, so nothing was written",
    sqlite3.SQLITE_CORRUPT: "the database is damaged: restore it, or move it away and sync afresh",
    sqlite3.SQLITE_NOTADB: "the database is damaged or not a database at all",
    sqlite3.SQLITE_READONLY: "the database can't be written: check its owner and permissions",
    sqlite3.SQLITE_CANTOPEN: "the database can't be opened: check its owner and permissions",
    sqlite3.SQLITE_BUSY: "the database is in use by another program",
}


def _in_words(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte; the others say more exactly where
    return f"{_WORDS.get(code, 'the database failed')} ({error})"
