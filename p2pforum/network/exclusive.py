"""The rule that trio streams share: one task may send and one may receive; a second one is a bug.

It is not a lock: the second task does not wait but gets `BusyResourceError`.
"""

from types import TracebackType

import trio


class Exclusive:
    """`with exclusive:` around an operation that two tasks must not be in at once. Raises
    trio.BusyResourceError."""

    def __init__(self, complaint: str) -> None:
        self._complaint = complaint
        self._held = False

    def __enter__(self) -> None:
        if self._held:
            raise trio.BusyResourceError(self._complaint)
        self._held = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held = False


def check_max_bytes(max_bytes: int | None) -> None:
    """Check the argument of a `receive_some`. Raises TypeError or ValueError."""
    if max_bytes is None:
        return
    if not isinstance(max_bytes, int):
        raise TypeError("max_bytes must be an integer")
    if max_bytes < 1:
        raise ValueError("max_bytes must be at least 1")
