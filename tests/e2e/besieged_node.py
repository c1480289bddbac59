"""The node that test_e2e_hostile attacks. It draws strangers by lot all the time, to save the test an hour.

Two are controls: `unbounded` without the limits of a session, `unfair` where each session has a share. At the
end of each session it says how many posts came, and how much CPU it had used while that session had something
to do: what other processes take from it does not count.
"""

import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from p2pforum.core import limits

_NO_LIMIT = 2**60
_BOUNDS = (
    *("MAX_WANTS", "SYNC_WANT_WINDOW", "SYNC_NEG_BYTES", "SYNC_POSTS_BYTES", "SYNC_RANGES", "SYNC_ROUNDS"),
    *("SYNC_DUPLICATES", "SYNC_REFUSED", "SYNC_CPU_SECONDS"),
)


class Watch:
    """Seconds of CPU of this process, counted while somebody is within."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._within = 0
        self._since = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if not self._within:
            self._since = time.process_time()
        self._within += 1
        try:
            yield
        finally:
            self._within -= 1
            if not self._within:
                self.seconds += time.process_time() - self._since


_watch: ContextVar[Watch] = ContextVar("_watch")  # of the session that a task belongs to


def watch_sessions() -> None:
    """A session has something to do while it waits for a turn, has one, or has posts at the door."""
    from p2pforum.sync.session_runner import SessionRunner, TurnShare

    turn, ingest, run = TurnShare.turn, SessionRunner._ingest, SessionRunner.run

    @asynccontextmanager
    async def _turn(share: TurnShare) -> AsyncIterator[None]:
        with _watch.get(Watch())():
            async with turn(share):
                yield

    async def _ingest(runner: SessionRunner, *arguments: Any) -> None:
        with _watch.get()():
            await ingest(runner, *arguments)

    async def _run(runner: SessionRunner) -> Exception | None:
        _watch.set(Watch())
        error = await run(runner)
        print("SESSION", runner._session.report.new, _watch.get().seconds, flush=True)
        return error

    TurnShare.turn, SessionRunner._ingest, SessionRunner.run = _turn, _ingest, _run  # type: ignore[method-assign]


def main(kind: str) -> None:
    limits.SYNC_EVERY_SECONDS = 1
    if kind == "unbounded":
        for name in _BOUNDS:
            setattr(limits, name, _NO_LIMIT)
    watch_sessions()
    if kind == "unfair":
        share_with_nobody()
    from p2pforum.cli.main import main as command

    command()


def share_with_nobody() -> None:
    """A share for each session: the more of them somebody opens, the more turns."""
    from p2pforum.sync.session_runner import SessionRunner, TurnShare

    run = SessionRunner.run

    async def _run(runner: SessionRunner) -> Exception | None:
        runner._share = TurnShare(runner._share._turns, 0.004, limits.SYNC_READ, 2)
        return await run(runner)

    SessionRunner.run = _run  # type: ignore[method-assign]


if __name__ == "__main__":
    main(sys.argv.pop(1))
