"""The tables, and how our database is told from a foreign, newer or tampered one.

docs/STORE.md has the reasons. Not how it is made and upgraded (migrations.py).
"""

import hashlib
import sqlite3
from pathlib import Path

from p2pforum.core.errors import StoreError
from p2pforum.store.rows import add_functions

FILE_NAME = "node.db"
APPLICATION_ID = 0x70326670  # "p2fp"; `file` and SQLite's header show it
PAGE = 4_096  # bytes; 2,048 took 10 % more room and time, 1,024 50 % more time
VERSION = 6  # user_version: the number of migrations applied
SLOT_BITS = (
    20  # of a post's row, below its hour. 32 would add 87 bytes to a post: each word stores the distance
)
SLOT_KEY = "slot_key"  # in meta: the secret that scatters rows
BOOK_KEY = "book_key"  # in meta: the secret that says where in the address book an address lies
PROXY_BOOK_KEY = "book_key_proxy"  # the same, of the book of a node behind a proxy
NETWORK = "network"  # in meta: the name of the network whose posts these are
_STAMP_FLOOR = "stamp_floor"  # in meta of early versions, whose networks' names did not tell it
FLOOR = "floor"  # in meta: the quota removed posts below it, and the node takes none there

_FIRST = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE board(
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        threads INTEGER NOT NULL,
        posts INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE thread(
        id INTEGER PRIMARY KEY,
        root BLOB NOT NULL,
        board INTEGER NOT NULL REFERENCES board(id),
        posts INTEGER NOT NULL,
        last_hour INTEGER NOT NULL,
        UNIQUE(root, board)
    ) STRICT""",
    "CREATE INDEX thread_by_board ON thread(board, last_hour)",
    "CREATE INDEX thread_by_hour ON thread(last_hour)",
    """CREATE TABLE post(
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        board INTEGER NOT NULL,
        thread INTEGER NOT NULL REFERENCES thread(id),
        hour INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        bits INTEGER NOT NULL,
        released INTEGER NOT NULL CHECK(released IN (0, 1)),
        raw BLOB
    ) STRICT""",
    "CREATE INDEX post_by_thread ON post(thread)",
    "CREATE INDEX post_released ON post(board, hour, id) WHERE released",
    "CREATE INDEX post_unreleased ON post(row) WHERE NOT released",
    """CREATE TABLE rblock(
        board INTEGER NOT NULL,
        lo_hour INTEGER NOT NULL,
        lo_id BLOB NOT NULL,
        n INTEGER NOT NULL,
        sum BLOB NOT NULL,
        PRIMARY KEY(board, lo_hour, lo_id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE VIRTUAL TABLE words USING fts5(
        text, board, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2'
    )""",
)

_REVEALS = (  # keys whose secret stands in a post here; `row` is that post's
    """CREATE TABLE reveal(key BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY(key, row))
    STRICT, WITHOUT ROWID""",
)

_PINS = ("CREATE TABLE pin(root BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",)

_PEERS = (  # nothing says which peer told an address; `day` is the finest time
    """CREATE TABLE peer(
        address TEXT PRIMARY KEY,
        tried INTEGER NOT NULL,
        bucket INTEGER NOT NULL,
        heard INTEGER NOT NULL,
        day INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        anchor INTEGER NOT NULL,
        record BLOB
    ) STRICT, WITHOUT ROWID""",
)

_HOURS = (  # sync compares digests, because an attacker can forge sums of IDs
    "CREATE TABLE old_rblock AS SELECT board, lo_hour, lo_id, n FROM rblock",
    "DROP TABLE rblock",
    """CREATE TABLE rblock(
        board INTEGER NOT NULL,
        lo_hour INTEGER NOT NULL,
        lo_id BLOB NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY(board, lo_hour, lo_id)
    ) STRICT, WITHOUT ROWID""",
    "INSERT INTO rblock SELECT * FROM old_rblock",
    "DROP TABLE old_rblock",
    "CREATE TABLE rhour(hour INTEGER PRIMARY KEY, digest BLOB) STRICT",
    f"INSERT INTO rhour SELECT DISTINCT row >> {SLOT_BITS}, NULL FROM post WHERE released",
)

_WORDS = (  # letters of scripts without spaces are indexed by pairs, and marks stay within words
    "DROP TABLE words",
    """CREATE VIRTUAL TABLE words USING fts5(
        text, board, content='', columnsize=0,
        tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* Co'"
    )""",
    """INSERT INTO words(rowid, text, board) SELECT row, text, 'b' || board FROM (
        SELECT row, board, indexed_text(id, raw) AS text FROM post WHERE raw IS NOT NULL
        ORDER BY row LIMIT -1
    ) WHERE text != ''""",
    "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row)",
)

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("first", _FIRST),
    ("reveals", _REVEALS),
    ("pins", _PINS),
    ("peers", _PEERS),
    ("hours", _HOURS),
    ("words", _WORDS),
)
"""Name and statements of each step, in order. Add a step, never edit one."""

_OTHERS = {
    *("words_data", "words_idx", "words_config"),  # FTS5
    *("_sqlite_migrations", "idx__sqlite_migrations_migration_set_name"),  # sqlite-utils
}
_HASH = "dfd75dff75af0a24d9ce42bb53b6fded"


def check_header(path: Path) -> None:
    """Raises StoreError for a foreign file. Call it before SQLite opens the file, because
    SQLite may write beside it.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error
    if len(header) < 100:
        raise StoreError(f"{path} is cut off: move it away, or restore it")
    if header[:16] != b"SQLite format 3\0" or int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError(f"{path} is not a p2pforum database; it was left as it is")
    if size % PAGE and not log_size(path):  # a power cut leaves part of a page only with a log beside it
        raise StoreError(f"{path} is cut off: move it away, or restore it")


def log_size(path: Path) -> int:
    """Bytes of the write-ahead log of the database at `path`."""
    log_path = path.with_name(path.name + "-wal")
    return log_path.stat().st_size if log_path.exists() else 0


def version(db: sqlite3.Connection, path: Path) -> int:
    """The number of migrations applied. Raises StoreError for a newer database."""
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise StoreError(f"{path} was written by a newer p2pforum; it was left as it is")
    return found


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raises StoreError unless the schema is exactly ours: no extra triggers, no missing index."""
    if schema_hash(db) != _HASH:
        raise StoreError(f"{path} has tables that p2pforum did not make; it was left as it is")
    if db.execute("SELECT 1 FROM meta WHERE name = ?", (_STAMP_FLOOR,)).fetchone():
        raise StoreError(
            f"{path} was made by an early version, whose posts no network takes any more: move it away, and "
            "the node makes a new one"
        )


def schema_hash(db: sqlite3.Connection) -> str:
    """Covers every statement of the schema except those of SQLite and sqlite-utils, who may
    change their wording.
    """
    rows = db.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    ours = [row for row in rows if row[1] not in _OTHERS and not row[1].startswith("sqlite_autoindex_")]
    text = "\n".join(f"{kind}|{name}|{' '.join((sql or '').split())}" for kind, name, sql in ours)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def forget_times(db: sqlite3.Connection) -> None:
    """sqlite-utils notes when it applied a step. No fine time is kept in this database, not even this one."""
    db.execute("UPDATE _sqlite_migrations SET applied_at = '' WHERE applied_at != ''")


def create_tables(db: sqlite3.Connection) -> None:
    """All tables of the newest version, empty: for a reader where there is no database yet."""
    add_functions(db)
    for _, statements in MIGRATIONS:
        for statement in statements:
            db.execute(statement)
