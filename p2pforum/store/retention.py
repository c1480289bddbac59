"""Removes posts that are too old, and posts that the user wants gone. Gives the space back to the disk.

All in steps of bounded size, so that posts can come in between. Not when, and not how old:
the node decides that.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from p2pforum.core import limits
from p2pforum.store.pins import NOT_PINNED
from p2pforum.store.posts import Store
from p2pforum.store.schema import SLOT_BITS

# Never removed by age or quota: a post that is not released yet, because it may be here only,
# and a post of a pinned thread.
MAY_GO = f"(released OR raw IS NULL) AND {NOT_PINNED}"
_PAGES_A_STEP = 1_000  # pages given back, or merged, in one transaction: some 20 ms


def stands_still(newest_hour: int | None, now: int) -> bool:
    """Whether nothing may expire: no released post here is younger than STANDSTILL_HOURS.

    Then the clock is wrong, or the network was silent. Posts that no other node has any more may be here
    only. A machine that was off for long waits until its first sync has brought something new.
    """
    return newest_hour is not None and now - newest_hour > limits.STANDSTILL_HOURS


def newest_released(store: Store) -> int | None:
    """The hour of the newest post that other nodes have too; None if there is none."""
    with store.exclusive() as db:
        row = db.execute("SELECT hour FROM post WHERE released ORDER BY row DESC LIMIT 1").fetchone()
    return int(row[0]) if row else None


def expire(store: Store, before_hour: int) -> int:
    """Remove every post older than `before_hour`, tombstones too, except those that may not
    go; returns the number.

    Raise the horizon of ingest and sync first, because sync would fetch again what goes. Blocks of the sync
    index go as a whole.
    """
    total = remove_where(store, "row < ?", (before_hour << SLOT_BITS,))
    if total:
        give_back(store)
    return total


def expire_board(store: Store, board: str, before_hour: int) -> int:
    """The same for one board that is kept for a shorter time."""
    of_board = "board = (SELECT id FROM board WHERE name = ?)"
    return remove_where(store, f"row < ? AND {of_board}", (before_hour << SLOT_BITS, board))


def remove_where(
    store: Store, where: str, values: Sequence[object], posts_a_step: int = limits.STORE_STEP
) -> int:
    """Remove what may go by ascending row, in steps. `where` must be text of this program, never of a
    stranger: it is not quoted.
    """
    total, last = 0, -1
    while True:
        with store.writing() as change:
            # Rows ascend with the hours, so the oldest are the first. Rows that may not go
            # are skipped once.
            step = f"row > ? AND ({where}) AND {MAY_GO} ORDER BY row LIMIT ?"
            gone = change.select(step, (last, *values, posts_a_step))
            for stored in gone:
                change.remove(stored)
        if not gone:
            return total
        total, last = total + len(gone), gone[-1].row


def drop(store: Store, ids: Iterable[bytes], *, scrub: bool = True) -> int:
    """Delete the bytes of these posts and keep their IDs, so that sync does not fetch them again.

    Returns the number of posts dropped. With `scrub`, no text of theirs is left in the files when it returns,
    not even a word. (What the file system or an SSD keeps of overwritten blocks is out of reach.)
    """
    total = sum(_drop_step(store, step) for step in _steps(ids))
    if total and scrub:
        clean(store)
    return total


def _drop_step(store: Store, ids: list[bytes]) -> int:
    with store.writing() as change:
        present = [stored for stored in change.find(ids).values() if stored.raw is not None]
        for stored in present:
            change.drop(stored)
    return len(present)


def _steps(ids: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(dict.fromkeys(ids))
    while step := list(islice(rest, limits.STORE_STEP)):
        yield step


def forget(store: Store, ids: Iterable[bytes]) -> int:
    """Remove posts that were never released, as if they had not been written; returns the number.

    Released posts stay, because the network has them. Call `clean` afterwards: until then the log still holds
    the removed posts.
    """
    total = 0
    for step in _steps(ids):
        with store.writing() as change:
            gone = [stored for stored in change.find(step).values() if not stored.released]
            for stored in gone:
                change.remove(stored)
        total += len(gone)
    return total


def clean(store: Store) -> bool:
    """Merge the search index, so that words of removed posts go too, and empty the log.

    False if a reader still held an older state. Then the next checkpoint finishes it.
    """
    merge_words(store)
    give_back(store)
    return store.checkpoint()


def merge_words(store: Store, pages_a_step: int | None = None) -> None:
    """Merge all segments of the search index into one. Until then the marks of deleted words
    take room, too.

    A step takes up to `pages_a_step` more pages for a moment, and gives back those that it merged.
    """
    pages = pages_a_step or _PAGES_A_STEP
    rank = -pages  # negative: begin by taking all segments together
    while True:
        with store.exclusive() as db:
            before = db.total_changes
            db.execute("INSERT INTO words(words, rank) VALUES ('merge', ?)", (rank,))
            if db.total_changes - before < 2:  # FTS5's sign that nothing is left to merge
                return
        store.copy_log_if_long()
        rank = pages


def give_back(store: Store) -> None:
    """Shorten the file by its free pages, in steps of _PAGES_A_STEP."""
    while True:
        with store.exclusive() as db:
            if not free_pages(db):
                return
            db.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
        store.copy_log_if_long()


def free_pages(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])
