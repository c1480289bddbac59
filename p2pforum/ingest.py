"""The one door into the store: every post, from anywhere, goes through `Door.ingest`.

Cheapest check first: size and shape, time, already here, signature, stamp. Callers that come while a
batch is being written are taken together into the next one: one transaction for many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import InvalidPost
from p2pforum.core.limits import NetworkParams
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Origin, Outcome

# And alike: a disk must not tell own posts from others' in the stem.
_UNRELEASED = (Origin.LOCAL, Origin.STEM)
_FRESH = (Origin.GOSSIP, *_UNRELEASED)


class PostStore(Protocol):
    """What the door needs of the store. Both run in a worker thread, never two at once."""

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        """Those that are here and released, or were dropped on purpose."""
        ...

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        """Those whose secret was published in a post that is here (and released)."""
        ...

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        """Keep (post, released) in one transaction; True where the post became new or newly released."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """`post` is there unless the bytes could not be decoded; `reason` is a text for a person."""

    outcome: Outcome
    post: Post | None = None
    reason: str = ""


def is_far(verdict: Verdict, now: int) -> bool:
    """Whether a post is dated so far ahead that no honest node can have taken it."""
    return verdict.post is not None and verdict.post.payload.hour > now + limits.FAR_HOURS


def check_time(hour: int, now: int, origin: Origin, horizon: int) -> Outcome | None:
    """None if a post of this hour may come in. Hours since 1970; `horizon` is the oldest kept."""
    if hour > now + limits.FUTURE_HOURS:
        return Outcome.TOO_EARLY
    oldest = now - limits.GOSSIP_PAST_HOURS if origin in _FRESH else horizon
    return Outcome.REFUSED if hour < oldest else None


@dataclass
class Door:
    """`now` gives the hour since 1970. Share one Door for one store."""

    store: PostStore
    params: NetworkParams
    now: Callable[[], int]
    retention_hours: int = limits.RETENTION_HOURS
    _waiting: list["_Batch"] = field(default_factory=list)
    _lock: trio.Lock = field(default_factory=trio.Lock)

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        """Check and keep; one verdict for each. A LOCAL or STEM post is kept but not released.

        Raises StoreError when the store can't take it (full disk): then nothing of the batch was
        acknowledged and nothing is half there.
        """
        batch = _Batch(raws, origin)
        self._waiting.append(batch)
        async with self._lock:
            if not batch.done:
                taken, self._waiting = self._waiting, []
                await trio.to_thread.run_sync(self._admit, taken)
        if batch.error is not None:
            raise batch.error
        return batch.verdicts

    def ingest_now(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        """The same without trio, for a front end that holds the lock itself."""
        batch = _Batch(raws, origin)
        self._admit([batch])
        if batch.error is not None:
            raise batch.error
        return batch.verdicts

    def _admit(self, batches: list["_Batch"]) -> None:
        now = self.now()
        try:
            for batch in batches:
                batch.verdicts = [self._examine(raw, batch.origin, now) for raw in batch.raws]
            self._keep(batches)
        except Exception as error:  # ours (disk, store): every caller in the batch must hear of it
            for batch in batches:
                batch.error = error
        finally:
            for batch in batches:
                batch.done = True

    def _examine(self, raw: bytes, origin: Origin, now: int) -> Verdict:
        """STORED here means: nothing speaks against keeping it."""
        try:
            post = decode(raw, self.params)
        except InvalidPost as error:
            return Verdict(Outcome.INVALID, None, str(error))
        outcome = check_time(post.payload.hour, now, origin, now - self.retention_hours)
        if outcome is not None:
            return Verdict(outcome, post, "dated outside the hours that are taken now")
        if self.store.known([post.id]):
            return Verdict(Outcome.DUPLICATE, post)
        if origin in _FRESH and self.store.revealed([post.author], public=origin is not Origin.LOCAL):
            # Not by sync or bundle: which came first differs from node to node, and two of them would
            # never have the same posts. Readers mark all that such a key has signed. To peers, a reveal in
            # its stem is not here: it could not come back, and who asks would learn that it passes.
            return Verdict(Outcome.REFUSED, post, "its key was published: anybody can sign with it now")
        try:
            post.verify_signature()
            post.verify_stamp(self.params)
        except InvalidPost as error:
            return Verdict(Outcome.INVALID, post, str(error))
        return Verdict(Outcome.STORED, post)

    def _keep(self, batches: list["_Batch"]) -> None:
        slots = [
            (batch, i, verdict.post)
            for batch in batches
            for i, verdict in enumerate(batch.verdicts)
            if verdict.outcome is Outcome.STORED and verdict.post is not None
        ]
        if not slots:
            return
        new = self.store.add([(post, batch.origin not in _UNRELEASED) for batch, _, post in slots])
        for (batch, i, post), is_new in zip(slots, new, strict=True):
            if not is_new:
                batch.verdicts[i] = Verdict(Outcome.DUPLICATE, post)


@dataclass
class _Batch:
    raws: Sequence[bytes]
    origin: Origin
    verdicts: list[Verdict] = field(default_factory=list)
    error: Exception | None = None
    done: bool = False
