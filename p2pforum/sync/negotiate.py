"""The NEG frames of one session: Negentropy messages about all its boards, within credit.

The responder answers one message after another and keeps only those that credit let the peer send. The
initiator always examines what comes, so that the two sides can never wait for each other for ever. It keeps
what it still has to ask as spans, the deepest first, so that memory stays small. Other files act on the
differences.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.boards import SharedBoard
from p2pforum.sync.budget import ReceiveWindow, Report, SendWindow
from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.reconcile import Items, Policy, Reconciler, Span
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.negentropy import HIGHEST, LOWEST, Bound
from p2pforum.sync.wire.payloads import Credit, Grant, Neg

_Steps = Iterator[bool]
"""Work in small pieces: True where it may pause, False where it waits for credit."""


class Found(NamedTuple):
    """Of one board: spans of own items that the peer lacks, and IDs of posts that the peer has and this node
    lacks."""

    board: SharedBoard
    have: Sequence[tuple[int, int]]
    need: Sequence[bytes]


class _Negotiating:
    """The part that both roles share. `step` fills `outbox` with encoded frames."""

    def __init__(self, policy: Policy, report: Report) -> None:
        self._policy = policy
        self._report = report
        self._fingerprint: Fingerprint | None = None
        self.window = SendWindow(limits.SYNC_NEG_WINDOW)
        self._receive = ReceiveWindow(limits.SYNC_NEG_WINDOW)
        self.outbox: deque[bytes] = deque()

    def begin(self, fingerprint: Fingerprint) -> None:
        """Both sides' nonces are known now."""
        self._fingerprint = fingerprint

    def step(self) -> bool:
        """Do a little work. False if none can be done now."""
        if grant := self._receive.grant():
            self.outbox.append(encode(Grant(Credit.NEG, grant)))
            return True
        return self._work()

    def _work(self) -> bool:
        raise NotImplementedError

    def _arrived(self, size: int) -> None:
        self._receive.arrived(size)
        self._report.neg_in += size

    def _send(self, frame: Neg) -> _Steps:
        encoded = encode(frame)
        while not self.window.fits(len(encoded)):
            yield False
        self.window.spend(len(encoded))
        self._report.neg_out += len(encoded)
        self.outbox.append(encoded)

    def _reconciler(self, items: Items, *, initiator: bool) -> Reconciler:
        assert self._fingerprint is not None
        return Reconciler(items, self._policy, self._fingerprint, initiator=initiator)

    def _examine(self, side: Reconciler, message: bytes, spans: list[Span]) -> _Steps:
        examining = side.examine(message)
        while True:
            try:
                next(examining)
            except StopIteration as stop:
                spans.extend(stop.value)
                break
            yield True
        self._report.ranges += side.ranges
        side.ranges = 0


class Answering(_Negotiating):
    """The responder's side: it keeps the messages that it has not answered yet."""

    def __init__(self, policy: Policy, report: Report) -> None:
        super().__init__(policy, report)
        self._inbox: deque[tuple[Neg, int, Items]] = deque()
        self._answering: _Steps | None = None

    @property
    def idle(self) -> bool:
        return not (self._inbox or self._answering or self.outbox)

    def on_neg(self, frame: Neg, size: int, board: SharedBoard) -> None:
        """Queue a message for `step`. Raises RemoteProtocolError if it may not come."""
        self._arrived(size)
        if not frame.last or board.items is None:
            raise RemoteProtocolError("a message in parts, or about a board that has nothing here")
        self._inbox.append((frame, size, board.items))

    def _work(self) -> bool:
        if self._answering is None:
            if not self._inbox:
                return False
            self._answering = self._answer(*self._inbox.popleft())
        worked = next(self._answering, None)
        if worked is None:
            self._answering = None
        return worked is not False

    def _answer(self, frame: Neg, size: int, items: Items) -> _Steps:
        side, spans = self._reconciler(items, initiator=False), list[Span]()
        yield from self._examine(side, frame.message, spans)
        before: bytes | None = None  # held back, because the last chunk gets a flag
        for chunk in side.emit(spans):
            if chunk and before:
                yield from self._send(Neg(frame.board, False, before))
            before = chunk or before
            yield True
        yield from self._send(Neg(frame.board, True, before or bytes([negentropy.VERSION])))
        self._receive.worked_off(size)


class _Compared:
    """A board that the initiator compares."""

    def __init__(self, board: SharedBoard, side: Reconciler) -> None:
        self.board = board
        self.side = side
        self._had = 0

    def take(self) -> Found:
        """What was found since the last call. Raises RemoteProtocolError if the peer claimed twice to lack
        one item."""
        found = Found(self.board, self.side.have, self.side.need)
        self.side.have, self.side.need = [], []
        self._had += sum(hi - lo for lo, hi in found.have)
        if self._had > self.board.count:
            raise RemoteProtocolError("ranges that overlap those of other answers")
        return found


class Asking(_Negotiating):
    """The initiator's side; the differences it learns are in `found`."""

    def __init__(self, policy: Policy, report: Report) -> None:
        super().__init__(policy, report)
        self.found: deque[Found] = deque()
        self._inbox: deque[tuple[_Compared, bytes, int, int]] = deque()
        self._examining: _Steps | None = None
        self._todo: list[tuple[_Compared, Sequence[Span], int]] = []  # the last is asked first
        self._sending: _Steps | None = None
        self._asked: deque[tuple[_Compared, int]] = deque()  # messages not fully answered, and their round

    @property
    def idle(self) -> bool:
        working = self._inbox or self._examining or self._todo or self._sending
        return not (working or self._asked or self.found or self.outbox)

    def open(self, board: SharedBoard, lower: Bound = LOWEST, upper: Bound = HIGHEST) -> None:
        """Compare the posts of a board between two bounds."""
        if board.items is not None:
            compared = _Compared(board, self._reconciler(board.items, initiator=True))
            self._todo.insert(0, (compared, compared.side.opening(lower, upper), 1))

    def on_neg(self, frame: Neg, size: int, board: SharedBoard) -> None:
        """Queue an answer for `step`. Raises RemoteProtocolError for an answer to no message."""
        self._arrived(size)
        if not self._asked or self._asked[0][0].board is not board:
            raise RemoteProtocolError("an answer to no message")
        compared, rounds = self._asked[0]
        if frame.last:
            self._asked.popleft()
        self._inbox.append((compared, frame.message, size, rounds))

    def _work(self) -> bool:
        if self._examining is None and self._inbox:
            self._examining = self._learn(*self._inbox.popleft())
        if self._examining is not None:
            if next(self._examining, None) is None:
                self._examining = None
            return True
        if self._sending is None:
            if not self._todo:
                return False
            self._sending = self._ask(*self._todo.pop())
        worked = next(self._sending, None)
        if worked is None:
            self._sending = None
        return worked is not False

    def _learn(self, compared: _Compared, message: bytes, size: int, rounds: int) -> _Steps:
        spans = list[Span]()
        yield from self._examine(compared.side, message, spans)
        self._receive.worked_off(size)
        self._report.rounds = max(self._report.rounds, rounds)
        found = compared.take()
        if found.have or found.need:
            self.found.append(found)
        if spans:
            self._todo.append((compared, spans, rounds + 1))

    def _ask(self, compared: _Compared, spans: Sequence[Span], rounds: int) -> _Steps:
        for chunk in compared.side.emit(spans):
            if chunk:
                yield from self._send(Neg(compared.board.number, True, chunk))
                self._asked.append((compared, rounds))
            yield True
