"""What a session asks of the store: a sealed view of the released posts. The store implements it."""

from collections.abc import Iterable
from typing import Protocol

from p2pforum.sync.reconcile import Items


class Snapshot(Protocol):
    """Does not change while it is open. Posts in their stem phase are not in it."""

    def boards(self, after: str, most: int) -> list[str]:
        """Names of boards with posts that sort behind `after`, sorted; the first `most` of them."""
        ...

    def items(self, board: str, low_hour: int = 0) -> Items:
        """From `low_hour` on; empty for an unknown board."""
        ...

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """The posts with these IDs; those that are not there any more are left out."""
        ...
