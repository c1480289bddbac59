"""Posts that the network has not had, taken out of the store: by the running node, or under its lock."""

from collections.abc import Sequence

from p2pforum.cli.context import Context
from p2pforum.core.errors import NodeUnreachable, StoreBusy, StoreError


class Unsent:
    """The `UnsentPosts` of forum.burning."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def forget(self, ids: Sequence[bytes]) -> None:
        """Raises StoreError for posts that went out meanwhile: they are everyone's now."""
        try:
            gone = sum(self._context.node.forget(post_id) for post_id in ids)
        except NodeUnreachable:
            from p2pforum.store.posts import open_store
            from p2pforum.store.retention import clean, forget

            with open_store(self._context.paths.data_dir, self._context.config.params) as store:
                gone = forget(store, ids)
                clean(store)
        if gone < len(ids):
            raise StoreError(f"{len(ids) - gone} of the posts to remove had just been sent")

    def scrub(self) -> None:
        """Without a node it is done already. Raises StoreBusy if a reader keeps the old state alive."""
        try:
            is_clean = self._context.node.scrub()
        except NodeUnreachable:
            return
        if not is_clean:
            raise StoreBusy("another program reads the store: what is gone is still in its log for a while")
