"""What a running node makes of its clock and those of peers: may own posts leave, do old ones expire?"""

import logging
from collections.abc import Callable
from typing import Any, Protocol

import trio

from p2pforum.core import clock
from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import decode

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0  # between two looks whether the clock can be right


class PeersClocks(Protocol):
    """What hour it is for peers: sync.clocks.Clocks."""

    def offset(self) -> int | None:
        """By how many hours peers are ahead of this machine's clock; None: none has said it."""
        ...

    @property
    def is_confirmed(self) -> bool:
        """Whether a peer has said the same hour, and most that this node dialled do not contradict."""
        ...

    async def wait_confirmed(self) -> None: ...


class Timekeeping:
    """`now` gives the hour since 1970."""

    def __init__(self, params: NetworkParams, now: Callable[[], int], clocks: PeersClocks) -> None:
        self._params = params
        self._now = now
        self._clocks = clocks

    def problem(self) -> str:
        """Why this machine's clock can't be right; "" if nothing speaks against it."""
        return clock.problem(self._now(), self._clocks.offset())

    def may_leave(self, raw: bytes) -> bool:
        """Whether peers would take an own post now, as far as this node can know. Not one that is damaged: it
        must not hold up the others."""
        try:
            hour = decode(raw, self._params).payload.hour
        except InvalidPost:
            return False
        return not self.problem() and clock.is_taken(hour, self._now())

    def may_be_released(self, raw: bytes) -> bool:
        """Whether peers would take it and a peer has said that this machine's clock is right. By a clock that
        is behind, peers would refuse the post and say nothing, and once it is set the post would expire."""
        return self._clocks.is_confirmed and self.may_leave(raw)

    async def wait_confirmed(self) -> None:
        """Until a peer has said that this machine's clock is right."""
        await self._clocks.wait_confirmed()

    def view(self) -> dict[str, Any]:
        """For front ends."""
        return {
            "peers_ahead": self._clocks.offset(),
            "confirmed": self._clocks.is_confirmed,
            "problem": self.problem() or None,
        }

    async def run(self) -> None:
        """Say in the log when it turns out that the clock is wrong, until cancelled."""
        was_wrong = False
        while True:
            problem = self.problem()
            if problem and not was_wrong:
                log.error("%s; own posts stay here, and nothing is dropped as too old", problem)
            was_wrong = bool(problem)
            await trio.sleep(_LOOK_SECONDS)
