"""The work of every hour: posts past their time are dropped, and the store's log is emptied."""

import logging

import trio

from p2pforum.outbound_posts import going_on
from p2pforum.store.keeping import Keeping
from p2pforum.store.posts import Store
from p2pforum.timekeeping import Timekeeping

log = logging.getLogger(__name__)

_SECONDS = 3600.0  # posts are dated by the hour, so a shorter period would drop nothing more


class Housekeeping:
    """Drops what is past its time."""

    def __init__(self, store: Store, keeping: Keeping, times: Timekeeping) -> None:
        self._store = store
        self._keeping = keeping
        self._times = times

    async def run(self) -> None:
        """Runs until cancelled. While this machine's clock can't be right, no post expires."""
        while True:
            with going_on():
                dropped = 0 if self._times.problem() else await trio.to_thread.run_sync(self._keeping.expire)
                await trio.to_thread.run_sync(self._store.checkpoint)
                log.info("housekeeping: dropped %d posts that were too old", dropped)
            await trio.sleep(_SECONDS)
