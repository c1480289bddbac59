"""What the store says of me, taken out of it: by the running node, or under its lock."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from p2pforum.cli.context import Context
from p2pforum.core.errors import NodeUnreachable, StoreBusy, StoreError

if TYPE_CHECKING:
    from p2pforum.api.client import NodeClient
    from p2pforum.store.posts import Store

_PATIENCE = 8.0  # seconds for a node that holds the lock and does not answer yet: it is starting
_PAUSE = 0.1  # seconds


class Unsent:
    """The `StoreTraces` of forum.burning."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def forget(self, ids: Sequence[bytes]) -> None:
        """Raises StoreError for posts that went out meanwhile (they are everyone's now), StoreBusy."""
        from p2pforum.store import retention

        gone = self._do(lambda node: sum(map(node.forget, ids)), lambda store: retention.forget(store, ids))
        if gone < len(ids):
            raise StoreError(f"{len(ids) - gone} of the posts to remove had just been sent")

    def unpin(self, roots: Sequence[bytes]) -> None:
        """Raises StoreBusy."""
        from p2pforum.store import pins

        self._do(
            lambda node: sum(node.pin(root, False) for root in roots),
            lambda store: sum(pins.unpin(store, root) for root in roots),
        )

    def scrub(self) -> None:
        """Raises StoreBusy if a reader keeps the old state alive."""
        from p2pforum.store import retention

        if not self._do(lambda node: node.scrub(), retention.clean):
            raise StoreBusy("another program reads the store: what is gone is still in its log for a while")

    def _do(self, ask: "Callable[[NodeClient], int]", alone: "Callable[[Store], int]") -> int:
        """Ask the node; if there is none, take its place."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return ask(self._context.node)
            except NodeUnreachable:
                try:
                    return self._alone(alone)
                except StoreBusy:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE)

    def _alone(self, act: "Callable[[Store], int]") -> int:
        from p2pforum.store.posts import open_store

        with open_store(self._context.paths.data_dir, self._context.config.params) as store:
            return act(store)
