"""Which records a node tells: a random part of those it knows, drawn once and told to all who ask.

Whoever asks often, or under many names, gets the same answer for a day (as from Bitcoin Core): it sees
neither how much this node knows nor what it has just learnt, and so not who has just connected to it.
"""

from collections.abc import Callable, Sequence
from random import Random

from p2pforum.core import limits
from p2pforum.exchange.wire import ANSWER_SIZE, encode_frame

_LONG = (21 * 3600.0, 27 * 3600.0)  # seconds a sample is told
# ... and one of all records, because they are few: a network that is growing must find itself. Who asks
# a small network all the time sees within the hour which node came.
_SHORT = (1_800.0, 5_400.0)


class Sample:
    """`known` are the records to draw from when the last draw is old."""

    def __init__(self, rng: Random, known: Callable[[], Sequence[bytes]], own: bytes | None) -> None:
        self._rng = rng
        self._known = known
        self._own = own
        self._frame = b""
        self._until = float("-inf")

    def answer(self, now: float) -> bytes:
        if now >= self._until:
            self._draw(now)
        return self._frame

    def _draw(self, now: float) -> None:
        """In no order that says anything. This node's own record is told as one among the others."""
        known = [record for record in self._known() if record != self._own]
        size = min(limits.PEERS_TOLD, max(limits.PEERS_TOLD_LEAST, len(known) // limits.PEERS_TOLD_PART))
        drawn = self._rng.sample(known, min(size, len(known)))
        self._frame = encode_frame(self._with_own(drawn), ANSWER_SIZE)
        everything = len(drawn) == len(known)
        self._until = now + self._rng.uniform(*(_SHORT if everything else _LONG))

    def _with_own(self, drawn: list[bytes]) -> list[bytes]:
        if self._own is not None:
            drawn = [*drawn[: limits.PEERS_TOLD - 1], self._own]
        self._rng.shuffle(drawn)
        return drawn
