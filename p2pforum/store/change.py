"""One write transaction: keeps posts, threads, boards, search and sync index in step.

It collects the changes, and `write()` writes them, each table in the order of its own key. The Store begins,
commits and rolls back.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from p2pforum.core.errors import InvalidPost
from p2pforum.core.kinds import is_counted
from p2pforum.core.post import Post
from p2pforum.store import block_rows
from p2pforum.store.blocks import BoardBlocks, Key
from p2pforum.store.hours import Hour, mark_changed, rebuild_hours
from p2pforum.store.rows import board_token, indexed_text, reopen
from p2pforum.store.scatter import Scatter, chunks, in_chunk
from p2pforum.store.schema import SLOT_BITS
from p2pforum.store.threads import Threads

_COLUMNS = "row, id, board, thread, hour, kind, released, raw"


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A row of `post`. `raw` is None once the post was dropped."""

    row: int
    id: bytes
    board: int
    thread: int
    hour: int
    kind: int
    released: int  #: 0 or 1
    raw: bytes | None

    @property
    def is_counted(self) -> bool:
        return self.raw is not None and is_counted(self.kind)


class Change:
    """The changes of one transaction. `blocks` of boards and all `hours` are as of the last commit. After
    `write`, `new_blocks` and `changed_hours` have the differences.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        secret: bytes,
        blocks: Mapping[int, BoardBlocks],
        hours: Mapping[int, Hour],
        boards: dict[str, int],
    ) -> None:
        self._db = db
        self._blocks = blocks
        self._hours = hours
        self._threads = Threads(db, secret, boards)
        self._row_numbers = Scatter(db, secret, "post", "row", SLOT_BITS)
        self._posts: list[tuple[Post, bool]] = []
        self._words: list[tuple[int, str, str]] = []
        self._gone_words: list[tuple[int, str, str]] = []
        self._gone_rows: list[int] = []
        self._reveals: list[tuple[bytes, int]] = []
        self._gone_reveals: list[tuple[bytes, int]] = []
        self._keys: dict[int, list[Key]] = defaultdict(list)
        self._gone_keys: dict[int, list[Key]] = defaultdict(list)
        self.new_blocks: dict[int, BoardBlocks] = {}
        self.changed_hours: set[int] = set()

    # --- what may change ----------------------------------------------------------------------------------

    def find(self, ids: Sequence[bytes]) -> dict[bytes, StoredPost]:
        query = in_chunk("id")
        return {stored.id: stored for chunk in chunks(ids) for stored in self.select(query, chunk)}

    def select(self, where: str, values: Sequence[object]) -> list[StoredPost]:
        """The rows that match. `where` must be text of this program, never of a stranger: it
        is not quoted.
        """
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM post WHERE {where}", values)
        return [StoredPost(*row) for row in rows]

    def insert(self, post: Post, released: bool) -> None:
        """Add a post that is not here. Call it once for each post."""
        self._posts.append((post, released))

    def release(self, stored: StoredPost) -> None:
        self._db.execute("UPDATE post SET released = 1 WHERE row = ?", (stored.row,))
        self._keys[stored.board].append((stored.hour, stored.id))

    def drop(self, stored: StoredPost) -> None:
        """Delete the bytes and keep the ID, so that sync does not fetch the post again."""
        self._uncount(stored)
        self._db.execute("UPDATE post SET raw = NULL WHERE row = ?", (stored.row,))

    def remove(self, stored: StoredPost) -> None:
        """Remove all of a post. Only below the horizon, because sync would fetch any other post again."""
        self._uncount(stored)
        self._gone_rows.append(stored.row)
        self._threads.load(stored.thread)  # the thread may go with its last post
        if stored.released:
            self._gone_keys[stored.board].append((stored.hour, stored.id))

    def rebuild_index(self) -> None:
        """Make the sync index anew from the posts. Needs a transaction without other changes."""
        self._db.execute("DELETE FROM rblock")
        for (board,) in self._db.execute("SELECT id FROM board").fetchall():
            self.new_blocks[board] = block_rows.rebuild_board(self._db, board)
        self.changed_hours |= rebuild_hours(self._db, self._hours)

    def _uncount(self, stored: StoredPost) -> None:
        if stored.is_counted:
            self._threads.load(stored.thread).uncount(stored.hour)
        post = None if stored.raw is None else _reopened(stored.id, stored.raw)
        if post is not None and (text := indexed_text(post)):
            self._gone_words.append((stored.row, text, board_token(stored.board)))
        if post is not None and post.is_reveal:
            self._gone_reveals.append((post.author, stored.row))

    # --- writing ------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write all changes into the open transaction."""
        # # Search deletes before it inserts, by ascending row: otherwise FTS5 makes a segment
        # of each post.
        self._db.executemany(
            "INSERT INTO words(words, rowid, text, board) VALUES ('delete', ?, ?, ?)",
            sorted(self._gone_words),
        )
        self._db.executemany("DELETE FROM post WHERE row = ?", [(row,) for row in sorted(self._gone_rows)])
        rows = self._new_rows()
        self._threads.write()
        self._db.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", sorted(rows))
        self._db.executemany("INSERT INTO words(rowid, text, board) VALUES (?, ?, ?)", sorted(self._words))
        self._db.executemany("DELETE FROM reveal WHERE key = ? AND row = ?", sorted(self._gone_reveals))
        self._db.executemany("INSERT INTO reveal VALUES (?, ?)", sorted(self._reveals))
        for board in {*self._gone_keys, *self._keys}:
            self._write_blocks(board)
        mark_changed(self._db, self._hours, self.changed_hours)
        if self._gone_rows:
            self._threads.remove_empty()

    def _new_rows(self) -> list[tuple[object, ...]]:
        """Give each new post its board, thread and row, and count it there."""
        boards = [self._threads.board(post.payload.board) for post, _ in self._posts]
        names = [(board, post.thread) for board, (post, _) in zip(boards, self._posts, strict=True)]
        threads = self._threads.find_or_make(names)
        numbers = self._row_numbers.numbers([(p.payload.hour << SLOT_BITS, p.id) for p, _ in self._posts])
        rows: list[tuple[object, ...]] = []
        for row, name, (post, released) in zip(numbers, names, self._posts, strict=True):
            fields, thread = post.payload, threads[name]
            head = (row, post.id, thread.board, thread.number, fields.hour, fields.kind, fields.stamp.bits)
            rows.append((*head, int(released), post.raw))
            if is_counted(fields.kind):
                thread.count(fields.hour)
            if text := indexed_text(post):
                self._words.append((row, text, board_token(thread.board)))
            if post.is_reveal:
                self._reveals.append((post.author, row))
            if released:
                self._keys[thread.board].append((fields.hour, post.id))
        return rows

    def _write_blocks(self, board: int) -> None:
        before = self._blocks.get(board) or block_rows.load_board(self._db, board)
        gone, keys = self._gone_keys.get(board, ()), self._keys.get(board, ())
        after = block_rows.remove_keys(self._db, board, before, gone)
        after = self.new_blocks[board] = block_rows.add_keys(self._db, board, after, keys)
        changed = {hour for hour, _ in (*gone, *keys)}
        after.follow(before, changed)
        self.changed_hours |= changed


class Offer:
    """One post of a transaction; the caller may add it several times."""

    def __init__(self, post: Post, stored: StoredPost | None) -> None:
        self._post = post
        self._stored = stored
        self._is_here = stored is not None
        self._is_released = stored is not None and bool(stored.released)
        self._is_dropped = stored is not None and stored.raw is None

    def accept(self, released: bool) -> bool:
        """Note one more copy of the post. True if this copy makes it new or newly released."""
        is_better = not self._is_here or (released and not self._is_released)
        self._is_here = True
        self._is_released = self._is_released or released
        return is_better and not self._is_dropped

    def apply(self, change: Change) -> None:
        if self._stored is None:
            change.insert(self._post, self._is_released)
        elif self._is_released and not self._stored.released:
            change.release(self._stored)


def _reopened(post_id: bytes, raw: bytes) -> Post | None:
    try:
        return reopen(post_id, raw)
    except InvalidPost:  # damaged on disk: its words stay in the index, and lead to no post
        return None
