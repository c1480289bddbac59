"""Where a signed post goes: to the running node, or into the store itself, under its lock.

The one place that decides it. The store is the outbox of a node that does not run: what is kept there
unreleased goes out when it does.
"""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from p2pforum.cli.context import Context
from p2pforum.cli.times import this_hour
from p2pforum.core.errors import InvalidPost, NodeUnreachable, P2PForumError, Refused, StoreBusy
from p2pforum.core.verdict import Origin, Outcome

if TYPE_CHECKING:
    from p2pforum.ingest import Door

_PATIENCE = 8.0  # seconds for a node that holds the lock and does not answer yet: it is starting
_PAUSE = 0.1  # seconds


class Outlet:
    """A `Submit` for forum.publish. Use it in a `with`: the store stays open between posts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stack = ExitStack()
        self._door: Door | None = None
        self.failure: P2PForumError | None = None  #: why the last post was not taken
        self.listen = 0.0  #: seconds for which the node counts who offers a post back
        self.spread: dict[str, int] | None = None  #: how the last post left; None if the node did not say

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def node_was_off(self) -> bool:
        """Whether a post was kept here because no node ran."""
        return self._door is not None

    def submit(self, raw: bytes) -> Outcome:
        """Raises Refused or InvalidPost with the reason, StoreError or NodeUnreachable if nobody took it."""
        try:
            return self._submit(raw)
        except P2PForumError as error:
            self.failure = error
            raise

    def _submit(self, raw: bytes) -> Outcome:
        deadline, self.spread = time.monotonic() + _PATIENCE, None
        while self._door is None:
            try:
                kept = self._context.node.submit(raw, self.listen)
                self.spread = kept.spread
                return Outcome.STORED if kept.is_new else Outcome.DUPLICATE
            except NodeUnreachable:
                try:
                    self._door = self._open_door()
                except StoreBusy:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE)
        return _keep(self._door, raw)

    def _open_door(self) -> "Door":
        from p2pforum.ingest import Door
        from p2pforum.store.posts import open_store

        config = self._context.config
        store = self._stack.enter_context(open_store(self._context.paths.data_dir, config.params))
        return Door(store, config.params, this_hour, config.retention_hours)


def _keep(door: "Door", raw: bytes) -> Outcome:
    (verdict,) = door.ingest_now([raw], Origin.LOCAL)
    if verdict.outcome is Outcome.REFUSED:
        raise Refused(verdict.reason)
    if verdict.outcome is Outcome.INVALID:
        raise InvalidPost(verdict.reason)
    return verdict.outcome
