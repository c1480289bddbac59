"""How much is kept: from counts that are always up to date, so that asking costs nothing."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from p2pforum.store.schema import log_size


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """Counts for the user. `posts` are those that can be read, released or not."""

    posts: int
    threads: int
    boards: int
    unreleased: int
    size: int  #: bytes on disk, the write-ahead log included


def read_statistics(db: sqlite3.Connection, path: Path) -> StoreStatistics:
    boards, threads, posts = db.execute(
        "SELECT count(*), coalesce(sum(threads), 0), coalesce(sum(posts), 0) FROM board WHERE posts"
    ).fetchone()
    unreleased = db.execute("SELECT count(*) FROM post WHERE NOT released AND raw IS NOT NULL").fetchone()[0]
    size = (path.stat().st_size if path.exists() else 0) + log_size(path)
    return StoreStatistics(posts, threads, boards, unreleased, size)
