"""Threads and boards as one transaction changes them: which post belongs where, and how many
posts each has.

A thread is (root, board). A reply on another board than its root is of another thread, so counts do not
depend on which post came first. Not the posts themselves (change.py).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from p2pforum.core.kinds import REMARKS, UNCOUNTED
from p2pforum.store.scatter import Scatter

# Which rows of `post` a thread counts: kinds.is_counted, and not dropped.
COUNTED = f"raw IS NOT NULL AND kind < {REMARKS} AND kind NOT IN ({', '.join(f'{n:d}' for n in UNCOUNTED)})"
_NUMBER_BITS = 31  # 4 bytes in each row that refers to a thread or a board


@dataclass(slots=True)
class Thread:
    """A row of `thread`, as it will be."""

    number: int
    board: int
    root: bytes
    posts: int
    last_hour: int
    posts_before: int
    hour_before: int
    is_new: bool
    is_stale: bool = False  #: its latest post may be the one that was removed

    def count(self, hour: int) -> None:
        self.posts += 1
        self.last_hour = max(self.last_hour, hour)

    def uncount(self, hour: int) -> None:
        self.posts -= 1
        self.is_stale = self.is_stale or hour >= self.last_hour


def _as_kept(number: int, board: int, root: bytes, posts: int, last_hour: int) -> Thread:
    return Thread(number, board, root, posts, last_hour, posts, last_hour, is_new=False)


class Threads:
    """Threads by their numbers. `boards` has the boards' numbers by name; the Store keeps it
    over transactions.
    """

    def __init__(self, db: sqlite3.Connection, secret: bytes, boards: dict[str, int]) -> None:
        self._db = db
        self._board_numbers = Scatter(db, secret, "board", "id", _NUMBER_BITS)
        self._thread_numbers = Scatter(db, secret, "thread", "id", _NUMBER_BITS)
        self._boards = boards
        self._threads: dict[int, Thread] = {}

    def board(self, name: str) -> int:
        """The number of a board. A new board is made."""
        number = self._boards.get(name)
        if number is None:
            row = self._db.execute("SELECT id FROM board WHERE name = ?", (name,)).fetchone()
            number = self._boards[name] = self._new_board(name) if row is None else int(row[0])
        return number

    def _new_board(self, name: str) -> int:
        number = self._board_numbers.numbers([(0, name.encode())])[0]
        self._db.execute("INSERT INTO board VALUES (?, ?, 0, 0)", (number, name))
        return number

    def find_or_make(self, names: Iterable[tuple[int, bytes]]) -> dict[tuple[int, bytes], Thread]:
        """Threads by (board's number, root). Those that are not here are made."""
        found = {}
        missing = []
        for board, root in dict.fromkeys(names):
            row = self._db.execute(_BY_ROOT, (root, board)).fetchone()
            if row is None:
                missing.append((board, root))
            else:
                number, posts, last_hour = row
                found[board, root] = self._keep(_as_kept(number, board, root, posts, last_hour))
        numbers = self._thread_numbers.numbers(
            [(0, board.to_bytes(4, "big") + root) for board, root in missing]
        )
        for (board, root), number in zip(missing, numbers, strict=True):
            found[board, root] = self._keep(Thread(number, board, root, 0, 0, 0, 0, True))
        return found

    def load(self, number: int) -> Thread:
        if number in self._threads:
            return self._threads[number]
        board, root, posts, last_hour = self._db.execute(_BY_NUMBER, (number,)).fetchone()
        return self._keep(_as_kept(number, board, root, posts, last_hour))

    def _keep(self, thread: Thread) -> Thread:
        return self._threads.setdefault(thread.number, thread)

    # --- writing ------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write the threads. Before new posts are written, which refer to threads, and after
        old posts are removed.
        """
        threads = sorted(self._threads.values(), key=lambda thread: thread.number)
        for thread in threads:
            if thread.is_stale:
                thread.last_hour = latest_hour(self._db, thread.number)
        self._db.executemany(
            "INSERT INTO thread VALUES (?, ?, ?, ?, ?)",
            [(t.number, t.root, t.board, t.posts, t.last_hour) for t in threads if t.is_new],
        )
        kept = [t for t in threads if not t.is_new]
        # Two statements: SQLite writes to the indexes of each column that a statement names, changed or not.
        # Most posts that come to an old thread are not its latest, and in a large store each index is one
        # more page to write.
        self._db.executemany(
            "UPDATE thread SET posts = ? WHERE id = ?",
            [(t.posts, t.number) for t in kept if t.last_hour == t.hour_before],
        )
        self._db.executemany(
            "UPDATE thread SET posts = ?, last_hour = ? WHERE id = ?",
            [(t.posts, t.last_hour, t.number) for t in kept if t.last_hour != t.hour_before],
        )
        self._write_boards(threads)

    def _write_boards(self, threads: Sequence[Thread]) -> None:
        changes: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for thread in threads:
            changes[thread.board][0] += (thread.posts > 0) - (thread.posts_before > 0)
            changes[thread.board][1] += thread.posts - thread.posts_before
        self._db.executemany(
            "UPDATE board SET threads = threads + ?, posts = posts + ? WHERE id = ?",
            ((*change, board) for board, change in changes.items() if any(change)),
        )

    def remove_empty(self) -> None:
        """Remove threads and boards that have no posts left, tombstones included."""
        self._db.executemany(
            "DELETE FROM thread WHERE id = ? AND NOT EXISTS (SELECT 1 FROM post WHERE thread = thread.id)",
            [(thread.number,) for thread in self._threads.values() if not thread.posts],
        )
        self._db.executemany(
            "DELETE FROM board WHERE id = ? AND NOT EXISTS (SELECT 1 FROM thread WHERE board = board.id)",
            [(board,) for board in {thread.board for thread in self._threads.values()}],
        )
        self._boards.clear()


_BY_ROOT = "SELECT id, posts, last_hour FROM thread WHERE root = ? AND board = ?"
_BY_NUMBER = "SELECT board, root, posts, last_hour FROM thread WHERE id = ?"


def latest_hour(db: sqlite3.Connection, thread: int) -> int:
    """The hour of the latest post to read in a thread; 0 if there is none. Rows ascend with the hours."""
    row = db.execute(
        f"SELECT hour FROM post WHERE thread = ? AND {COUNTED} ORDER BY row DESC LIMIT 1", (thread,)
    ).fetchone()
    return int(row[0]) if row else 0
