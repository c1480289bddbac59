"""How often each peer is answered. Time is an argument: seconds of a clock that only goes forward.

An answer is sixteen times the size of the question, and every answer of a day is the same: asking more
often than nodes like this one do can only be meant to cost us something.
"""

import enum

from p2pforum.core import limits
from p2pforum.core.bounded import BoundedDict, TokenBucket


class RateVerdict(enum.Enum):
    ANSWER = "answer"
    REFUSE = "refuse"  # close the stream: perhaps it lost its connection some times
    FLOOD = "flood"  # no node like this one does that


class RateLimiter:
    """A bucket for each peer ID. It outlasts the connection, or connecting anew would fill it."""

    def __init__(self) -> None:
        self._buckets = BoundedDict[str, TokenBucket](limits.PEERS_REMEMBERED)

    def ask(self, peer: str, now: float) -> RateVerdict:
        bucket = self._buckets.get(peer)
        bucket = bucket or TokenBucket(1 / limits.PEERS_REFILL_SECONDS, limits.PEERS_BURST, now)
        self._buckets[peer] = bucket
        left = bucket.left(now) - 1
        bucket.spend(min(1, left + 1 + limits.PEERS_REFUSED))  # a flood makes the debt no larger
        if left >= 0:
            return RateVerdict.ANSWER
        return RateVerdict.REFUSE if left >= -limits.PEERS_REFUSED else RateVerdict.FLOOD
