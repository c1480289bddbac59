"""Two bounds that many parts need: a token bucket, and a table that forgets the oldest. No clock, no I/O."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TokenBucket:
    """`rate` tokens a second, never more than `burst`. It begins with `first` tokens, or with all of them.

    Times are seconds of any clock that only goes forward. A caller that spends more than
    there is has a debt.
    """

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float, first: float | None = None) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst if first is None else first
        self._at = now

    def left(self, now: float) -> float:
        """The tokens there are; a number below zero is a debt."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left

    def spend(self, tokens: float) -> None:
        self._left -= tokens

    def earn(self, tokens: float) -> None:
        """Add tokens besides those that time brings."""
        self._left = min(self._burst, self._left + tokens)

    def take(self, most: float, now: float) -> float:
        """Take up to `most` tokens, as many as there are."""
        taken = min(most, self.left(now))
        self.spend(taken)
        return taken

    def take_one(self, now: float) -> float:
        """Spend one token and return 0.0. If there is none, return the seconds until there is one."""
        if (left := self.left(now)) < 1.0:
            return max((1.0 - left) / self._rate, 0.001)
        self.spend(1.0)
        return 0.0


class BoundedDict(OrderedDict[K, V]):
    """At most `most` entries. An entry that is set becomes the newest, whether it was there before or not;
    the oldest goes.

    An OrderedDict, because a plain dict walks over the gaps of its deleted keys to find the first key. In a
    table of 65,536 that takes 40 times as long.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
