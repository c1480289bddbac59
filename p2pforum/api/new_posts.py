"""Which posts become public here, for front ends that listen, while they do.

Nothing of it is written or logged, and without a listener the node forgets each ID at once. A front end
learns no more than it could see by looking into the store again and again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from p2pforum.core import limits
from p2pforum.network.bell import Bell


class NewPosts:
    """Hands each ID to all that listen, and waits for none of them."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def tell(self, ids: Sequence[bytes]) -> None:
        """These are public here since now: every reader of the store sees them."""
        for listener in self._listeners:
            listener.add(ids)

    @contextmanager
    def listen(self) -> Iterator["Listener"]:
        """Hears of posts from now on, as long as the block lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)


class Listener:
    """What one front end has not been told yet: at most API_NEW_IDS of IDs."""

    def __init__(self) -> None:
        self._ids: list[bytes] = []
        self._must_look = True  # there may have been posts before
        self._bell = Bell()
        self._bell.ring()

    def add(self, ids: Sequence[bytes]) -> None:
        """Note these for the next call of `next`; if they are too many, note that it must look."""
        if not ids:
            return
        if len(self._ids) + len(ids) > limits.API_NEW_IDS:
            self._must_look = True
        self._ids = [] if self._must_look else [*self._ids, *ids]
        self._bell.ring()

    async def next(self) -> list[bytes]:
        """IDs since the last call; waits for one. Empty: look into the store. So it is at the first call, and
        when they were too many to keep."""
        await self._bell.heard()
        ids, self._ids, self._must_look = self._ids, [], False
        return ids
