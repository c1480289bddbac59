"""Posts that the network has not had, taken out of the store: by the running node, or under its lock."""

import time
from collections.abc import Sequence

from p2pforum.cli.context import Context
from p2pforum.core.errors import NodeUnreachable, StoreBusy, StoreError

_PATIENCE = 8.0  # seconds for a node that holds the lock and does not answer yet: it is starting
_PAUSE = 0.1  # seconds


class Unsent:
    """The `UnsentPosts` of forum.burning."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._is_clean: bool | None = None  #: None: the node is to be asked

    def forget(self, ids: Sequence[bytes]) -> None:
        """Raises StoreError for posts that went out meanwhile (they are everyone's now), StoreBusy."""
        gone, deadline = 0, time.monotonic() + _PATIENCE
        while True:
            try:
                for post_id in ids:
                    gone += self._context.node.forget(post_id)
                break
            except NodeUnreachable:
                try:
                    gone += self._forget_alone(ids)
                    break
                except StoreBusy:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE)
        if gone < len(ids):
            raise StoreError(f"{len(ids) - gone} of the posts to remove had just been sent")

    def _forget_alone(self, ids: Sequence[bytes]) -> int:
        from p2pforum.store.posts import open_store
        from p2pforum.store.retention import clean, forget

        with open_store(self._context.paths.data_dir, self._context.config.params) as store:
            gone = forget(store, ids)
            self._is_clean = clean(store)
        return gone

    def scrub(self) -> None:
        """Raises StoreBusy if a reader keeps the old state alive."""
        is_clean = self._context.node.scrub() if self._is_clean is None else self._is_clean
        if not is_clean:
            raise StoreBusy("another program reads the store: what is gone is still in its log for a while")
