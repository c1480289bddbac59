"""What is new: since the last look, and as it comes.

The store does not record when a post came, because a thief of the disk could see what was here first
(docs/STORE.md). So a follower remembers in its own memory what it has shown, and writes none of it to disk.
It looks at a number that changes when another process writes, with or without a node: 5 microseconds a look.
"""

import time
from collections.abc import Iterator

from p2pforum.app.session import Session
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
        self._looked: tuple[Reader, int] | None = None  # the store at the last look, and its version

    def new(self) -> Iterator[PostRow]:
        """The new posts by (hour, ID). Each is given once, also if the caller stops before
        the last. Raises StoreError.
        """
        self._session.look_again()
        reader = self._session.reader
        looked = reader, reader.version()
        if looked == self._looked:
            return
        ids = self._ids(self._floor())
        self._seen &= set(ids)  # forget what is too old to be shown again
        for post_id in ids:
            if post_id not in self._seen:
                self._seen.add(post_id)
                yield from reader.posts([post_id])
        self._looked = looked

    def wait(self, pause: float = _PAUSE) -> Iterator[PostRow]:
        """Give new posts for ever, as they come; `pause` is in seconds."""
        while True:
            yield from self.new()
            time.sleep(pause)

    def _floor(self) -> int:
        week = self._session.now() - _WINDOW
        return week if self._since is None else min(week, self._since)

    def _ids(self, hour: int) -> list[bytes]:
        return self._session.reader.since(hour, self._board)
