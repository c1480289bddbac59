"""How many frames with little or no data a peer may send. Each frame costs work; bytes pay for it. No I/O.

In a flood of PINGs, of window updates or of empty messages, 12 bytes cause as much work as 256 bytes of a
post. The node stops reading from a peer that exceeds the budget, until the budget has recovered. A peer that
sends data pays as it goes.
"""

from p2pforum.core import limits
from p2pforum.core.bounded import TokenBucket


class FrameBudget:
    """Time is in seconds on any steady clock; `rate` is in frames a second that need no bytes."""

    def __init__(self, now: float, rate: float = limits.FRAMES_PER_SECOND) -> None:
        self._rate = rate
        self._frames = TokenBucket(rate, limits.FRAMES_BURST, now)

    def earn(self, size: float) -> None:
        """So many bytes were sent to the peer, which answers them with window updates."""
        self._frames.earn(size / limits.FRAME_BYTES)

    def spend(self, count: int, size: int, now: float) -> float:
        """Count frames that came, with `size` bytes in all of them. Returns the seconds to stop reading
        for."""
        self.earn(size)
        debt = count - self._frames.left(now)
        self._frames.spend(count)
        return max(0.0, debt) / self._rate
