"""Compares this machine's clock with those of peers: may own posts be sent, and do old posts expire?"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from p2pforum.core import clock
from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import decode

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0  # between two checks of the clock


class PeersClocks(Protocol):
    """What hour peers say it is: sync.clocks.Clocks."""

    def offset(self) -> int | None:
        """By how many hours peers are ahead of this machine's clock; None: no peer has told its hour."""
        ...

    @property
    def is_confirmed(self) -> bool:
        """Whether a peer has told the same hour, and most peers that this node dialled do not contradict
        it."""
        ...

    async def wait_confirmed(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ClockView:
    """`peers_ahead`: hours, None if no peer has said it. `problem` may be empty."""

    peers_ahead: int | None
    is_confirmed: bool
    problem: str


class Timekeeping:
    """Judges the clock. `now` returns the hour since 1970."""

    def __init__(self, params: NetworkParams, now: Callable[[], int], clocks: PeersClocks) -> None:
        self._params = params
        self._now = now
        self._clocks = clocks

    def problem(self) -> str:
        """Why this machine's clock can't be right, as a text for a person; "" if it may be right."""
        return clock.problem(self._now(), self._clocks.offset())

    def may_leave(self, raw: bytes) -> bool:
        """Whether peers would accept an own post now, as far as this node knows. False for a damaged post, so
        that it does not hold up the others."""
        try:
            hour = decode(raw, self._params).payload.hour
        except InvalidPost:
            return False
        return not self.problem() and clock.is_taken(hour, self._now())

    def may_be_released(self, raw: bytes) -> bool:
        """Whether peers would accept it and a peer has confirmed this machine's clock.

        If this clock is behind, peers refuse the post without a word. Once the user sets the clock, the
        released post would expire, and be lost.
        """
        return self._clocks.is_confirmed and self.may_leave(raw)

    async def wait_confirmed(self) -> None:
        """Wait until a peer has confirmed this machine's clock."""
        await self._clocks.wait_confirmed()

    def view(self) -> "ClockView":
        """For front ends."""
        return ClockView(self._clocks.offset(), self._clocks.is_confirmed, self.problem())

    async def run(self) -> None:
        """Log it when the clock turns out to be wrong. Runs until cancelled."""
        was_wrong = False
        while True:
            problem = self.problem()
            if problem and not was_wrong:
                log.error("%s; own posts stay here, and nothing is dropped as too old", problem)
            was_wrong = bool(problem)
            await trio.sleep(_LOOK_SECONDS)
