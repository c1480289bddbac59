"""What hour peers said it was, when a session began.

Only peers that this node dialled can show that this machine's clock is wrong, because an attacker can dial in
with any number of peers. While no dialled peer has told its hour, any peer may confirm that the clock is
right. Otherwise a node that can dial no peer would never learn it.
"""

import time as machine
from collections.abc import Callable

import trio

from p2pforum.core.bounded import BoundedDict
from p2pforum.core.clock import is_off, peers_offset
from p2pforum.sync import params

_HOUR = 3600.0


def with_sleep() -> float:
    """Seconds by trio's clock plus those for which the machine slept, because that clock stops meanwhile."""
    slept = machine.clock_gettime(machine.CLOCK_BOOTTIME) - machine.clock_gettime(machine.CLOCK_MONOTONIC)
    return trio.current_time() + slept


class Clocks:
    """`time` returns seconds, monotonic; `now` returns the hour since 1970 by this machine's clock."""

    def __init__(self, now: Callable[[], int], time: Callable[[], float] = with_sleep) -> None:
        self._time = time
        self.now = now
        self._heard = BoundedDict[str, tuple[int, float]](params.CLOCKS_REMEMBERED)
        self._agreed: tuple[int, float] | None = None  # the last inbound peer that agreed
        self._said = trio.lowlevel.ParkingLot()

    def note(self, peer: str, hour: int, *, dialled: bool) -> None:
        """A peer has told its hour. Of peers that dialled in, only agreement counts."""
        if dialled:
            self._remember(peer, hour)
        elif not is_off(hour - self.now()):
            self._agreed = hour, self._time()
        self._said.unpark_all()

    def _remember(self, peer: str, hour: int) -> None:
        self._heard[peer] = hour, self._time()

    def offset(self) -> int | None:
        """By how many hours peers' clocks are ahead of this machine's clock now, even if the user has set it
        since."""
        offsets = [self._offset(*heard) for heard in self._heard.values()]
        return peers_offset([offset for offset in offsets if offset is not None])

    @property
    def is_confirmed(self) -> bool:
        """Whether most peers that this node dialled say the same hour; if none has told its hour, whether one
        of the others says it."""
        offset = self.offset()
        if offset is None and self._agreed is not None:
            offset = self._offset(*self._agreed)
        return offset is not None and not is_off(offset)

    async def wait_confirmed(self) -> None:
        """Wait until `is_confirmed`."""
        while not self.is_confirmed:
            await self._said.park()

    def _offset(self, hour: int, at: float) -> int | None:
        """By how many hours a clock that showed `hour` at this time is ahead of this node's; None: too long
        ago."""
        elapsed = self._time() - at
        return hour + int(elapsed // _HOUR) - self.now() if elapsed < params.CLOCKS_SECONDS else None
