"""What a running node makes of its clock and those of peers: may own posts leave, do old ones expire?"""

import logging
from collections.abc import Callable
from typing import Any

import trio

from p2pforum.core import clock
from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import decode

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0  # between two looks whether the clock can be right


class Timekeeping:
    """`now` gives the hour since 1970, `offset` by how many hours peers are ahead of it; None: none said."""

    def __init__(
        self, params: NetworkParams, now: Callable[[], int], offset: Callable[[], int | None]
    ) -> None:
        self._params = params
        self._now = now
        self._offset = offset

    def problem(self) -> str:
        """Why this machine's clock can't be right; "" if nothing speaks against it."""
        return clock.problem(self._now(), self._offset())

    def may_leave(self, raw: bytes) -> bool:
        """Whether peers would take an own post now, as far as this node can know. Not one that is damaged: it
        must not hold up the others."""
        try:
            hour = decode(raw, self._params).payload.hour
        except InvalidPost:
            return False
        return not self.problem() and clock.is_taken(hour, self._now())

    def view(self) -> dict[str, Any]:
        """For front ends."""
        return {"peers_ahead": self._offset(), "problem": self.problem() or None}

    async def run(self) -> None:
        """Say in the log when it turns out that the clock is wrong, until cancelled."""
        was_wrong = False
        while True:
            problem = self.problem()
            if problem and not was_wrong:
                log.error("%s; own posts stay here, and nothing is dropped as too old", problem)
            was_wrong = bool(problem)
            await trio.sleep(_LOOK_SECONDS)
