"""What peers did in earlier sessions: who broke the protocol, and who cost us how much.

Bounded: peer IDs are cheap, so what we remember of one peer must never matter much. Not written to disk.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from p2pforum.core import limits
from p2pforum.sync.budget import Allowance


@dataclass(slots=True)
class _Record:
    allowance: Allowance
    banned_until: float = field(default=0.0)


class Standing:
    """`time` is in seconds, monotonic."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def is_banned(self, peer: str) -> bool:
        record = self._records.get(peer)
        return record is not None and record.banned_until > self._time()

    def ban(self, peer: str) -> None:
        self._record(peer).banned_until = self._time() + limits.SYNC_BAN_SECONDS

    def may_open(self, peer: str) -> bool:
        """Whether a session that this peer opens may cost us anything now."""
        return not self.is_banned(peer) and self._record(peer).allowance.available(self._time()) > 0

    def spend(self, peer: str, seconds: float) -> None:
        self._record(peer).allowance.spend(seconds)

    def _record(self, peer: str) -> _Record:
        record = self._records.setdefault(peer, _Record(Allowance(self._time())))
        self._records.move_to_end(peer)
        if len(self._records) > limits.MAX_SYNC_REMEMBERED:
            self._records.popitem(last=False)
        return record
