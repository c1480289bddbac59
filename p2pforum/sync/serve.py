"""Posts going out in one session: answers to WANT and PULL in their order, and pushes.

No post goes out in the order in which posts came here: posts that the peer does not ask for by ID go in the
order of (hour, ID). Lazy: if a peer asks for everything, it takes memory for a few posts. Other files decide
what to push.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.budget import Report, SendWindow
from p2pforum.sync.reconcile import Items
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.payloads import Gone, Posts, PostsReason, Pull, Want

_SLICE = 64  # posts read at once: about a millisecond


@dataclass(slots=True)
class _Pulled:
    """The rest of a PULL: own items [lo, hi), and `left` posts if there is a limit."""

    items: Items
    newest_first: bool
    lo: int
    hi: int
    left: int | None


_Ready = tuple[bytes, int | None]
"""A frame that waits for credit, and how many posts are in it; None: a frame that needs no credit."""


class Serving:
    """`step` fills `outbox` with encoded frames, never more than the peer gave credit for."""

    def __init__(self, snapshot: Snapshot, report: Report) -> None:
        self._snapshot = snapshot
        self._report = report
        self.window = SendWindow(limits.SYNC_POSTS_WINDOW)
        self.outbox: deque[bytes] = deque()
        self._ready: deque[_Ready] = deque()
        self._wanted: deque[bytes] = deque()
        self._pulls: deque[_Pulled] = deque()
        self._pushes: deque[tuple[Items, int, int]] = deque()
        self._unanswered = 0  # IDs that the peer wants and that were not answered yet

    @property
    def idle(self) -> bool:
        return not (self.outbox or self._ready or self._wanted or self._pulls or self._pushes)

    def on_want(self, frame: Want) -> None:
        """Queue answers to a WANT. Raises RemoteProtocolError if the peer wants too many posts at once."""
        self._unanswered += len(frame.ids)
        if self._unanswered > limits.SYNC_WANT_WINDOW:
            raise RemoteProtocolError("more posts wanted at once than may be")
        self._wanted.extend(frame.ids)

    def on_pull(self, frame: Pull, items: Items | None) -> None:
        """Queue the answer to a PULL of a board's `items`. Raises RemoteProtocolError if this side has none,
        or for too many PULLs at once."""
        if items is None:
            raise RemoteProtocolError("a PULL of a board that has nothing here")
        if len(self._pulls) >= limits.SYNC_PULL_WINDOW:
            raise RemoteProtocolError("more PULLs at once than may be")
        lo = items.find(*frame.lo)
        hi = max(lo, items.find(*frame.hi))
        self._pulls.append(_Pulled(items, frame.newest_first, lo, hi, frame.limit or None))

    def push(self, items: Items, spans: Sequence[tuple[int, int]]) -> None:
        """Send posts of a board that the responder lacks."""
        self._pushes.extend((items, lo, hi) for lo, hi in spans)

    def step(self) -> bool:
        """Do a little work. False if none can be done now."""
        if self._ready:
            return self._send_ready()
        if self._wanted:
            self._answer_wants()
        elif self._pulls:
            self._answer_pull(self._pulls[0])
        elif self._pushes:
            self._push()
        else:
            return False
        return True

    def _send_ready(self) -> bool:
        frame, posts = self._ready[0]
        cost = len(frame) if posts is not None else 0
        if not self.window.fits(cost):
            return False
        self.window.spend(cost)
        self._report.sent += posts or 0
        self._report.posts_out += cost
        self._ready.popleft()
        self.outbox.append(frame)
        return True

    def _answer_wants(self) -> None:
        ids = [self._wanted.popleft() for _ in range(min(_SLICE, len(self._wanted)))]
        self._unanswered -= len(ids)
        found = self._snapshot.raw(ids)
        run: list[bytes] = []
        gone = 0
        for id_ in ids:
            raw = found.get(id_)
            if raw is None:
                self._enqueue(PostsReason.WANTED, run)
                run, gone = [], gone + 1
                continue
            gone = self._enqueue_gone(gone)
            run.append(raw)
        self._enqueue(PostsReason.WANTED, run)
        self._enqueue_gone(gone)

    def _enqueue_gone(self, count: int) -> int:
        if count:
            self._ready.append((encode(Gone(count)), None))
        return 0

    def _answer_pull(self, pull: _Pulled) -> None:
        size = min(_SLICE, pull.hi - pull.lo, _SLICE if pull.left is None else pull.left)
        if pull.newest_first:
            ids = [id_ for _, id_ in reversed(pull.items.keys(pull.hi - size, pull.hi))]
            pull.hi -= size
        else:
            ids = [id_ for _, id_ in pull.items.keys(pull.lo, pull.lo + size)]
            pull.lo += size
        found = self._snapshot.raw(ids)
        posts = [found[id_] for id_ in ids if id_ in found]
        if pull.left is not None:
            pull.left -= len(posts)
        how = PostsReason.PULLED
        if pull.lo == pull.hi:
            how = PostsReason.PULLED_ALL
        elif pull.left == 0:
            how = PostsReason.PULLED_PART
        if how is not PostsReason.PULLED:
            self._pulls.popleft()
        self._enqueue(PostsReason.PULLED, posts, last=how)

    def _push(self) -> None:
        """Send a few posts, of one board or several."""
        ids: list[bytes] = []
        while self._pushes and len(ids) < _SLICE:
            items, lo, hi = self._pushes.popleft()
            end = min(hi, lo + _SLICE - len(ids))
            ids += [id_ for _, id_ in items.keys(lo, end)]
            if end < hi:
                self._pushes.appendleft((items, end, hi))
        found = self._snapshot.raw(ids)
        self._enqueue(PostsReason.PUSHED, [found[id_] for id_ in ids if id_ in found])

    def _enqueue(self, how: PostsReason, posts: Sequence[bytes], last: PostsReason | None = None) -> None:
        """Queue frames of these posts; the last frame says `last`, and is sent even without posts."""
        frames = list(_parcels(posts))
        if last is not None and not (frames or last is PostsReason.PULLED):
            frames = [()]
        for i, parcel in enumerate(frames, 1):
            reason = last if last is not None and i == len(frames) else how
            self._ready.append((encode(Posts(reason, parcel)), len(parcel)))


def _parcels(posts: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """The posts in the same order, in parts of about SYNC_POSTS_FRAME bytes."""
    parcel: list[bytes] = []
    size = 0
    for post in posts:
        if parcel and size + len(post) > limits.SYNC_POSTS_FRAME:
            yield tuple(parcel)
            parcel, size = [], 0
        parcel.append(post)
        size += len(post)
    if parcel:
        yield tuple(parcel)
