"""Where the user's posts and wishes go: to the running node, or into the store itself, under its lock.

Only this file decides that. The store is the outbox of a node that does not run: a post kept there unreleased
goes out when the node runs.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from p2pforum.app.session import Session
from p2pforum.core import clock
from p2pforum.core.errors import (
    InvalidPost,
    NodeUnreachable,
    P2PForumError,
    Refused,
    StoreBusy,
    StoreError,
)
from p2pforum.core.verdict import Origin, Outcome

if TYPE_CHECKING:
    from p2pforum.api.client import NodeClient
    from p2pforum.ingest import Door
    from p2pforum.store.posts import Store

T = TypeVar("T")

_PATIENCE = 8.0  # seconds for a node that holds the lock and does not answer yet: it is starting
_PAUSE = 0.1  # seconds


class Delivery:
    """Its `submit` is a `Submit` of forum.publish. Use it in a `with`: the store stays open between posts."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stack = ExitStack()
        self._store: Store | None = None
        self._door: Door | None = None
        self.failure: P2PForumError | None = None  #: why the last post was not taken
        self.listen = 0.0  #: seconds for which the node counts the peers that offer a post back
        self.spread: dict[str, int] | None = None  #: how the last post left; None if the node did not say

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._session.look_again()

    @property
    def node_was_off(self) -> bool:
        """Whether a post was kept here because no node ran."""
        return self._store is not None

    def submit(self, raw: bytes) -> Outcome:
        """Hand in a post. Raises Refused or InvalidPost with the reason; StoreError or NodeUnreachable if no
        node and no store took it.
        """
        try:
            return self._submit(raw)
        except P2PForumError as error:
            self.failure = error
            raise

    def _submit(self, raw: bytes) -> Outcome:
        def ask(node: "NodeClient") -> Outcome:
            receipt = node.submit(raw, self.listen)
            self.spread = receipt.spread
            return Outcome.STORED if receipt.is_new else Outcome.DUPLICATE

        self.spread = None
        return self._deliver(ask, lambda store: self._keep(self._door_of(store), raw))

    def take_bundle(self, raws: Sequence[bytes]) -> Counter[Outcome]:
        """Hand in posts of a bundle together; returns how many had which outcome."""
        from p2pforum.core.bundle import join_posts

        def keep(store: "Store") -> Counter[Outcome]:
            return Counter(v.outcome for v in self._door_of(store).ingest_now(raws, Origin.BUNDLE))

        return self._deliver(lambda node: node.submit_bundle(join_posts(raws)), keep)

    def pin(self, root: bytes, pinned: bool) -> bool:
        """Pin or unpin a thread. Neither age nor quota removes a pinned one. Returns whether
        that was a change.
        """

        def keep(store: "Store") -> bool:
            from p2pforum.store import pins

            return pins.pin(store, root) if pinned else pins.unpin(store, root)

        return self._deliver(lambda node: node.pin(root, pinned), keep)

    def forget(self, ids: Sequence[bytes]) -> int:
        """Remove posts that were never released; returns how many were removed."""
        from p2pforum.store import retention

        return self._deliver(
            lambda node: sum(map(node.forget, ids)), lambda store: retention.forget(store, ids)
        )

    def scrub(self) -> bool:
        """Leave nothing of the removed posts in the files. False if a reader still needs the old state."""
        from p2pforum.store import retention

        return self._deliver(lambda node: node.scrub(), retention.clean)

    def _deliver(self, ask: "Callable[[NodeClient], T]", keep: "Callable[[Store], T]") -> T:
        """Ask the node. If none runs, take the store's lock and keep it until the end of the `with`."""
        deadline = time.monotonic() + _PATIENCE
        while self._store is None:
            try:
                return ask(self._session.node)
            except NodeUnreachable:
                try:
                    self._store = self._open_store()
                except StoreBusy:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE)
        return keep(self._store)

    def _keep(self, door: "Door", raw: bytes) -> Outcome:
        if wrong := clock.problem(self._session.now(), None, self._session.reader.newest_public()):
            raise Refused(wrong)
        (verdict,) = door.ingest_now([raw], Origin.LOCAL)
        if verdict.outcome is Outcome.REFUSED:
            raise Refused(verdict.reason)
        if verdict.outcome is Outcome.INVALID:
            raise InvalidPost(verdict.reason)
        return verdict.outcome

    def _open_store(self) -> "Store":
        from p2pforum.store.posts import open_store

        session = self._session
        return self._stack.enter_context(open_store(session.paths.data_dir, session.config.params))

    def _door_of(self, store: "Store") -> "Door":
        if self._door is None:
            from p2pforum.ingest import Door
            from p2pforum.store.keeping import Keeping, RetentionPolicy

            config, now = self._session.config, self._session.now
            self._door = Door(store, config.params, now, keep=Keeping(store, RetentionPolicy.of(config), now))
        return self._door


class TraceRemover:
    """The `StoreTraces` of forum.burning. Each act opens the store by itself and closes it, because the files
    are searched afterwards.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def forget(self, ids: Sequence[bytes]) -> None:
        """Raises StoreError for posts that were sent meanwhile, because other nodes have them
        then; StoreBusy.
        """
        with Delivery(self._session) as delivery:
            gone = delivery.forget(ids)
        if gone < len(ids):
            raise StoreError(f"{len(ids) - gone} of the posts to remove were just sent, so others have them")

    def unpin(self, roots: Sequence[bytes]) -> None:
        """Raises StoreBusy."""
        with Delivery(self._session) as delivery:
            for root in roots:
                delivery.pin(root, False)

    def scrub(self) -> None:
        """Raises StoreBusy if a reader keeps the old state alive."""
        with Delivery(self._session) as delivery:
            is_clean = delivery.scrub()
        if not is_clean:
            raise StoreBusy(
                "another program reads the store, so its log still holds for a while what you removed"
            )
