"""Which session fetches which post, so that the node does not ask two peers for one post. One for a node.

A claim that brings nothing for a while lapses. So a peer that lists posts and never sends them delays them by
SYNC_CLAIM_SECONDS at most. This file knows sessions, not peers, and drops a session's claims when it ends.
"""

from collections.abc import Callable, Hashable, Iterable

from p2pforum.core import limits


class Claims:
    """Keys are IDs of posts, or names of boards that are pulled. `time` returns seconds, monotonic."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._claims: dict[Hashable, tuple[object, float]] = {}
        self._of: dict[object, set[Hashable]] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def claim(self, keys: Iterable[Hashable], owner: object) -> list[Hashable]:
        """Claim the keys that no other session holds, or whose claim has lapsed. Returns those claimed."""
        now = self._time()
        mine = self._of.setdefault(owner, set())
        taken = []
        for key in keys:
            holder, until = self._claims.get(key, (owner, 0.0))
            if holder is not owner and until > now:
                continue
            if holder is not owner:
                self._of[holder].discard(key)
            self._claims[key] = (owner, now + limits.SYNC_CLAIM_SECONDS)
            mine.add(key)
            taken.append(key)
        return taken

    def release(self, keys: Iterable[Hashable], owner: object) -> None:
        """These have come, or will not come from this owner's peer."""
        mine = self._of.get(owner, set())
        for key in keys:
            if key in mine:
                mine.discard(key)
                del self._claims[key]

    def release_all(self, owner: object) -> None:
        """The session has ended."""
        for key in self._of.pop(owner, set()):
            del self._claims[key]
