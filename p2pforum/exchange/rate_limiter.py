"""How often the node answers each peer. Time is an argument: seconds of a clock that only goes forward.

An answer is sixteen times the size of the question, and every answer of a day is the same. So a peer that
asks more often than our nodes do can only be attacking: it makes this node spend traffic.
"""

import enum

from p2pforum.core import limits
from p2pforum.core.bounded import BoundedDict, TokenBucket


class RateVerdict(enum.Enum):
    ANSWER = "answer"
    REFUSE = "refuse"  # close the stream: the peer may have lost its connection a few times
    FLOOD = "flood"  # an attack: no node like this one asks so often


class RateLimiter:
    """A token bucket for each peer ID. It outlives the connection; otherwise a peer could refill it by
    reconnecting."""

    def __init__(self) -> None:
        self._buckets = BoundedDict[str, TokenBucket](limits.PEERS_REMEMBERED)

    def ask(self, peer: str, now: float) -> RateVerdict:
        """Rule on a question that `peer` asks at `now` (seconds), and count it."""
        bucket = self._buckets.get(peer)
        bucket = bucket or TokenBucket(1 / limits.PEERS_REFILL_SECONDS, limits.PEERS_BURST, now)
        self._buckets[peer] = bucket
        left = bucket.left(now) - 1
        bucket.spend(min(1, left + 1 + limits.PEERS_REFUSED))  # a flood makes the debt no larger
        if left >= 0:
            return RateVerdict.ANSWER
        return RateVerdict.REFUSE if left >= -limits.PEERS_REFUSED else RateVerdict.FLOOD
