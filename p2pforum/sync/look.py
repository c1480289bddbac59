"""The first comparison of a session: from which hour on two nodes differ, if they do.

The hours are cut into stretches that grow in length from the newest back. So a difference in the last hours
does not make the nodes compare older ones. The cost grows with the hours, never with the boards.
"""

from itertools import pairwise

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.wire.payloads import Hello, Look

_NEWEST = 2  # rule: hours in the newest stretch: this hour and the next, because clocks differ
_GROWTH = 4  # rule: each next one reaches 4 times as far back: 7 stretches in half a year; with 2, 12


def window_of(ours: Hello, theirs: Hello) -> tuple[int, int]:
    """The hours of a session: from the first up to the second, which is not included.

    Posts of other hours are left out, because one side's door would refuse them.
    """
    low = max(ours.horizon, theirs.horizon)
    return low, max(low, min(ours.hour, theirs.hour) + limits.FUTURE_HOURS + 1)


def stretches(window: tuple[int, int]) -> list[tuple[int, int]]:
    """Newest first: the last 2 hours of a window, then those back to 8, 32, 128 and so on, to its first."""
    low, end = window
    edges, age = [end], _NEWEST
    while edges[-1] > low:
        edges.append(max(low, end - age))
        age *= _GROWTH
    return [(lower, upper) for upper, lower in pairwise(edges)]


class Looking:
    """Made when both HELLOs are known. `ours` and `theirs` are the two sides' LOOK frames."""

    def __init__(self, ours: Hello, theirs: Hello, *, initiator: bool) -> None:
        self.nonces = ours.nonce + theirs.nonce if initiator else theirs.nonce + ours.nonce
        self.fingerprint = Fingerprint(self.nonces)
        self._window = window_of(ours, theirs)
        self._stretches = stretches(self._window)
        self.ours: Look | None = None
        self.theirs: Look | None = None

    def look(self, snapshot: Snapshot) -> Look:
        self.ours = Look(tuple(self.fingerprint.of(snapshot.cells(*hours)) for hours in self._stretches))
        return self.ours

    def on_look(self, frame: Look) -> None:
        """Raises RemoteProtocolError for a second LOOK, or one with another number of stretches."""
        if self.theirs is not None:
            raise RemoteProtocolError("a second LOOK")
        if len(frame.seen) != len(self._stretches):
            raise RemoteProtocolError("a LOOK at other hours")
        self.theirs = frame

    @property
    def is_done(self) -> bool:
        return self.ours is not None and self.theirs is not None

    def differing(self) -> tuple[int, int] | None:
        """The hours to compare: from the oldest stretch that differs up to the newest hour. None if nothing
        differs."""
        assert self.ours is not None
        assert self.theirs is not None
        pairs = zip(self._stretches, self.ours.seen, self.theirs.seen, strict=True)
        differ = [lower for (lower, _), mine, other in pairs if mine != other]
        return (differ[-1], self._window[1]) if differ else None
