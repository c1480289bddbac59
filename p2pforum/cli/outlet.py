"""Where a signed post goes: to the running node, or into the store itself, under its lock.

The one place that decides it. The store is the outbox of a node that does not run: what is kept there
unreleased goes out when it does.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from p2pforum.cli.context import Context
from p2pforum.cli.terminal.times import this_hour
from p2pforum.core import clock
from p2pforum.core.errors import InvalidPost, NodeUnreachable, P2PForumError, Refused, StoreBusy
from p2pforum.core.verdict import Origin, Outcome

if TYPE_CHECKING:
    from p2pforum.api.client import NodeClient
    from p2pforum.ingest import Door
    from p2pforum.store.posts import Store

T = TypeVar("T")

_PATIENCE = 8.0  # seconds for a node that holds the lock and does not answer yet: it is starting
_PAUSE = 0.1  # seconds


class Outlet:
    """A `Submit` for forum.publish. Use it in a `with`: the store stays open between posts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stack = ExitStack()
        self._door: tuple[Door, Store] | None = None
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
        def ask(node: "NodeClient") -> Outcome:
            kept = node.submit(raw, self.listen)
            self.spread = kept.spread
            return Outcome.STORED if kept.is_new else Outcome.DUPLICATE

        self.spread = None
        return self._deliver(ask, lambda door, _: self._keep(door, raw))

    def take_bundle(self, raws: Sequence[bytes]) -> Counter[Outcome]:
        """Posts of a bundle, together; how many had which outcome."""
        from p2pforum.core.bundle import join_posts

        def keep(door: "Door", _: "Store") -> Counter[Outcome]:
            return Counter(verdict.outcome for verdict in door.ingest_now(raws, Origin.BUNDLE))

        return self._deliver(lambda node: node.submit_bundle(join_posts(raws)), keep)

    def pin(self, root: bytes, pinned: bool) -> bool:
        """Whether that was a change."""

        def keep(_: "Door", store: "Store") -> bool:
            from p2pforum.store import pins

            return pins.pin(store, root) if pinned else pins.unpin(store, root)

        return self._deliver(lambda node: node.pin(root, pinned), keep)

    def _deliver(self, ask: "Callable[[NodeClient], T]", keep: "Callable[[Door, Store], T]") -> T:
        """Ask the node; if there is none, take its place. Once taken, it is kept."""
        deadline = time.monotonic() + _PATIENCE
        while self._door is None:
            try:
                return ask(self._context.node)
            except NodeUnreachable:
                try:
                    self._door = self._open_door()
                except StoreBusy:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE)
        return keep(*self._door)

    def _keep(self, door: "Door", raw: bytes) -> Outcome:
        if wrong := clock.problem(this_hour(), None, self._context.reader.newest_public()):
            raise Refused(wrong)
        (verdict,) = door.ingest_now([raw], Origin.LOCAL)
        if verdict.outcome is Outcome.REFUSED:
            raise Refused(verdict.reason)
        if verdict.outcome is Outcome.INVALID:
            raise InvalidPost(verdict.reason)
        return verdict.outcome

    def _open_door(self) -> "tuple[Door, Store]":
        from p2pforum.ingest import Door
        from p2pforum.store.keeping import Keeping, Rules
        from p2pforum.store.posts import open_store

        config = self._context.config
        store = self._stack.enter_context(open_store(self._context.paths.data_dir, config.params))
        return Door(store, config.params, this_hour, keep=Keeping(store, Rules.of(config), this_hour)), store
