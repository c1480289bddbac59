"""What a session needs of the store: a sealed view of the released posts. The store implements it."""

from collections.abc import Iterable
from typing import Protocol

from p2pforum.sync.reconcile import Items


class Snapshot(Protocol):
    """Does not change while it is open. Posts in their stem phase are not in it."""

    def boards(self, after: str, most: int, low_hour: int) -> list[tuple[str, bool]]:
        """Names of boards with posts, sorted: the first `most` of those that sort behind `after`.

        With each, whether it has posts of the hour `low_hour` or later.
        """
        ...

    def cells(self, low: int, end: int) -> bytes:
        """Of each hour in [low, end) that has posts, ascending: the hour in 4 bytes, big-endian, and SHA-256
        of the IDs of all its posts in order, of all boards."""
        ...

    def items(self, board: str, low_hour: int, end: int) -> Items:
        """A board's items of the hours in [low_hour, end); empty for an unknown board."""
        ...

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """The posts with these IDs; those that are not here any more are left out."""
        ...
