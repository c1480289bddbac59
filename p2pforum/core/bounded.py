"""Two bounds that much here needs: a token bucket, and a table that forgets the oldest. No clock, no I/O."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TokenBucket:
    """`rate` tokens a second, never more than `burst`; at the beginning `first`, if not all.

    Times are seconds of any clock that only goes forward. Who spends more than there is has a debt.
    """

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float, first: float | None = None) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst if first is None else first
        self._at = now

    def left(self, now: float) -> float:
        """Below zero: a debt."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left

    def spend(self, tokens: float) -> None:
        self._left -= tokens

    def earn(self, tokens: float) -> None:
        """So many besides those that time brings."""
        self._left = min(self._burst, self._left + tokens)

    def take(self, most: float, now: float) -> float:
        """As many as there are, up to so many."""
        taken = min(most, self.left(now))
        self.spend(taken)
        return taken

    def take_one(self, now: float) -> float:
        """0.0 if there was one, which is spent; else the seconds until there is."""
        if (left := self.left(now)) < 1.0:
            return max((1.0 - left) / self._rate, 0.001)
        self.spend(1.0)
        return 0.0


class BoundedDict(OrderedDict[K, V]):
    """At most `most` entries. What is set is the newest, whether it was there or not; the oldest goes.

    An OrderedDict: to find the first key of a dict whose first ones were deleted takes a walk over the gaps,
    40 times as long in a table of 65,536.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
