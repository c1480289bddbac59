"""The one way into the store: every post, from any source, passes `Door.ingest`.

The door first checks what holds for every node: size and shape, signature, already here, stamp. Then it
applies what depends on this node's own clock, quota and posts. So INVALID is the sender's fault, whichever
node says it. No other outcome is a fault of the sender.

While one batch is written the next is checked, on all cores. Callers that come while a batch is written are
taken together into the next one, so one transaction serves many. There is no queue of posts: each caller
waits for its own, and that wait is the back-pressure.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Origin, Outcome

_SLICE = 32  # posts that one thread checks in one go: 2 ms; for fewer a second thread does not pay
# Both are kept in the same way. Otherwise an attacker with the disk could tell own posts from relayed ones.
_UNRELEASED = (Origin.LOCAL, Origin.STEM)
_FRESH = (Origin.GOSSIP, *_UNRELEASED)


class PostStore(Protocol):
    """What the door needs of the store. All methods run in worker threads; the door never calls `add` twice
    at once."""

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        """Those of these IDs that are here and released, or that were dropped on purpose."""
        ...

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        """Those of these keys whose secret a stored post published. `public`: count released posts only."""
        ...

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        """Keep each (post, released) in one transaction; True where the post became new or newly released."""
        ...


class Keep(Protocol):
    """What a node keeps, beyond the rule "not too old": store.keeping.Keeping."""

    def horizon(self) -> int:
        """The oldest hour (since 1970) that is kept of any board."""
        ...

    def refuses(self, post: Post) -> bool: ...

    def make_room(self) -> None:
        """The door calls it after each write, in the writing thread."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """`post` is None if the bytes could not be decoded; `reason` is a text for a person."""

    outcome: Outcome
    post: Post | None = None
    reason: str = ""


def check_time(hour: int, now: int, origin: Origin, horizon: int) -> Outcome | None:
    """None if a post of this hour may come in, else the outcome. All in hours since 1970; `horizon` is the
    oldest hour kept."""
    if hour > now + limits.FUTURE_HOURS:
        return Outcome.TOO_EARLY
    oldest = now - limits.GOSSIP_PAST_HOURS if origin in _FRESH else horizon
    return Outcome.REFUSED if hour < oldest else None


class Door:
    """Checks posts and keeps them. `now` returns the hour since 1970. Use one Door for one store. `keep` may
    refuse posts and make room."""

    def __init__(
        self,
        store: PostStore,
        params: NetworkParams,
        now: Callable[[], int],
        retention_hours: int = limits.RETENTION_HOURS,
        keep: Keep | None = None,
        public: Callable[[Sequence[bytes]], None] | None = None,
    ) -> None:
        """`public` is called with the IDs of posts that are public here since now."""
        self.store = store
        self.params = params
        self.now = now
        self._retention_hours = retention_hours
        self._keep_rules = keep
        self._tell_public = public
        self.trouble = ""  #: why the last batch could not be kept; empty if it could
        self._waiting: list[_Batch] = []
        self._checking = trio.Semaphore(2)  # two batches are checked at once, at most
        self._writing = trio.Lock()

    @property
    def retention_hours(self) -> int:
        """How many hours back posts are kept just now; a quota may have shortened it."""
        if self._keep_rules is None:
            return self._retention_hours
        return self.now() - self._keep_rules.horizon()

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        """Check and keep; one verdict for each of `raws`. A LOCAL or STEM post is kept but not released.

        Raises StoreError when the store can't take the batch (full disk): then no post of it was acknowledged
        and none is half written.
        """
        batch = _Batch(raws, origin)
        async with self._checking:
            await trio.to_thread.run_sync(self._examine, batch)
        if batch.is_decided:
            return batch.verdicts
        self._waiting.append(batch)
        try:
            async with self._writing:
                if not batch.done:
                    taken, self._waiting = self._waiting, []
                    with trio.CancelScope(shield=True):  # others wait for what was taken
                        await trio.to_thread.run_sync(self._keep, taken)
                        if self._tell_public is not None:
                            self._tell_public([post_id for batch in taken for post_id in batch.public])
        finally:
            if batch in self._waiting:  # the caller was cancelled: no one waits for its verdicts
                self._waiting.remove(batch)
        if batch.error is not None:
            raise batch.error
        return batch.verdicts

    def ingest_now(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        """As `ingest`, without trio, for a front end that holds the store's lock itself. Raises
        StoreError."""
        batch = _Batch(raws, origin)
        self._examine(batch)
        if not batch.is_decided:
            self._keep([batch])
        if batch.error is not None:
            raise batch.error
        return batch.verdicts

    # --- checking: no write, any number at once -----------------------------------------------------------

    def _examine(self, batch: "_Batch") -> None:
        """Set a verdict for each post; STORED means so far that no check speaks against keeping it."""
        batch.verdicts = [self._read(raw) for raw in batch.raws]
        known = self.store.known([post.id for _, post in batch.accepted()])
        # A post ID does not cover the signature. So a pushed post with a known ID is verified as well;
        # otherwise a peer could push copies with bad signatures for ever.
        checked = [entry for entry in batch.accepted() if batch.origin in _FRESH or entry[1].id not in known]
        pieces = [checked[start : start + _SLICE] for start in range(0, len(checked), _SLICE)]
        verify = partial(self._verify, known)
        # A few posts need one thread only. The pool's map returns all results or raises the first error.
        verified = map(verify, pieces) if len(pieces) < 2 else self._pool.map(verify, pieces)
        for invalid in verified:
            for index, verdict in invalid:
                batch.verdicts[index] = verdict
        for index, post in batch.accepted():
            if post.id in known:
                batch.verdicts[index] = Verdict(Outcome.DUPLICATE, post)
        self._apply_own_rules(batch)

    def _read(self, raw: bytes) -> Verdict:
        try:
            return Verdict(Outcome.STORED, decode(raw, self.params))
        except InvalidPost as error:
            return Verdict(Outcome.INVALID, None, str(error))

    def _apply_own_rules(self, batch: "_Batch") -> None:
        """Refuse posts that are valid and still not for this node now."""
        now = self.now()
        horizon = now - self.retention_hours
        for index, post in batch.accepted():
            outcome = check_time(post.payload.hour, now, batch.origin, horizon)
            if outcome is None and batch.origin is not Origin.LOCAL and self._keep_rules is not None:
                outcome = Outcome.REFUSED if self._keep_rules.refuses(post) else None
            if outcome is not None:
                batch.verdicts[index] = Verdict(outcome, post, "its hour is not one that this node takes now")
        revealed = self._revealed(batch)
        for index, post in batch.accepted():
            if post.author in revealed:
                reason = "its key was published: anybody can sign with it now"
                batch.verdicts[index] = Verdict(Outcome.REFUSED, post, reason)

    def _revealed(self, batch: "_Batch") -> set[bytes]:
        """Keys whose posts this node refuses, because their secret was published.

        Only for posts that are pushed. Over sync and bundles such posts are accepted: which came first, the
        reveal or the post, differs from node to node, so two nodes would otherwise never hold the same posts.
        Readers mark all posts that such a key has signed.
        """
        if batch.origin not in _FRESH:
            return set()
        # For posts from peers, a reveal that is still in its stem counts as unknown. Otherwise the node would
        # refuse the reveal when it comes back, and a peer could probe for a reveal that passes through here.
        authors = [post.author for _, post in batch.accepted()]
        return self.store.revealed(authors, public=batch.origin is not Origin.LOCAL)

    def _verify(self, known: set[bytes], piece: Sequence[tuple[int, Post]]) -> list[tuple[int, Verdict]]:
        """Index and verdict of those that are not valid. The stamp of a post that is here was checked before.

        Runs in a thread; libsodium lets other threads run meanwhile.
        """
        invalid = []
        for index, post in piece:
            try:
                post.verify_signature()
                if post.id not in known:
                    post.verify_stamp(self.params)
            except InvalidPost as error:
                invalid.append((index, Verdict(Outcome.INVALID, post, str(error))))
        return invalid

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """Its threads end when the door is garbage-collected."""
        return ThreadPoolExecutor(max_workers=min(limits.VERIFY_THREADS, os.cpu_count() or 1))

    # --- writing: one at a time ---------------------------------------------------------------------------

    def _keep(self, batches: Sequence["_Batch"]) -> None:
        """Write batches in one transaction. Never raises: the error is put into each batch."""
        try:
            slots = [(batch, index, post) for batch in batches for index, post in batch.accepted()]
            new = self.store.add([(post, batch.origin not in _UNRELEASED) for batch, _, post in slots])
            for (batch, index, post), is_new in zip(slots, new, strict=True):
                if not is_new:
                    batch.verdicts[index] = Verdict(Outcome.DUPLICATE, post)
                elif batch.origin not in _UNRELEASED:
                    batch.public.append(post.id)
        except Exception as error:  # the node's own fault (disk, store): every caller must learn of it
            for batch in batches:
                batch.error = error
        finally:
            for batch in batches:
                batch.done = True
        if self._keep_rules is not None:
            self._make_room(self._keep_rules, batches)
        self.trouble = next((str(batch.error) for batch in batches if batch.error), "")

    def _make_room(self, keep: Keep, batches: Sequence["_Batch"]) -> None:
        try:
            keep.make_room()
        except Exception as error:  # the added posts stay; an error makes the callers slow down
            for batch in batches:
                batch.error = batch.error or error


@dataclass(eq=False)
class _Batch:
    raws: Sequence[bytes]
    origin: Origin
    verdicts: list[Verdict] = field(default_factory=list)
    public: list[bytes] = field(default_factory=list)  # IDs of posts that it made public here
    error: Exception | None = None
    done: bool = False

    def accepted(self) -> list[tuple[int, Post]]:
        """Index and post of those that no check has turned down so far."""
        return [
            (index, verdict.post)
            for index, verdict in enumerate(self.verdicts)
            if verdict.outcome is Outcome.STORED and verdict.post is not None
        ]

    @property
    def is_decided(self) -> bool:
        return not self.accepted()
