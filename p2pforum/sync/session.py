"""One sync session, either role: bytes in, bytes out, no I/O.

    both:       HELLO, LOOK            what each has, in one fingerprint for all boards and some hours
    responder:  BOARDS...              if that differs: what it has, with one fingerprint a board
    initiator:  BOARDS..., NEG...      what the responder did not name; comparing what differs
    both:       WANT, PULL -> POSTS, GONE; the initiator also pushes POSTS; CREDIT as they are processed
    both:       END                    when nothing more is asked for

It is over when both have sent END and all credit for POSTS is back: then all posts that were sent are stored.

The caller feeds `receive`, sends what `work` returns, and hands arrivals to the door. Posts are neither
decoded nor kept here.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence

from p2pforum.core import limits
from p2pforum.core.errors import LocalProtocolError, RemoteProtocolError
from p2pforum.sync.boards import BoardTable, SharedBoard
from p2pforum.sync.budget import PeerEnded, Report
from p2pforum.sync.claims import Claims
from p2pforum.sync.fetch import Arrival, Fetching, Landed
from p2pforum.sync.look import Looking
from p2pforum.sync.matching import Matching
from p2pforum.sync.negotiate import Answering, Asking
from p2pforum.sync.phases import COMPARED, Event, Phase, step
from p2pforum.sync.serve import Serving
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.terms import Terms
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode
from p2pforum.sync.wire.payloads import (
    NONCE_SIZE,
    Boards,
    Code,
    Credit,
    End,
    Gone,
    Grant,
    Hello,
    Look,
    Neg,
    Posts,
    PostsReason,
    Pull,
    Want,
)

_OUTPUT = 64 * limits.KIB  # bytes that `work` returns at most, and up to a frame more


class SyncSession:
    """`clock` counts seconds of work. Raises RemoteProtocolError and SessionOver: then it is over."""

    def __init__(
        self,
        snapshot: Snapshot,
        terms: Terms,
        claims: Claims,
        rng: random.Random,
        clock: Callable[[], float],
        *,
        initiator: bool,
    ) -> None:
        self._snapshot = snapshot
        self._terms = terms
        self._clock = clock
        self._initiator = initiator
        self.report = Report()
        self.is_busy = True  #: whether `work` has more to do at once
        self._reader = SyncFrameReader()
        self._hello = Hello(rng.randbytes(NONCE_SIZE), terms.hour, terms.horizon)
        self._outbox: deque[bytes] = deque([encode(self._hello)])
        self._looking: Looking | None = None
        self._phase = Phase.GREETING  # of the peer
        self._matching: Matching | None = None
        side = Asking(terms.policy, self.report) if initiator else Answering(terms.policy, self.report)
        self._negotiating: Asking | Answering = side
        self._asking = side if isinstance(side, Asking) else None
        self._answering = side if isinstance(side, Answering) else None
        self._serving = Serving(snapshot, self.report)
        self._fetching = Fetching(claims, terms.budget, self.report)
        self._claims = claims
        self._ended = False  # this side has sent END

    @property
    def finished(self) -> bool:
        """Both sides have all that they asked for, and both stores have all that came."""
        both = self._ended and self._phase is Phase.ENDED
        return both and self._fetching.idle and self._serving.idle and self._serving.window.is_whole

    @property
    def needs_snapshot(self) -> bool:
        """False when the peer asks for nothing more and this side looks nothing up; then it may be closed."""
        negotiated = self._negotiating.idle
        return not (self._phase is Phase.ENDED and self._matched() and negotiated and self._serving.idle)

    # --- bytes --------------------------------------------------------------------------------------------

    def receive(self, received: bytes) -> None:
        """Take bytes from the peer; `work` processes them. Raises RemoteProtocolError or SessionOver."""
        begun = self._clock()
        self.report.bytes_in += len(received)
        try:
            self._take(received)
        finally:  # reading counts as work, too
            self.report.cpu += self._clock() - begun
        self._check()

    def _take(self, received: bytes) -> None:
        for frame, size in self._reader.feed(received):
            if isinstance(frame, End):
                self._on_end(frame)
            elif isinstance(frame, Hello):
                self._on_hello(frame)
            elif isinstance(frame, Look):
                self._on_look(frame)
            elif self._matching is None or self._phase not in COMPARED:
                raise RemoteProtocolError("a frame before HELLO and LOOK, or after a LOOK that is the same")
            elif self._phase is Phase.ENDED and _asks(frame, of_initiator=not self._initiator):
                raise RemoteProtocolError("a question after the last question")
            else:
                self._on_frame(frame, size, self._matching)

    def work(self, seconds: float) -> bytes:
        """Work for about so many seconds; returns bytes to send. Raises SessionOver.

        b"" if nothing is left to do before the next `receive`, or if the time was up before: see `is_busy`.
        """
        begun = self._clock()
        out = bytearray()
        self.is_busy = True
        try:
            while len(out) < _OUTPUT and self._clock() - begun < seconds:
                if not self._turn(out):
                    self.is_busy = False
                    break
        finally:
            self.report.cpu += self._clock() - begun
        self.report.bytes_out += len(out)
        self._check()
        return bytes(out)

    def _check(self) -> None:
        if self.finished:
            self.report.code = Code.DONE
        self.report.check(self._terms.budget)

    def _turn(self, out: bytearray) -> bool:
        """One small step of each part, and the output of all."""
        worked = self._step_found()
        if self._looking is not None and self._looking.ours is None:
            self._outbox.append(encode(self._looking.look(self._snapshot)))
            self._begin(self._looking)
            worked = True
        if self._matching is not None:
            worked = self._matching.step(self._outbox) or worked
        for part in (self._negotiating, self._fetching, self._serving):
            worked = part.step() or worked
        for outbox in (self._outbox, self._fetching.outbox, self._negotiating.outbox, self._serving.outbox):
            while outbox:
                out += outbox.popleft()
                worked = True
        if not worked and not self._ended and self._has_all():
            self._ended = True
            out += encode(End(Code.DONE))
            return True
        return worked

    def _has_all(self) -> bool:
        """Whether this side has nothing left to ask for or to push."""
        compared = self._asking is None or (self._asking.idle and self._serving.idle)
        return self._matched() and compared and self._fetching.idle

    def _matched(self) -> bool:
        """Whether neither side has boards left to name."""
        if self._matching is None:
            return self._phase in (Phase.SAME, Phase.ENDED)
        return self._matching.finished

    # --- frames -------------------------------------------------------------------------------------------

    def _on_end(self, frame: End) -> None:
        if frame.code is not Code.DONE:
            raise PeerEnded(frame.code, f"the peer ended the session: {frame.code.name.lower()}")
        self._phase = step(self._phase, Event.END)

    def _on_hello(self, frame: Hello) -> None:
        self._phase = step(self._phase, Event.HELLO)
        self.report.peer_hour = frame.hour
        self._looking = Looking(self._hello, frame, initiator=self._initiator)

    def _on_look(self, frame: Look) -> None:
        if self._looking is None:
            raise RemoteProtocolError("a LOOK before HELLO")
        self._looking.on_look(frame)
        self._begin(self._looking)

    def _begin(self, looking: Looking) -> None:
        """Once both have looked: compare the boards, from the hour on at which they differ."""
        if not looking.is_done:
            return
        hours = looking.differing()
        self._phase = step(self._phase, Event.EQUAL if hours is None else Event.DIFFERENT)
        if hours is None:
            return
        nonces, fingerprint = looking.nonces, looking.fingerprint
        self._negotiating.begin(fingerprint)
        table = BoardTable(self._snapshot, self._terms.choice, hours, nonces, fingerprint)
        self._matching = Matching(table, self._asking, self._fetching, self._claims, self.report)

    def _on_frame(self, frame: Frame, size: int, matching: Matching) -> None:
        table = matching.table
        match frame:
            case Boards():
                matching.on_boards(frame)
                if matching.peer_told:
                    self._phase = step(self._phase, Event.NAMED)
            case Neg():
                self._on_neg(frame, size, table[frame.board])
            case Want():
                self._serving.on_want(frame)
            case Pull():
                self._serving.on_pull(frame, table[frame.board].items)
            case Posts():
                self._fetching.on_posts(frame, size, may_push=not self._initiator)
            case Gone():
                self._fetching.on_gone(frame)
            case Grant():
                self._on_grant(frame)
            case Hello() | Look() | End():
                raise LocalProtocolError("HELLO, LOOK and END are taken before")

    def _on_neg(self, frame: Neg, size: int, board: SharedBoard) -> None:
        if self._asking is not None:
            self._asking.on_neg(frame, size, board)
        elif self._answering is not None:
            self._answering.on_neg(frame, size, board)
            self._fetching.pushable.add(board.tag)

    def _on_grant(self, frame: Grant) -> None:
        if frame.credit is Credit.POSTS:
            self._serving.window.add(frame.size)
        else:
            self._negotiating.window.add(frame.size)

    def _step_found(self) -> bool:
        """Push and fetch what differs, while the comparison goes on."""
        if self._asking is None or not self._asking.found:
            return False
        board, have, need = self._asking.found.popleft()
        if board.items is not None:
            self._serving.push(board.items, have)
        self._fetching.need(need)
        return True

    # --- posts that came ----------------------------------------------------------------------------------

    def take_arrivals(self, most: int) -> list[Arrival]:
        """Posts for the door, about so many; pass its verdicts to `landed`."""
        taken: list[Arrival] = []
        while self._fetching.arrivals and sum(len(arrival.posts) for arrival in taken) < most:
            taken.append(self._fetching.arrivals.popleft())
        return taken

    def landed(self, arrivals: Sequence[Arrival], verdicts: Sequence[Landed]) -> None:
        """The verdicts on all posts of `arrivals`, in order. Raises what `Fetching.landed` raises."""
        assert self._matching is not None
        at = 0
        for arrival in arrivals:
            end = at + len(arrival.posts)
            self._fetching.landed(arrival, verdicts[at:end], self._matching.table)
            at = end

    def take_unchecked(self) -> list[bytes]:
        """IDs that the peer has, to look up in the store. Answer with `want`."""
        return self._fetching.take_unchecked()

    def want(self, checked: Sequence[bytes], known: set[bytes]) -> None:
        self._fetching.want(checked, known)

    @property
    def deferred(self) -> int:
        """IDs that another session is fetching just now. Try again in a while: `retry_deferred`."""
        return self._fetching.deferred

    def retry_deferred(self) -> None:
        self._fetching.retry_deferred()

    def close(self) -> None:
        """The session is over, for any reason."""
        self._fetching.release()


def _asks(frame: Frame, *, of_initiator: bool) -> bool:
    """Whether a frame asks for something, so that it can't follow its sender's END."""
    if isinstance(frame, Posts):
        return frame.how is PostsReason.PUSHED
    return isinstance(frame, Boards | Want | Pull) or (of_initiator and isinstance(frame, Neg))
