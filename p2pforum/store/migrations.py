"""Makes and upgrades the database: schema.MIGRATIONS, run by sqlite-utils.

The only file that imports sqlite_utils (0.1 s). It is itself imported only when there is work to do.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database, Migrations

from p2pforum.core.errors import StoreError
from p2pforum.store import schema
from p2pforum.store.connection import open_writer, translated
from p2pforum.store.rows import add_functions


def migrate(path: Path) -> None:
    """Bring the database at `path` to the newest version; make it if there is none.

    Raises StoreError. A new one appears whole or not at all; an upgrade step that fails is undone.
    """
    if not path.exists():
        _create(path)
        return
    schema.check_header(path)
    with translated(), closing(open_writer(path)) as db:
        if schema.version(db, path) < schema.VERSION:
            _apply(db)


def _create(path: Path) -> None:
    draft = path.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)  # left by a process that was killed here
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        with translated(), closing(open_writer(draft)) as db:
            db.execute("PRAGMA synchronous = OFF")  # it is only a draft, until it is whole and renamed
            db.execute("PRAGMA journal_mode = MEMORY")
            db.execute(f"PRAGMA page_size = {schema.PAGE}")
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # must come before the first table
            db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            _apply(db)
            db.execute("INSERT INTO meta VALUES (?, ?)", (schema.SLOT_KEY, secrets.token_bytes(32)))
            db.execute("PRAGMA journal_mode = WAL")
        _sync(draft)
        draft.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise StoreError(f"cannot make {path}: {error.strerror}") from error


def _apply(db: sqlite3.Connection) -> None:
    add_functions(db)
    migrations = Migrations("p2pforum")
    for version, (name, statements) in enumerate(schema.MIGRATIONS, 1):
        migrations(name=name)(_step(version, statements))
    migrations.apply(Database(db, execute_plugins=False))
    schema.forget_times(db)


def _step(version: int, statements: tuple[str, ...]) -> Callable[[Database], None]:
    def step(database: Database) -> None:
        for statement in statements:
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {version}")

    return step


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
