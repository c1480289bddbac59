"""What goes into a bundle: the released posts of a sealed view, one after the other.

Not the bundle's bytes (core/bundle.py). Read-only, with or without a node; while it is open, the node's
write-ahead log can only grow.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from p2pforum.core.errors import NotFound
from p2pforum.store import schema
from p2pforum.store.connection import open_read_only, translated

# Released posts only. The others are the user's own, or in their stem phase: a bundle with them would show
# where they began.
_SHOWN = "released AND raw IS NOT NULL"
_OF_BOARD = f"FROM post INDEXED BY post_released WHERE {_SHOWN} AND board = ?"
_OF_THREAD = f"FROM post INDEXED BY post_by_thread WHERE {_SHOWN} AND thread = ?"


class Export:
    """Made by open_export. `boards` and `posts` count what `raws` will give."""

    def __init__(self, db: sqlite3.Connection, network: str, parts: list[tuple[str, int]]) -> None:
        self._db = db
        self._parts = parts
        self.network = network
        counts = [self._one(f"SELECT count(*) {source}", number) for source, number in parts]
        self.posts = sum(counts)
        self.boards = sum(1 for count in counts if count)

    def raws(self) -> Iterator[bytes]:
        """The bytes of the posts, sorted by board, then by (hour, ID)."""
        with translated():
            for source, number in self._parts:
                # Row numbers first: if no index has the order, SQLite sorts only these in memory.
                rows = self._db.execute(f"SELECT row {source} ORDER BY hour, id", (number,))
                for (row,) in rows:
                    yield self._db.execute("SELECT raw FROM post WHERE row = ?", (row,)).fetchone()[0]

    def _one(self, query: str, number: int) -> int:
        return int(self._db.execute(query, (number,)).fetchone()[0])


@contextmanager
def open_export(directory: Path, board: str | None = None, root: bytes | None = None) -> Iterator[Export]:
    """Open an export of all boards, of one board, or of one thread (with its replies on other boards). Raises
    NotFound for a thread that is not here.
    """
    path = directory / schema.FILE_NAME
    if not path.exists():
        raise NotFound("nothing is kept here yet")
    schema.check_header(path)
    with ExitStack() as stack:
        with translated():
            db = stack.enter_context(closing(open_read_only(path)))
            schema.version(db, path)
            db.execute("BEGIN")
            export = Export(db, _network(db), _parts(db, board, root))
        yield export


def _parts(db: sqlite3.Connection, board: str | None, root: bytes | None) -> list[tuple[str, int]]:
    """(query, number) for each board, in the order of their names."""
    if root is not None:
        query = "SELECT thread.id FROM thread JOIN board ON board.id = thread.board WHERE root = ?"
        rows = db.execute(f"{query} ORDER BY board.name", (root,)).fetchall()
        return [(_OF_THREAD, number) for (number,) in rows]
    rows = db.execute(
        "SELECT id FROM board WHERE name = ? OR ? IS NULL ORDER BY name", (board, board)
    ).fetchall()
    if board is not None and not rows:
        raise NotFound(f"no posts of #{board} are here")
    return [(_OF_BOARD, number) for (number,) in rows]


def _network(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (schema.NETWORK,)).fetchone()
    return bytes(row[0]).decode("ascii") if row else ""
