"""One write transaction: keeps posts, threads, boards, search and sync index in step.

Collects what shall change and writes it in `write()`, each table in the order of its own key. Begin,
commit and rollback are the Store's.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from p2pforum.core.errors import InvalidPost, StoreError
from p2pforum.core.post import Kind, Post
from p2pforum.store import block_rows
from p2pforum.store.blocks import BoardBlocks, Key
from p2pforum.store.rows import board_token, reopen, search_text

SLOT_BITS = 20  # of the row, below the hour. 32 would add 87 bytes to a post: each word stores the distance
_NUMBER_BITS = 31  # of boards' and threads' numbers: 4 bytes in each row that refers to them
_TRIES = 64  # for a free row: they fail when over 900,000 posts of one hour are here
_NOT_COUNTED = (Kind.RETRACT, Kind.SUPERSEDE)  # they say something of a post, and are none to read


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of `post`. `raw` is None once dropped."""

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
        return self.raw is not None and self.kind not in _NOT_COUNTED


@dataclass(slots=True)
class _Thread:
    number: int
    board: int
    root: bytes
    posts: int
    last_hour: int
    posts_before: int
    is_new: bool
    is_stale: bool = False  #: its latest post may be the one that goes

    def count(self, hour: int) -> None:
        self.posts += 1
        self.last_hour = max(self.last_hour, hour)

    def uncount(self, hour: int) -> None:
        self.posts -= 1
        self.is_stale = self.is_stale or hour >= self.last_hour


class Change:
    """`blocks` are those of boards as of the last commit; after `write`, `new_blocks` has what differs."""

    def __init__(
        self, db: sqlite3.Connection, slot_key: bytes, blocks: dict[int, BoardBlocks], boards: dict[str, int]
    ) -> None:
        self._db = db
        self._slot_key = slot_key
        self._blocks = blocks
        self._boards = boards  # numbers by name, kept over transactions
        self._threads: dict[int, _Thread] = {}
        self._thread_numbers: dict[tuple[int, bytes], int] = {}
        self._rows: dict[int, tuple[object, ...]] = {}
        self._words: dict[int, tuple[str, str]] = {}
        self._gone_words: dict[int, tuple[str, str]] = {}
        self._gone_rows: list[int] = []
        self._keys: dict[int, list[Key]] = defaultdict(list)
        self._gone_keys: dict[int, list[Key]] = defaultdict(list)
        self.new_blocks: dict[int, BoardBlocks] = {}

    # --- what may change ----------------------------------------------------------------------------

    def find(self, post_id: bytes) -> Kept | None:
        rows = self.select("id = ?", (post_id,))
        return rows[0] if rows else None

    def select(self, where: str, values: Sequence[object]) -> list[Kept]:
        """`where` is ours, never a stranger's."""
        columns = "row, id, board, thread, hour, kind, released, raw"
        rows = self._db.execute(f"SELECT {columns} FROM post WHERE {where}", values)
        return [Kept(*row) for row in rows]

    def insert(self, post: Post, released: bool) -> None:
        """A post that is not here."""
        fields = post.payload
        board = self._board(fields.board)
        thread = self._thread_of(board, post.thread)
        row = self._free_row(post)
        values = (
            row,
            post.id,
            board,
            thread.number,
            fields.hour,
            fields.kind,
            fields.stamp.bits,
            int(released),
        )
        self._rows[row] = (*values, post.raw)
        if fields.kind not in _NOT_COUNTED:
            thread.count(fields.hour)
        if text := search_text(post):
            self._words[row] = (text, board_token(board))
        if released:
            self._keys[board].append((fields.hour, post.id))

    def release(self, kept: Kept) -> None:
        self._db.execute("UPDATE post SET released = 1 WHERE row = ?", (kept.row,))
        self._keys[kept.board].append((kept.hour, kept.id))

    def drop(self, kept: Kept) -> None:
        """The bytes go, the ID stays, so that sync does not fetch it again."""
        self._uncount(kept)
        self._db.execute("UPDATE post SET raw = NULL WHERE row = ?", (kept.row,))

    def remove(self, kept: Kept) -> None:
        """Nothing of it stays. Only below the horizon: else sync would fetch it again."""
        self._uncount(kept)
        self._gone_rows.append(kept.row)
        self._load_thread(kept.thread)  # it may go with its last post
        if kept.released:
            self._gone_keys[kept.board].append((kept.hour, kept.id))

    def rebuild_blocks(self) -> None:
        """Make the sync index anew from the posts; in a transaction of its own."""
        self._db.execute("DELETE FROM rblock")
        for (board,) in self._db.execute("SELECT id FROM board").fetchall():
            self.new_blocks[board] = block_rows.rebuild_board(self._db, board)

    def _uncount(self, kept: Kept) -> None:
        if kept.is_counted:
            self._load_thread(kept.thread).uncount(kept.hour)
        if kept.raw is not None and (text := _text_of(kept.id, kept.raw)):
            self._gone_words[kept.row] = (text, board_token(kept.board))

    # --- numbers of boards and threads, and rows ------------------------------------------------------

    def _board(self, name: str) -> int:
        if name in self._boards:
            return self._boards[name]
        row = self._db.execute("SELECT id FROM board WHERE name = ?", (name,)).fetchone()
        if row is None:
            number = self._free_number("SELECT 1 FROM board WHERE id = ?", name.encode())
            self._db.execute("INSERT INTO board VALUES (?, ?, 0, 0)", (number, name))
        else:
            number = row[0]
        self._boards[name] = number
        return number

    def _thread_of(self, board: int, root: bytes) -> _Thread:
        number = self._thread_numbers.get((board, root))
        if number is not None:
            return self._threads[number]
        row = self._db.execute("SELECT id FROM thread WHERE root = ? AND board = ?", (root, board)).fetchone()
        if row is not None:
            return self._load_thread(row[0])
        number = self._free_number("SELECT 1 FROM thread WHERE id = ?", board.to_bytes(4, "big") + root)
        return self._remember(_Thread(number, board, root, 0, 0, 0, is_new=True))

    def _load_thread(self, number: int) -> _Thread:
        if number in self._threads:
            return self._threads[number]
        row = self._db.execute(
            "SELECT board, root, posts, last_hour FROM thread WHERE id = ?", (number,)
        ).fetchone()
        board, root, posts, last_hour = row
        return self._remember(_Thread(number, board, root, posts, last_hour, posts, is_new=False))

    def _remember(self, thread: _Thread) -> _Thread:
        self._threads[thread.number] = thread
        self._thread_numbers[thread.board, thread.root] = thread.number
        return thread

    def _free_row(self, post: Post) -> int:
        """Posts of one hour lie together, in an order that tells nothing of when each came."""
        first = post.payload.hour << SLOT_BITS
        for attempt in range(_TRIES):
            row = first | self._hash(post.id, attempt, SLOT_BITS)
            if row not in self._rows and not self._is_taken("SELECT 1 FROM post WHERE row = ?", row):
                return row
        raise StoreError("too many posts of one hour are here")

    def _free_number(self, query: str, name: bytes) -> int:
        """Not one after the other: that would tell which thread was here first."""
        for attempt in range(_TRIES):
            number = self._hash(name, attempt, _NUMBER_BITS)
            if number not in self._threads and not self._is_taken(query, number):
                return number
        raise StoreError("too many threads or boards are here")

    def _is_taken(self, query: str, number: int) -> bool:
        return self._db.execute(query, (number,)).fetchone() is not None

    def _hash(self, name: bytes, attempt: int, bits: int) -> int:
        digest = blake2b(name, key=self._slot_key, salt=attempt.to_bytes(2, "big"), digest_size=4).digest()
        return int.from_bytes(digest, "big") & (1 << bits) - 1

    # --- writing ------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Into the open transaction. Search first takes out, then in, by ascending row: else FTS5 makes
        a segment of each post."""
        gone = [(row, *words) for row, words in sorted(self._gone_words.items())]
        self._db.executemany("INSERT INTO words(words, rowid, text, board) VALUES ('delete', ?, ?, ?)", gone)
        self._db.executemany("DELETE FROM post WHERE row = ?", ((row,) for row in sorted(self._gone_rows)))
        self._write_threads()
        self._db.executemany(
            "INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._rows[row] for row in sorted(self._rows)),
        )
        new = [(row, *words) for row, words in sorted(self._words.items())]
        self._db.executemany("INSERT INTO words(rowid, text, board) VALUES (?, ?, ?)", new)
        for board in {*self._gone_keys, *self._keys}:
            self._write_blocks(board)
        self._write_boards()
        if self._gone_rows:
            self._remove_empty()

    def _write_threads(self) -> None:
        for thread in sorted(self._threads.values(), key=lambda thread: thread.number):
            if thread.is_new:
                values = (thread.number, thread.root, thread.board, thread.posts, thread.last_hour)
                self._db.execute("INSERT INTO thread VALUES (?, ?, ?, ?, ?)", values)
                continue
            if thread.is_stale:
                thread.last_hour = latest_hour(self._db, thread.number)
            self._db.execute(
                "UPDATE thread SET posts = ?, last_hour = ? WHERE id = ?",
                (thread.posts, thread.last_hour, thread.number),
            )

    def _write_blocks(self, board: int) -> None:
        blocks = self._blocks.get(board) or block_rows.load_board(self._db, board)
        blocks = block_rows.remove_keys(self._db, board, blocks, self._gone_keys.get(board, ()))
        self.new_blocks[board] = block_rows.add_keys(self._db, board, blocks, self._keys.get(board, ()))

    def _write_boards(self) -> None:
        changes: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for thread in self._threads.values():
            changes[thread.board][0] += (thread.posts > 0) - (thread.posts_before > 0)
            changes[thread.board][1] += thread.posts - thread.posts_before
        self._db.executemany(
            "UPDATE board SET threads = threads + ?, posts = posts + ? WHERE id = ?",
            ((*change, board) for board, change in changes.items() if any(change)),
        )

    def _remove_empty(self) -> None:
        """Threads and boards that no post is left of."""
        for number in [thread.number for thread in self._threads.values() if not thread.posts]:
            self._db.execute(
                "DELETE FROM thread WHERE id = ? AND NOT EXISTS (SELECT 1 FROM post WHERE thread = ?)",
                (number, number),
            )
        for board in {thread.board for thread in self._threads.values()}:
            self._db.execute(
                "DELETE FROM board WHERE id = ? AND NOT EXISTS (SELECT 1 FROM thread WHERE board = ?)",
                (board, board),
            )
        self._boards.clear()


def latest_hour(db: sqlite3.Connection, thread: int) -> int:
    """Of the posts to read in a thread; 0 if there is none. Rows ascend with the hours."""
    row = db.execute(
        "SELECT hour FROM post WHERE thread = ? AND raw IS NOT NULL AND kind NOT IN (?, ?)"
        " ORDER BY row DESC LIMIT 1",
        (thread, *_NOT_COUNTED),
    ).fetchone()
    return int(row[0]) if row else 0


def _text_of(post_id: bytes, raw: bytes) -> str:
    try:
        return search_text(reopen(post_id, raw))
    except InvalidPost:  # damaged on disk: its words stay in the index, and find nothing
        return ""
