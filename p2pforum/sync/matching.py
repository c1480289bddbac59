"""Which boards both sides have, and what to do about each: compare it, pull it, or nothing.

The responder names its boards first; then the initiator names those that the responder did not. The initiator
decides about the boards of both, the responder only about those that it does not have.
"""

from collections import deque
from collections.abc import Iterator

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.boards import BoardsCheck, BoardTable, SharedBoard
from p2pforum.sync.budget import Report
from p2pforum.sync.claims import Claims
from p2pforum.sync.fetch import Fetching, PullPlan, just_above
from p2pforum.sync.negotiate import Asking
from p2pforum.sync.reconcile import Items
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.negentropy import HIGHEST, LOWEST
from p2pforum.sync.wire.payloads import Board, Boards


class Matching:
    """Made when both sides know that they differ. `asking` is the initiator's, None for the responder."""

    def __init__(
        self,
        table: BoardTable,
        asking: Asking | None,
        fetching: Fetching,
        claims: Claims,
        report: Report,
    ) -> None:
        self.table = table
        self._asking = asking
        self._fetching = fetching
        self._claims = claims
        self._report = report
        self._told = BoardsCheck()
        self._preparing: Iterator[None] | None = table.prepare()
        self._entries: deque[Board] = deque()
        self._considering: Iterator[None] | None = None
        self._telling: Iterator[Boards | None] | None = table.tell() if asking is None else None
        self._has_told = False

    @property
    def peer_told(self) -> bool:
        return self._told.complete

    @property
    def finished(self) -> bool:
        considered = not self._entries and self._considering is None
        return self._told.complete and considered and self._has_told

    def on_boards(self, frame: Boards) -> None:
        """The peer names boards. Raises RemoteProtocolError if it may not now, or if it named one before."""
        if self._asking is None and not self._has_told:
            raise RemoteProtocolError("an initiator that names boards before it has heard ours")
        self._told.check(frame)
        if any(self.table.is_numbered(board.tag) for board in frame.boards):
            raise RemoteProtocolError("a board that was named before")
        self._entries.extend(frame.boards)

    def step(self, outbox: deque[bytes]) -> bool:
        """Consider or name one board, if one is left."""
        if self._preparing is not None:
            try:
                next(self._preparing)
            except StopIteration:
                self._preparing = None
            return True
        if self._considering is None and self._entries:
            self._considering = self._consider(self.table.learn(self._entries.popleft()))
        if self._considering is not None:
            try:
                next(self._considering)
            except StopIteration:
                self._considering = None
            return True
        if self._telling is None and self._told.complete:
            self._telling = self.table.tell()
        if self._telling is None or self._has_told:
            return False
        told = next(self._telling, None)
        if told is not None:
            outbox.append(encode(told))
            self._has_told = told.last
        return True

    def _consider(self, board: SharedBoard) -> Iterator[None]:
        if not self.table.takes(board) or (board.items is not None and self._asking is None):
            return
        self._report.boards += 1
        if board.items is not None:
            yield from board.items.prepare()
        if self.table.is_same(board):
            return
        self._report.differing += 1
        if board.theirs is None:
            return
        if board.items is not None and self._asking is not None:
            self._compare(board, board.items, board.theirs, self._asking)
        elif self._claim(board):
            plan = PullPlan(board, True, (board.low, b""), HIGHEST, limits.SYNC_FIRST_PULL)
            self._fetching.pull(plan, board.theirs.count)
        else:
            self._report.left += 1

    def _compare(self, board: SharedBoard, items: Items, theirs: Board, asking: Asking) -> None:
        """Compare the range in which own posts lie. If the peer has many more posts, pull those outside this
        range."""
        lower = (board.low, b"") if self.table.is_cut(board) else LOWEST
        missing = theirs.count - len(items)
        if missing < limits.SYNC_PULL_FROM or not self._claim(board):
            asking.open(board, lower)
            return
        oldest, above = items.key(0), just_above(items.key(len(items) - 1))
        self._fetching.pull(PullPlan(board, True, lower, oldest), missing)
        self._fetching.pull(PullPlan(board, False, above), 0)
        asking.open(board, oldest, above)

    def _claim(self, board: SharedBoard) -> bool:
        """Whether no other session pulls that board. A board whose name is unknown here can't be claimed."""
        return not board.name or bool(self._claims.claim([board.name], self._fetching))
