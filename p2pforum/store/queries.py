"""Reads for the user: boards, threads, posts, search. On a read-only connection, with or without a node.

Standard library and core only, so a command that reads starts as fast as Python does. Shows all that is kept,
released or not. Sync sees only the released posts (snapshot.py).
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from p2pforum.core.errors import InvalidPost, NotFound, StoreError
from p2pforum.core.kinds import Meaning
from p2pforum.core.post import Post
from p2pforum.core.post_id import short_id
from p2pforum.store import schema
from p2pforum.store.connection import open_read_only, restrict, translated
from p2pforum.store.finding import PostSearch
from p2pforum.store.latest import Key, latest, since
from p2pforum.store.resolving import resolve
from p2pforum.store.reveals import revealed_keys
from p2pforum.store.rows import reopen
from p2pforum.store.search import excerpt
from p2pforum.store.statistics import StoreStatistics, read_statistics


@dataclass(frozen=True, slots=True)
class BoardRow:
    name: str
    threads: int
    posts: int
    last_hour: int


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread. `subject`, `author` and `hour` are the root's: empty and 0 while the root is not here."""

    root: bytes
    board: str
    subject: str
    author: bytes
    posts: int
    last_hour: int
    hour: int


@dataclass(frozen=True, slots=True)
class PostRow:
    """`root` is the thread's, in a root its own ID. `target`: what a retract or supersede is about."""

    id: bytes
    root: bytes
    board: str
    author: bytes
    hour: int
    parents: tuple[bytes, ...]
    kind: int
    version: int
    subject: str
    body: str
    target: bytes
    released: bool
    meaning: Meaning | None  #: None: this version does not understand the content


@dataclass(frozen=True, slots=True)
class SearchRow:
    """`snippet` is one line of the post around what was found."""

    post: PostRow
    snippet: str


class Reader:
    """Made by open_reader. For one thread of execution. Every method may raise StoreError."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self.path = path  #: of the database, even if there is none

    def boards(self) -> list[BoardRow]:
        """By name."""
        rows = self._all(
            "SELECT name, threads, posts, (SELECT max(last_hour) FROM thread WHERE thread.board = board.id)"
            " FROM board WHERE posts ORDER BY name"
        )
        return [BoardRow(*row) for row in rows]

    def threads(
        self, board: str | None, limit: int, before: bytes | None = None, offset: int = 0
    ) -> list[ThreadRow]:
        """The threads with the newest posts first; `before` is the root of the last one already shown,
        and the first `offset` are passed over.

        Raises NotFound if no thread has that root.
        """
        where, values = ["posts > 0"], list[object]()
        if board is not None:
            where.append("board = (SELECT id FROM board WHERE name = ?)")
            values.append(board)
        if before is not None:
            where.append("(last_hour, id) < (?, ?)")
            values += self._position(before)
        rows = self._all(
            "SELECT root, (SELECT name FROM board WHERE id = thread.board), posts, last_hour FROM thread"
            f" WHERE {' AND '.join(where)} ORDER BY last_hour DESC, id DESC LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [self._thread_row(*row) for row in rows]

    def thread(self, root: bytes) -> list[PostRow]:
        """All posts of a thread, unordered. Once the root is here, only those on its board."""
        rows = self._all(
            f"{_POSTS} WHERE thread IN (SELECT id FROM thread WHERE root = ?) AND raw IS NOT NULL", (root,)
        )
        posts = self._post_rows(rows)
        board = next((post.board for post in posts if post.id == root), None)
        return [post for post in posts if board is None or post.board == board]

    def pinned(self) -> list[bytes]:
        """Roots of the threads that are pinned."""
        return [root for (root,) in self._all("SELECT root FROM pin ORDER BY root")]

    def pinned_threads(self) -> list[ThreadRow]:
        """The latest first; then those of which nothing is here, with no board and no posts."""
        rows = self._all(
            "SELECT pin.root, coalesce((SELECT name FROM board WHERE id = thread.board), ''),"
            " coalesce(posts, 0), coalesce(last_hour, 0) FROM pin"
            " LEFT JOIN thread ON thread.root = pin.root AND posts > 0 ORDER BY last_hour DESC, pin.root"
        )
        return [self._thread_row(*row) for row in rows]

    def unreleased(self) -> list[PostRow]:
        """Posts that are kept and not public: by this user, and by others whose posts pass through."""
        return self._post_rows(self._all(f"{_POSTS} WHERE NOT released AND raw IS NOT NULL"))

    def post(self, post_id: bytes) -> PostRow | None:
        """None if it is not here, or if the user dropped it."""
        found = self._post_rows(self._all(f"{_POSTS} WHERE id = ? AND raw IS NOT NULL", (post_id,)))
        return found[0] if found else None

    def revealed(self, keys: Iterable[bytes]) -> set[bytes]:
        """The keys whose secret was published. Anybody can sign with these."""
        with translated():
            return revealed_keys(self._db, keys)

    def resolve(self, typed: str) -> bytes:
        """The ID that begins with what the user typed: of a post here, or else of a thread
        whose root is not here.

        Raises NotFound, or Ambiguous with the IDs it may mean.
        """
        with translated():
            return resolve(self._db, typed)

    def latest(self, board: str | None, limit: int, before: bytes | None = None) -> list[PostRow]:
        """Public posts by (hour, ID), the latest first; `before` is the ID of the last one already shown.

        Raises NotFound if that post is not here. For threads see `threads`.
        """
        place: Key | None = None
        if before is not None:
            found = self._all("SELECT hour, id FROM post WHERE id = ?", (before,))
            if not found:
                raise NotFound(f"no post {short_id(before)} is here")
            place = found[0]
        with translated():
            keys = latest(self._db, board, limit, place)
        return self.posts(post_id for _, post_id in keys)

    def since(self, hour: int, board: str | None = None) -> list[bytes]:
        """IDs of the public posts that are dated in that hour or later, by (hour, ID)."""
        with translated():
            return [post_id for _, post_id in since(self._db, board, hour)]

    def version(self) -> int:
        """A number that changes when another process writes. A look takes some microseconds."""
        return int(self._all("PRAGMA data_version")[0][0])

    def posts(self, ids: Iterable[bytes]) -> list[PostRow]:
        """Those that are here, in the order of `ids`."""
        return [row for post_id in ids if (row := self.post(post_id)) is not None]

    def search(
        self, query: str, board: str | None = None, limit: int = 20, offset: int = 0
    ) -> list[SearchRow]:
        """The newest posts with all these words first, after the first `offset`; see search.py.

        Raises InvalidQuery.
        """
        with translated():
            finding = PostSearch(self._db, query, board)
            rows = finding.rows(limit, offset)
        found = [row for number in rows for row in self._all(f"{_POSTS} WHERE row = ?", (number,))]
        return [
            SearchRow(post, excerpt(f"{post.subject} {post.body}", finding.groups))
            for post in self._post_rows(found)
        ]

    def count_found(self, query: str, board: str | None, most: int) -> int:
        """How many posts a search finds, counted up to `most`. Raises InvalidQuery."""
        with translated():
            return PostSearch(self._db, query, board).count(most)

    def newest_hours(self, limit: int) -> list[int]:
        """The hours of the newest posts, the latest first."""
        return [hour for (hour,) in self._all("SELECT hour FROM post ORDER BY row DESC LIMIT ?", (limit,))]

    def newest_public(self) -> int | None:
        """The hour of the newest public post; None if there is none."""
        rows = self._all("SELECT hour FROM post WHERE released AND raw IS NOT NULL ORDER BY row DESC LIMIT 1")
        return int(rows[0][0]) if rows else None

    def statistics(self) -> StoreStatistics:
        with translated():
            return read_statistics(self._db, self.path)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        with translated():
            return self._db.execute(query, values).fetchall()

    def _position(self, root: bytes) -> tuple[int, int]:
        rows = self._all("SELECT last_hour, id FROM thread WHERE root = ? ORDER BY 1, 2 LIMIT 1", (root,))
        if not rows:
            raise NotFound(f"no thread {short_id(root)} is here")
        last_hour, number = rows[0]
        return last_hour, number

    def _thread_row(self, root: bytes, board: str, posts: int, last_hour: int) -> ThreadRow:
        first = self.post(root)
        if first is None or first.root != root or first.board != board:
            return ThreadRow(root, board, "", b"", posts, last_hour, 0)
        return ThreadRow(root, board, first.subject, first.author, posts, last_hour, first.hour)

    def _post_rows(self, rows: list[Any]) -> list[PostRow]:
        """A row that is damaged on disk is left out and logged; the other rows are shown."""
        found = []
        for post_id, released, raw in rows:
            try:
                found.append(row_of(reopen(post_id, raw), released=bool(released)))
            except InvalidPost:
                _say_damaged()
        return found


_POSTS = "SELECT id, released, raw FROM post"


def row_of(post: Post, *, released: bool) -> PostRow:
    """The row of a post, which need not be in a store."""
    fields = post.payload
    return PostRow(
        id=post.id,
        root=post.thread,
        board=fields.board,
        author=post.author,
        hour=fields.hour,
        parents=fields.parents,
        kind=fields.kind,
        version=fields.version,
        subject=post.subject,
        body=post.body,
        target=post.target,
        released=released,
        meaning=post.meaning,
    )


def _say_damaged() -> None:
    import logging  # 8 ms that no other read needs

    logging.getLogger(__name__).warning("a stored post is damaged: run `p2pforum doctor`")


def open_reader(directory: Path) -> Reader:
    """Open a reader. Where there is no database it is empty. Raises StoreError for a foreign database."""
    path = directory / schema.FILE_NAME
    if not path.exists():
        return Reader(_nothing(), path)
    schema.check_header(path)
    db = open_read_only(path)
    try:
        with translated():
            if schema.version(db, path) < schema.VERSION:
                raise StoreError(
                    f"{path} was written by an older p2pforum: start the node once to upgrade it"
                )
    except BaseException:
        db.close()
        raise
    return Reader(db, path)


def _nothing() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    schema.create_tables(db)
    restrict(db)
    return db
