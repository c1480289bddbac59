"""Posts coming in in one session: which to ask for, when, and whether those came.

The node trusts nothing that a peer sends: every post that arrives must be one that it asked for, in the order
asked, or one that the initiator may push. The door checks the posts themselves; its verdicts come back here.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post import Post
from p2pforum.core.post_id import ID_SIZE
from p2pforum.core.verdict import Outcome
from p2pforum.sync.boards import BoardTable, SharedBoard
from p2pforum.sync.budget import Budget, ReceiveWindow, Report, SessionOver
from p2pforum.sync.claims import Claims
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.negentropy import HIGHEST, LOWEST, Bound
from p2pforum.sync.wire.payloads import Code, Credit, Gone, Grant, Posts, PostsReason, Pull, Want

_WANT_FRAME = 1_000  # IDs in one WANT: just below MAX_FRAME

Landed = tuple[Outcome, Post | None]
"""The door's verdict on one post."""


@dataclass(slots=True, eq=False)
class PullPlan:
    """One PULL: of `board`, from `lo` to below `hi`. `limit` 0: all of it."""

    board: SharedBoard
    newest_first: bool = True
    lo: Bound = LOWEST
    hi: Bound = HIGHEST
    limit: int = 0
    count: int = 0  #: posts that have come
    last: tuple[int, bytes] | None = None  #: the key of the last post that was checked

    def accept(self, key: tuple[int, bytes]) -> None:
        """Check the next post by its key. Raises RemoteProtocolError if it is out of range or out of
        order."""
        if not self.lo <= key < self.hi:
            raise RemoteProtocolError("a pulled post outside the range asked for")
        if self.last is not None and (key >= self.last if self.newest_first else key <= self.last):
            raise RemoteProtocolError("pulled posts out of order")
        self.last = key

    def rest(self) -> "PullPlan":
        """A plan for what remains after `last`."""
        if self.last is None:
            return PullPlan(self.board, self.newest_first, self.lo, self.hi)
        if self.newest_first:
            return PullPlan(self.board, True, self.lo, self.last)
        return PullPlan(self.board, False, just_above(self.last), self.hi)


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Posts for the door. `ids` are the IDs that wanted posts must have."""

    how: PostsReason
    posts: tuple[bytes, ...]
    size: int  #: of the frame
    ids: tuple[bytes, ...]
    pull: PullPlan | None


def just_above(key: tuple[int, bytes]) -> Bound:
    """The lowest bound above a key."""
    number = int.from_bytes(key[1], "big") + 1
    if number >> (8 * ID_SIZE):
        return (key[0] + 1, b"")
    return (key[0], number.to_bytes(ID_SIZE, "big"))


class Fetching:
    """`step` fills `outbox`. An ID moves from unchecked (may be here by now) over queue to outstanding."""

    def __init__(self, claims: Claims, budget: Budget, report: Report) -> None:
        self._claims = claims
        self._budget = budget
        self._report = report
        self._window = ReceiveWindow(limits.SYNC_POSTS_WINDOW)
        self.outbox: deque[bytes] = deque()
        self.arrivals: deque[Arrival] = deque()
        self._landing = 0  # arrivals that are not checked yet
        self._unchecked: deque[bytes] = deque()
        self._checking = 0
        self._queue: deque[bytes] = deque()
        self._outstanding: deque[bytes] = deque()
        self._deferred: list[bytes] = []
        self._pulls: deque[PullPlan] = deque()
        self._pulling: deque[PullPlan] = deque()
        self._needed = 0
        self.pushable: set[bytes] = set()  #: tags of boards that the peer may push posts of

    @property
    def idle(self) -> bool:
        waiting = self._unchecked or self._checking or self._queue or self._outstanding or self._deferred
        return not (
            waiting or self._pulls or self._pulling or self._landing or self._window.owed or self.outbox
        )

    @property
    def deferred(self) -> int:
        """IDs that another session is fetching just now."""
        return len(self._deferred)

    # --- asking -------------------------------------------------------------------------------------------

    def need(self, ids: Sequence[bytes]) -> None:
        """The peer has these posts, and this node does not."""
        room = max(0, self._budget.wants - self._needed)
        self._report.left += max(0, len(ids) - room)
        self._unchecked.extend(ids[:room])
        self._needed += len(ids[:room])

    def pull(self, plan: PullPlan, expected: int) -> None:
        self._pulls.append(plan)
        self._report.wanted += expected

    def take_unchecked(self) -> list[bytes]:
        """IDs to look up in the store, because some may have come by another way. Answer with `want`.

        They are claimed first. So the store already knows what another session brought before the claim.
        """
        room = _WANT_FRAME - len(self._queue) - self._checking
        batch = [self._unchecked.popleft() for _ in range(min(room, len(self._unchecked)))]
        mine = set(self._claims.claim(batch, self))
        self._deferred += [id_ for id_ in batch if id_ not in mine]
        self._checking += len(mine)
        return [id_ for id_ in batch if id_ in mine]

    def want(self, checked: Sequence[bytes], known: set[bytes]) -> None:
        """The store knows `known` of the `checked` IDs; queue the others."""
        self._checking -= len(checked)
        self._claims.release(known, self)
        self._queue.extend([id_ for id_ in checked if id_ not in known])

    def retry_deferred(self) -> None:
        """Another session may have brought them, or given up."""
        self._unchecked.extend(self._deferred)
        self._deferred.clear()

    def step(self) -> bool:
        """Send one frame that asks for posts or grants credit, if one is due."""
        if grant := self._window.grant(at_once=not self._landing):
            self.outbox.append(encode(Grant(Credit.POSTS, grant)))
        elif self._queue and len(self._outstanding) + len(self._queue) <= limits.SYNC_WANT_WINDOW:
            asked = tuple(self._queue)
            self._queue.clear()
            self._outstanding.extend(asked)
            self._report.wanted += len(asked)
            self.outbox.append(encode(Want(asked)))
        elif self._pulls and len(self._pulling) < limits.SYNC_PULL_WINDOW:
            plan = self._pulls.popleft()
            self._pulling.append(plan)
            frame = Pull(plan.board.number, plan.newest_first, plan.lo, plan.hi, plan.limit)
            self.outbox.append(encode(frame))
        else:
            return False
        return True

    # --- what comes ---------------------------------------------------------------------------------------

    def on_gone(self, frame: Gone) -> None:
        self._claims.release(self._answered(frame.count), self)
        self._report.gone += frame.count

    def on_posts(self, frame: Posts, size: int, *, may_push: bool) -> None:
        """Take a POSTS frame of `size` bytes. Raises RemoteProtocolError if these posts may not come now."""
        self._window.arrived(size)
        self._report.posts_in += size
        self._report.received += len(frame.posts)
        ids: tuple[bytes, ...] = ()
        pull: PullPlan | None = None
        match frame.how:
            case PostsReason.WANTED:
                ids = self._answered(len(frame.posts))
            case PostsReason.PUSHED:
                if not may_push:
                    raise RemoteProtocolError("a responder that pushes posts")
            case PostsReason.PULLED | PostsReason.PULLED_PART | PostsReason.PULLED_ALL:
                pull = self._pulled(frame)
        self._landing += 1
        self.arrivals.append(Arrival(frame.how, frame.posts, size, ids, pull))

    def _answered(self, count: int) -> tuple[bytes, ...]:
        if count > len(self._outstanding):
            raise RemoteProtocolError("answers to what was not asked")
        return tuple(self._outstanding.popleft() for _ in range(count))

    def _pulled(self, frame: Posts) -> PullPlan:
        if not self._pulling:
            raise RemoteProtocolError("pulled posts that nobody pulled")
        plan = self._pulling[0]
        plan.count += len(frame.posts)
        theirs = plan.board.theirs
        if plan.count > (plan.limit or (theirs.count if theirs else 0)):
            raise RemoteProtocolError("more pulled posts than there should be")
        if frame.how is PostsReason.PULLED_PART and plan.count != plan.limit:
            raise RemoteProtocolError("a PULL cut short")
        if frame.how is not PostsReason.PULLED:
            self._pulling.popleft()
        return plan

    def landed(self, arrival: Arrival, verdicts: Sequence[Landed], table: BoardTable) -> None:
        """The door has judged an arrival. Raises RemoteProtocolError if its posts are not those expected, or
        SessionOver if too many were not new or not to be kept here."""
        posts = [self._check_verdict(*verdict) for verdict in verdicts]
        for expected, post in zip(arrival.ids, posts, strict=False):
            if post.id != expected:
                raise RemoteProtocolError("a post that is not the one asked for")
        if arrival.how is PostsReason.PUSHED and any(
            table.tag(p.payload.board) not in self.pushable for p in posts
        ):
            raise RemoteProtocolError("a pushed post of a board that was not compared")
        self._claims.release(arrival.ids, self)
        if arrival.pull is not None:
            self._check_pulled(arrival.pull, posts, table)
            self._go_on(arrival.pull, arrival.how)
        self._window.worked_off(arrival.size)
        self._landing -= 1

    def _check_verdict(self, outcome: Outcome, post: Post | None) -> Post:
        report = self._report
        match outcome:
            case Outcome.STORED:
                report.new += 1
            case Outcome.DUPLICATE:
                report.duplicate += 1
            case Outcome.TOO_EARLY:
                report.early += 1
            case Outcome.REFUSED:
                report.refused += 1
            case Outcome.INVALID:
                raise RemoteProtocolError("a post that breaks a rule for all nodes")
        if report.duplicate > self._budget.duplicates:
            raise SessionOver(Code.BUDGET, "too many posts that were here before")
        if report.refused > self._budget.refused:  # the next HELLO tells the peer what is kept then
            raise SessionOver(Code.BUDGET, "too many posts that are not kept here")
        if post is None:
            raise RemoteProtocolError("bytes that are not a post")
        return post

    def _check_pulled(self, plan: PullPlan, posts: Sequence[Post], table: BoardTable) -> None:
        for post in posts:
            name = post.payload.board
            if name != plan.board.name:
                if plan.board.name or table.tag(name) != plan.board.tag:
                    raise RemoteProtocolError("a pulled post of another board")
                plan.board.name = name
            plan.accept((post.payload.hour, post.id))

    def _go_on(self, plan: PullPlan, how: PostsReason) -> None:
        """Keep the claim on a board whose posts come; after its newest posts, ask for the rest of it."""
        claim = [plan.board.name] if plan.board.name else []
        mine = self._claims.claim(claim, self) if how is not PostsReason.PULLED_ALL else []
        if how is PostsReason.PULLED_PART:
            if mine:
                self._pulls.append(plan.rest())
            else:
                self._report.left += 1
        elif how is PostsReason.PULLED_ALL and all(
            p.board is not plan.board for p in (*self._pulls, *self._pulling)
        ):
            self._claims.release(claim, self)

    def release(self) -> None:
        """The session is over: other sessions may fetch what it did not bring."""
        self._claims.release_all(self)
