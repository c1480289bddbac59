"""What this node keeps: how long, of which board, and within how many bytes.

A quota removes the oldest hour first, and within an hour the posts with the cheapest stamps. It leaves a
floor behind: the node refuses posts below it and asks for none, because sync would fetch again what was just
removed. Pinned threads and posts not yet released stay. Not what the user drops (retention.py).
"""

import logging
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby

from p2pforum.config import Config
from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.store import retention, schema
from p2pforum.store.posts import Store
from p2pforum.store.schema import SLOT_BITS

log = logging.getLogger(__name__)

_FULL = 0.90  # of the quota: above it room is made; the rest is for the log and for a batch on its way
_ROOMY = 0.82  # of the quota: so much is left, so that room is not made for each batch
_IDLE = 0.50  # of the quota: with less, the floor is lowered again and sync fetches the posts it kept out
_LOG = 32  # part of the quota that the write-ahead log may take
_STEPS = 64 * limits.KIB  # bytes of quota for each post that goes in one transaction
_FEWEST = 20
_SMALLEST_LOG = 64 * limits.KIB
_OVERHEAD = 450  # bytes of indexes and search that a post takes beside its own, about
_MORE = 1.1  # times what is estimated; otherwise a second pass would often have to take a little more
_PAGES = 200  # part of the quota that merging the search index may take for a moment


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """The limits as configured. `hours` is for boards without an entry in `by_board`; `quota` is in bytes."""

    hours: int = limits.RETENTION_HOURS
    by_board: Mapping[str, int] = field(default_factory=dict)
    quota: int = limits.QUOTA

    @classmethod
    def of(cls, config: Config) -> "RetentionPolicy":
        return cls(config.retention_hours, config.board_hours, config.quota)


@dataclass(frozen=True, slots=True, order=True)
class Floor:
    """Posts below it are not kept: by hour, then bits of the stamp, then the first byte of the ID."""

    hour: int = 0
    bits: int = 0
    first: int = 0

    @property
    def whole_hour(self) -> int:
        """From this hour on everything is kept. Sync may compare only these hours."""
        return self.hour + (1 if self.bits or self.first else 0)


_FLOOR = struct.Struct(">IBB")


class Keeping:
    """Applies the rules. `now` gives the hour since 1970. One for a store, whose one writer
    calls `make_room`.
    """

    def __init__(self, store: Store, policy: RetentionPolicy, now: Callable[[], int]) -> None:
        self._store = store
        self._policy = policy
        self._now = now
        self._is_still = False
        self.floor = _load_floor(store)
        store.limit_log(max(_SMALLEST_LOG, policy.quota // _LOG))

    def horizon(self) -> int:
        """The oldest hour that is kept on any board. Sync tells it to its peers."""
        longest = max([self._policy.hours, *self._policy.by_board.values()])
        return max(0, self._now() - longest, self.floor.whole_hour)

    def low(self, board: str) -> int:
        """The oldest hour that is kept of a board, and compared by sync."""
        hours = self._policy.by_board.get(board, self._policy.hours)
        return max(0, self._now() - hours, self.floor.whole_hour)

    def refuses(self, post: Post) -> bool:
        """Whether a post is below what is kept. In the floor's own hour, posts with expensive
        stamps may still come in.
        """
        fields = post.payload
        if Floor(fields.hour, fields.stamp.bits, post.id[0]) < self.floor:
            return True
        hours = self._policy.by_board.get(fields.board, self._policy.hours)
        return fields.hour < self._now() - hours

    def expire(self) -> int:
        """Remove posts that are too old; returns their number. The node calls this about once an hour. If the
        clock or the network stands still, it removes nothing and logs that once.
        """
        was_still = self._is_still
        self._is_still = retention.stands_still(retention.newest_released(self._store), self._now())
        if self._is_still:
            if not was_still:
                log.warning(
                    "the clock or the network has stood still: nothing here is new, so nothing is dropped"
                )
            return 0
        self._lower_floor()
        total = retention.expire(self._store, self.horizon())
        if self._policy.by_board:
            with self._store.exclusive() as db:
                boards = [name for (name,) in db.execute("SELECT name FROM board")]
            total += sum(retention.expire_board(self._store, name, self.low(name)) for name in boards)
            retention.give_back(self._store)
        return total

    def make_room(self) -> None:
        """Call it after each write: it is cheap unless the quota is full. The writer waits for it."""
        if self._used() > self._policy.quota * _FULL:
            self._make_room()
        elif self._store.size() > self._policy.quota:  # the log of a large merge
            self._store.checkpoint(patience=0)

    def _make_room(self) -> None:
        cost = self._cost()
        while (excess := self._used() - int(self._policy.quota * _ROOMY)) > 0:
            floor = self._floor_above(_MORE * excess / cost)
            if floor is None:
                log.warning("the quota is full of pinned threads and unpublished posts")
                break
            self._raise_floor(floor)
            self._remove_below(floor)
            retention.merge_words(self._store, max(16, self._policy.quota // _PAGES // schema.PAGE))
            retention.give_back(self._store)
            self._store.checkpoint(patience=0)  # only this makes the file shorter

    def _cost(self) -> float:
        """Bytes on disk for each byte that a post is estimated at."""
        with self._store.exclusive() as db:
            query = f"SELECT sum(coalesce(length(raw), 0) + {_OVERHEAD}) FROM post"
            return self._used_in(db) / (db.execute(query).fetchone()[0] or 1)

    def _used(self) -> int:
        with self._store.exclusive() as db:
            return self._used_in(db)

    @staticmethod
    def _used_in(db: sqlite3.Connection) -> int:
        pages = int(db.execute("PRAGMA page_count").fetchone()[0]) - retention.free_pages(db)
        return pages * schema.PAGE

    def _floor_above(self, excess: float) -> Floor | None:
        """The floor that removes about `excess` estimated bytes; None if no post may go."""
        taken, floor = 0, None
        with closing(self._oldest_first()) as hours:
            for hour, posts in hours:
                levels: Counter[tuple[int, int]] = Counter()
                for bits, first, size in posts:
                    levels[bits, first] += size + _OVERHEAD
                floor = Floor(hour + 1)
                if taken + levels.total() >= excess:
                    return _within(hour, levels, excess - taken)
                taken += levels.total()
        return floor

    def _oldest_first(self) -> Generator[tuple[int, Iterator[tuple[int, int, int]]], None, None]:
        """Hours with (bits, first byte of the ID, size) of each post that may go. Does not read posts."""
        with self._store.exclusive() as db:
            rows = db.execute(
                "SELECT hour, bits, substr(id, 1, 1), coalesce(length(raw), 0) FROM post"
                f" WHERE {retention.MAY_GO} ORDER BY row"
            )
            for hour, group in groupby(rows, lambda row: int(row[0])):
                yield hour, ((bits, first[0], size) for _, bits, first, size in group)

    def _remove_below(self, floor: Floor) -> None:
        low, high = floor.hour << SLOT_BITS, (floor.hour + 1) << SLOT_BITS
        cheap = "row < ? AND (bits, substr(id, 1, 1)) < (?, ?)"
        gone = retention.remove_where(
            self._store,
            f"row < ? OR ({cheap})",
            (low, high, floor.bits, bytes([floor.first])),
            min(limits.STORE_STEP, max(_FEWEST, self._policy.quota // _STEPS)),
        )
        log.info("the quota is full: %d of the oldest posts were removed", gone)

    # --- the floor, kept over restarts --------------------------------------------------------------------

    def _raise_floor(self, floor: Floor) -> None:
        """Call it before posts are removed: after a crash in between, sync would otherwise
        fetch them again.
        """
        self.floor = max(self.floor, floor)
        packed = _FLOOR.pack(self.floor.hour, self.floor.bits, self.floor.first)
        with self._store.exclusive() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (schema.FLOOR, packed))

    def _lower_floor(self) -> None:
        """Lower the floor when there is much room: the user raised the quota, or most posts were too old."""
        if self.floor == Floor() or self._used() > self._policy.quota * _IDLE:
            return
        with self._store.exclusive() as db:
            db.execute("DELETE FROM meta WHERE name = ?", (schema.FLOOR,))
        self.floor = Floor()


def _within(hour: int, levels: Counter[tuple[int, int]], excess: float) -> Floor:
    """The floor within an hour that removes its cheapest levels, until `excess` bytes are gone."""
    taken = 0
    for bits, first in sorted(levels):
        taken += levels[bits, first]
        if taken >= excess:
            return _next(hour, bits, first, is_last=(bits, first) == max(levels))
    return Floor(hour + 1)


def _next(hour: int, bits: int, first: int, *, is_last: bool) -> Floor:
    """The lowest floor above all posts of a level; above the whole hour if it is its last one."""
    if is_last:
        return Floor(hour + 1)
    return Floor(hour, bits, first + 1) if first < 255 else Floor(hour, bits + 1)


def _load_floor(store: Store) -> Floor:
    with store.exclusive() as db:
        row = db.execute("SELECT value FROM meta WHERE name = ?", (schema.FLOOR,)).fetchone()
    return Floor(*_FLOOR.unpack(row[0])) if row else Floor()
