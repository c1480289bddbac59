"""Which records the node shares: a random part of those it knows, drawn once and sent to every peer that
asks.

An attacker who asks often, or under many peer IDs, gets the same answer for a day (as from Bitcoin Core). So
the attacker sees neither how many records this node knows nor which one it has just learnt. Nor can the
attacker see from them which peer has just connected to this node.
"""

from collections.abc import Callable, Sequence
from random import Random

from p2pforum.core import limits
from p2pforum.exchange.wire import ANSWER_SIZE, encode_frame

_LONG = (21 * 3600.0, 27 * 3600.0)  # seconds that a sample is shared
# The same for a sample of all records: it is drawn more often, so that the nodes of a young network find each
# other. The cost: an attacker who polls a small network sees within the hour that a node has joined.
_SHORT = (1_800.0, 5_400.0)


class Sample:
    """Draws from `known()` when the last draw is too old. `own` is this node's record, if it has one."""

    def __init__(self, rng: Random, known: Callable[[], Sequence[bytes]], own: bytes | None) -> None:
        self._rng = rng
        self._known = known
        self._own = own
        self._frame = b""
        self._until = float("-inf")

    def answer(self, now: float) -> bytes:
        """The frame of `ANSWER_SIZE` bytes to send at `now` (seconds)."""
        if now >= self._until:
            self._draw(now)
        return self._frame

    def _draw(self, now: float) -> None:
        """In random order, so that the order tells nothing. This node's own record stands as one among the
        others."""
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
