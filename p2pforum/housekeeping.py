"""What is done every hour: posts past their time go, and the store's log is emptied."""

import logging

import trio

from p2pforum.outbound_posts import going_on
from p2pforum.store.keeping import Keeping
from p2pforum.store.posts import Store
from p2pforum.timekeeping import Timekeeping

log = logging.getLogger(__name__)

_SECONDS = 3600.0  # hours are what posts count in, so nothing expires more often


class Housekeeping:
    def __init__(self, store: Store, keeping: Keeping, times: Timekeeping) -> None:
        self._store = store
        self._keeping = keeping
        self._times = times

    async def run(self) -> None:
        """Until cancelled. By a clock that can't be right nothing expires."""
        while True:
            with going_on():
                dropped = 0 if self._times.problem() else await trio.to_thread.run_sync(self._keeping.expire)
                await trio.to_thread.run_sync(self._store.checkpoint)
                log.info("housekeeping: %d posts were past their time", dropped)
            await trio.sleep(_SECONDS)
