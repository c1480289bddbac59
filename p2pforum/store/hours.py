"""The digest of each hour over all boards. By it two nodes see at once whether any of their posts differ.

There is a row of rhour for each hour with released posts. It is NULL from the transaction that changes such
posts until the digest has been made again and saved. A digest costs what the posts of that hour cost, on
however many boards they are.
"""

import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from hashlib import sha256

from p2pforum.core import limits
from p2pforum.store.cells import ENTRY
from p2pforum.store.connection import translated
from p2pforum.store.schema import SLOT_BITS

_IDS = "SELECT id FROM post WHERE row >= ? AND row < ? AND released"


class Hour:
    """One state of an hour. When its posts change, a new object replaces it."""

    __slots__ = ("digest", "is_saved")

    def __init__(self, digest: bytes | None = None) -> None:
        self.digest = digest  #: SHA-256 of its IDs in order, b"" of no IDs, None until it is made
        self.is_saved = digest is not None


class Hours:
    """All hours of one commit. It does not change any more."""

    def __init__(self, hours: Mapping[int, Hour]) -> None:
        self._hours = hours
        self._cells: tuple[list[int], bytes] | None = None

    def cells(self, db: sqlite3.Connection, low: int = 0, end: int = limits.MAX_HOUR) -> bytes:
        """An entry (cells.py) for each hour from `low` up to, not including, `end` that has
        released posts.
        """
        if self._cells is None:
            self._cells = self._read(db)
        hours, packed = self._cells
        return packed[bisect_left(hours, low) * ENTRY : bisect_left(hours, end) * ENTRY]

    def _read(self, db: sqlite3.Connection) -> tuple[list[int], bytes]:
        """Make the digests that are not known, and all entries."""
        for hour, at in self._hours.items():
            if at.digest is None:
                at.digest = read_digest(db, hour)
        there = sorted((hour, at.digest) for hour, at in self._hours.items() if at.digest)
        return [hour for hour, _ in there], b"".join([h.to_bytes(4, "big") + digest for h, digest in there])


class HourCache:
    """The hours as of the last commit. One writer; a view takes `sealed()` and keeps it."""

    def __init__(self, rows: Iterable[tuple[int, bytes | None]]) -> None:
        self._hours = {hour: Hour(digest) for hour, digest in rows}
        self._sealed: Hours | None = None
        self._lock = threading.Lock()

    def current(self) -> Mapping[int, Hour]:
        """The hours by number. For the writer, and only until the next commit."""
        return self._hours

    def sealed(self) -> Hours:
        with self._lock:
            self._sealed = self._sealed or Hours(self._hours)
            return self._sealed

    def publish(self, changed: Iterable[int], gone: Iterable[int] = ()) -> None:
        """Take over a commit: the hours in `changed` get new objects without a digest, those in `gone` are
        removed. Views that were sealed before keep the old state.
        """
        with self._lock:
            if self._sealed is not None:
                self._hours, self._sealed = dict(self._hours), None
            self._hours.update((hour, Hour()) for hour in changed)
            for hour in gone:
                del self._hours[hour]


def load_hours(db: sqlite3.Connection) -> HourCache:
    """The hours on disk. Raises StoreError."""
    with translated():
        return HourCache(db.execute("SELECT hour, digest FROM rhour"))


def mark_changed(db: sqlite3.Connection, hours: Mapping[int, Hour], changed: Iterable[int]) -> None:
    """Set the rows of these hours to NULL, in the transaction that changes their posts. Rows that are NULL
    already are not written.
    """
    rows = [(hour,) for hour in sorted(changed) if hour not in hours or hours[hour].is_saved]
    db.executemany("INSERT OR REPLACE INTO rhour VALUES (?, NULL)", rows)


def save_hours(db: sqlite3.Connection, cache: HourCache) -> None:
    """Write the digests made since the last time. On the writer's connection, outside a transaction."""
    made = [(hour, at) for hour, at in cache.current().items() if at.digest is not None and not at.is_saved]
    if not made:
        return
    empty = [hour for hour, at in made if not at.digest]
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany("UPDATE rhour SET digest = ? WHERE hour = ?", [(at.digest, h) for h, at in made])
        db.executemany("DELETE FROM rhour WHERE hour = ?", [(hour,) for hour in empty])
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    for _, at in made:
        at.is_saved = True
    if empty:
        cache.publish((), empty)


def rebuild_hours(db: sqlite3.Connection, known: Iterable[int]) -> set[int]:
    """Make the rows anew from the posts, in a transaction. Returns the hours. `known`: hours in memory."""
    db.execute("DELETE FROM rhour")
    db.execute(f"INSERT INTO rhour SELECT DISTINCT row >> {SLOT_BITS}, NULL FROM post WHERE released")
    db.executemany("INSERT OR IGNORE INTO rhour VALUES (?, NULL)", [(hour,) for hour in known])
    return {hour for (hour,) in db.execute("SELECT hour FROM rhour")}


def read_digest(db: sqlite3.Connection, hour: int) -> bytes:
    """From the posts: SHA-256 of the IDs of one hour in order; b"" if it has no posts."""
    ids = [post_id for (post_id,) in db.execute(_IDS, (hour << SLOT_BITS, (hour + 1) << SLOT_BITS))]
    return sha256(b"".join(sorted(ids))).digest() if ids else b""
