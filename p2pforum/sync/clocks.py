"""What hour it is for peers, as they said when a session began. Only those that this node dialled count."""

from collections import OrderedDict
from collections.abc import Callable

from p2pforum.core.clock import peers_offset
from p2pforum.sync import params

_HOUR = 3600.0


class Clocks:
    """`time` is in seconds, monotonic; `now` gives the hour since 1970 by this machine's clock."""

    def __init__(self, time: Callable[[], float], now: Callable[[], int]) -> None:
        self._time = time
        self._now = now
        self._heard: OrderedDict[str, tuple[int, float]] = OrderedDict()  # the longest ago first

    def note(self, peer: str, hour: int) -> None:
        self._heard[peer] = hour, self._time()
        self._heard.move_to_end(peer)
        if len(self._heard) > params.CLOCKS_REMEMBERED:
            self._heard.popitem(last=False)

    def offset(self) -> int | None:
        """By how many hours peers' clocks are ahead of this machine's now, also if that was set meanwhile."""
        here, now = self._now(), self._time()
        recent = [(hour, at) for hour, at in self._heard.values() if now - at < params.CLOCKS_SECONDS]
        return peers_offset([hour + int((now - at) // _HOUR) - here for hour, at in recent])
