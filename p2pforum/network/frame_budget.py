"""How many frames a peer may send that carry nothing, or little. Each costs work; bytes pay for it. No I/O.

A storm of PINGs, of window updates or of empty messages is 12 bytes for as much work as 256 bytes of a post.
Who exceeds the budget is not read from until it has recovered; who sends data pays as it goes.
"""

from p2pforum.core import limits
from p2pforum.core.bounded import TokenBucket


class FrameBudget:
    """Time is in seconds on any steady clock; `rate` in frames a second that need no bytes."""

    def __init__(self, now: float, rate: float = limits.FRAMES_PER_SECOND) -> None:
        self._rate = rate
        self._frames = TokenBucket(rate, limits.FRAMES_BURST, now)

    def earn(self, size: float) -> None:
        """So many bytes went to the peer, which answers them with window updates."""
        self._frames.earn(size / limits.FRAME_BYTES)

    def spend(self, count: int, size: int, now: float) -> float:
        """So many frames came, with `size` bytes in all of them. Seconds not to read for."""
        self.earn(size)
        debt = count - self._frames.left(now)
        self._frames.spend(count)
        return max(0.0, debt) / self._rate
