"""What peers did in earlier sessions: how much each cost this node, and when.

Bounded: peer IDs are cheap, so the record of one peer must never matter much. It is not written to disk.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.bounded import BoundedDict, TokenBucket


@dataclass(slots=True)
class _Record:
    work: TokenBucket  #: seconds that its sessions may cost
    turn: float = -math.inf


class Reputation:
    """Counts sessions that peers opened. `time` returns seconds, monotonic."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._records = BoundedDict[str, _Record](limits.MAX_SYNC_REMEMBERED)

    def may_open(self, peer: str) -> bool:
        """Whether this peer may open a session that costs this node work now."""
        return self._record(peer).work.left(self._time()) > 0

    def last_turn(self, peer: str) -> float:
        """When it had its last session; minus infinity if it had none."""
        return self._record(peer).turn

    def had_session(self, peer: str, cost: float) -> None:
        """A session has ended that cost so many seconds of work."""
        record = self._record(peer)
        record.work.spend(cost)
        record.turn = self._time()

    def _record(self, peer: str) -> _Record:
        record = self._records.get(peer)
        if record is None:
            record = _Record(TokenBucket(limits.SYNC_PEER_CPU, limits.SYNC_CPU_SECONDS, self._time()))
        self._records[peer] = record
        return record
