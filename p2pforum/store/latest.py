"""Public posts by (hour, ID), an order that is the same on every node: a board from its end,
and what is new.

Only released posts. The others are the user's own, or posts of other people that pass through here.
"""

import sqlite3
from collections.abc import Iterable

from p2pforum.store.schema import SLOT_BITS

Key = tuple[int, bytes]
"""Hour and ID of a post: its position in that order."""

_PUBLIC = "SELECT hour, id FROM post WHERE released AND raw IS NOT NULL"
_ON_BOARD = f"{_PUBLIC} AND board = (SELECT id FROM board WHERE name = ?)"
_END: Key = (2**40, b"")  # behind all posts


def latest(db: sqlite3.Connection, board: str | None, limit: int, before: Key | None) -> list[Key]:
    """The latest first, of one board or of all; only those before a position, if the caller gives one."""
    before = before or _END
    if board is not None:
        query = f"{_ON_BOARD} AND (hour, id) < (?, ?) ORDER BY hour DESC, id DESC LIMIT ?"
        return db.execute(query, (board, *before, limit)).fetchall()
    rows = db.execute(f"{_PUBLIC} AND row < ? ORDER BY row DESC", ((before[0] + 1) << SLOT_BITS,))
    return _first(limit, (key for key in rows if key < before))


def _first(limit: int, keys: Iterable[Key]) -> list[Key]:
    """Rows ascend by hours, and within an hour their order means nothing. So each hour is read as a whole."""
    found: list[Key] = []
    for key in keys:
        if len(found) >= limit and key[0] < found[-1][0]:
            break
        found.append(key)
    return sorted(found, reverse=True)[:limit]


def since(db: sqlite3.Connection, board: str | None, hour: int) -> list[Key]:
    """Posts dated in that hour or later, the earliest first."""
    if board is not None:
        return sorted(db.execute(f"{_ON_BOARD} AND hour >= ?", (board, hour)))
    return sorted(db.execute(f"{_PUBLIC} AND row >= ?", (hour << SLOT_BITS,)))
