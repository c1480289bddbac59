"""How often each peer is answered. Time is an argument: seconds of a clock that only goes forward.

An answer is sixteen times the size of the question, and every answer of a day is the same: asking more
often than nodes like this one do can only be meant to cost us something.
"""

import enum

from p2pforum.core import limits


class Ruling(enum.Enum):
    ANSWER = "answer"
    REFUSE = "refuse"  # close the stream: perhaps it lost its connection some times
    FLOOD = "flood"  # no node like this one does that


class Ration:
    """A bucket for each peer ID. It outlasts the connection, or connecting anew would fill it."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}  # peer -> asks left, when; last used last

    def ask(self, peer: str, now: float) -> Ruling:
        left, then = self._buckets.pop(peer, (limits.PEERS_BURST, now))
        left = min(limits.PEERS_BURST, left + (now - then) / limits.PEERS_REFILL_SECONDS) - 1
        self._buckets[peer] = (max(left, -limits.PEERS_REFUSED), now)
        if len(self._buckets) > limits.PEERS_REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        if left >= 0:
            return Ruling.ANSWER
        return Ruling.REFUSE if left >= -limits.PEERS_REFUSED else Ruling.FLOOD
