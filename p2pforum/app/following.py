"""What is new: since the last look, and as it comes.

The store does not record when a post came, because a thief of the disk could see what was here first
(docs/STORE.md). So a follower remembers in its own memory what it has shown, and writes none of it to disk.
A running node tells it which posts become public. Without one it looks at a number that changes when another
process writes: 5 microseconds a look. In both cases it reads them in the store and skips what it has shown,
so it loses and repeats nothing when a node starts or stops.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from p2pforum.app.session import Session
from p2pforum.core.errors import NodeUnreachable
from p2pforum.store.queries import PostRow, Reader

_PAUSE = 0.5  # seconds between two looks
_WINDOW = 7 * 24  # hours: a post that is dated longer ago and comes now is not shown


class Follower:
    """Public posts of one board, or of all, that were not here when it was made, or at the last look.

    `since` gives the hour from which posts that are already here count as new, too. Posts that are kept and
    not public are left out, because they may be posts of others that pass through.
    """

    def __init__(self, session: Session, board: str | None = None, since: int | None = None) -> None:
        self._session = session
        self._board = board
        self._since = since
        self._seen = set(self._ids(self._floor()))
        if since is not None:
            self._seen.difference_update(self._ids(since))
        # at which version of which store, from which hour
        self._looked: tuple[Reader, int, int] | None = None

    def new(self) -> Iterator[PostRow]:
        """The new posts by (hour, ID). Each is given once, also if the caller stops before
        the last. Raises StoreError.
        """
        self._session.look_again()
        reader, floor = self._session.reader, self._floor()
        looked = reader, reader.version(), floor
        if looked == self._looked:
            return
        ids = self._ids(floor)
        self._seen &= set(ids)  # what is too old to be told of again is forgotten
        for post_id in ids:
            if post_id not in self._seen:
                self._seen.add(post_id)
                yield from reader.posts([post_id])
        self._looked = looked

    def wait(self, pause: float = _PAUSE) -> Iterator[PostRow]:
        """The same for ever, as they come. `pause` is in seconds, between two looks while no node runs."""
        while True:
            yield from self.new()
            with suppress(NodeUnreachable):
                for ids in self._session.node.new_posts():
                    yield from self._told(ids)
            time.sleep(pause)

    def _told(self, ids: Sequence[bytes]) -> Iterator[PostRow]:
        """Those of these that are new. The node gives their IDs, or none when it can't name all."""
        floor = self._floor()
        if not ids or self._looked is None or floor != self._looked[2]:
            yield from self.new()  # which also forgets what is too old
            return
        for row in self._session.reader.posts(post_id for post_id in ids if post_id not in self._seen):
            if row.released and row.hour >= floor and self._board in (None, row.board):
                self._seen.add(row.id)
                yield row

    def _floor(self) -> int:
        week = self._session.now() - _WINDOW
        return week if self._since is None else min(week, self._since)

    def _ids(self, hour: int) -> list[bytes]:
        return self._session.reader.since(hour, self._board)
