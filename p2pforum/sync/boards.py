"""The boards of one session: named to the peer by salted tags, with the same numbers on both sides.

A tag is BLAKE2b-8 of the board's name, keyed with both sides' nonces. So a peer recognises the names it
knows, but it can't look others up in a table made before, and it can't link two sessions by their tags. The
name is not hidden from a peer that then fetches the posts. Other files decide what is said about a board.
"""

import hashlib
import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.reconcile import Items
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.payloads import TAG_SIZE, Board, Boards

_PERSON = b"p2pforum/sync/1"
_ENTRY = TAG_SIZE + 5 + 5 + negentropy.FINGERPRINT_SIZE  # bytes for a board of up to 2^35 posts
_PER_STEP = 256  # boards looked up, or names hashed, before other tasks run: under 1 ms
_PER_FRAME = (limits.MAX_FRAME - 16) // (_ENTRY + 8)


def _any_hour(_: str) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class BoardChoice:
    """Which boards this node keeps: `names`, or all. `low` returns the oldest hour kept of a board.

    `also`: names for which `low` has a rule; they count as known even while no posts of them are here.
    """

    names: Collection[str] | None = None
    low: Callable[[str], int] = _any_hour
    also: Collection[str] = ()

    def takes(self, name: str) -> bool:
        return self.names is None or name in self.names


@dataclass(slots=True)
class SharedBoard:
    """`name` is empty while it is unknown here, `items` None while there are no posts here.

    `theirs` is the peer's entry for it, if the peer named it.
    """

    number: int
    tag: bytes
    name: str
    items: Items | None
    low: int  #: the oldest hour that both sides keep
    theirs: Board | None = None

    @property
    def count(self) -> int:
        return 0 if self.items is None else len(self.items)


def tag_of(name: str, nonces: bytes) -> bytes:
    """The board's tag in one session. `nonces`: the initiator's, then the responder's."""
    return hashlib.blake2b(name.encode(), digest_size=TAG_SIZE, key=nonces, person=_PERSON).digest()


class _Lowest:
    """The names with the lowest tags, at most MAX_SYNC_BOARDS of them."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []  # (negated tag, name): the highest tag is first
        self.beyond = 1 << (8 * TAG_SIZE)  #: all names with lower tags than this are here

    def add(self, tag: bytes, name: str) -> None:
        heapq.heappush(self._heap, (-int.from_bytes(tag, "big"), name))
        if len(self._heap) > limits.MAX_SYNC_BOARDS:
            self.beyond = min(self.beyond, -heapq.heappop(self._heap)[0])

    def names(self) -> dict[bytes, str]:
        """By tag."""
        return {(-tag).to_bytes(TAG_SIZE, "big"): name for tag, name in self._heap}


class BoardTable:
    """Made when both sides know that they differ, for the hours of `window` (the second is not included). The
    responder's boards are numbered first, then the initiator's."""

    def __init__(
        self,
        snapshot: Snapshot,
        choice: BoardChoice,
        window: tuple[int, int],
        nonces: bytes,
        fingerprint: Fingerprint,
    ) -> None:
        self._snapshot = snapshot
        self._choice = choice
        self._low, self._end = window
        self._nonces = nonces
        self._fingerprint = fingerprint
        self._names: dict[bytes, str] = {}  # by tag; complete when `prepare` is done
        self._active: set[bytes] = set()  # tags of names with posts in these hours
        self._beyond = 1 << (8 * TAG_SIZE)  # boards from this tag on are left to other sessions
        self.boards: list[SharedBoard] = []
        self._numbered: set[bytes] = set()

    def tag(self, name: str) -> bytes:
        return tag_of(name, self._nonces)

    def prepare(self) -> Iterator[None]:
        """Find the names and their tags, in small steps: with a large store it is 0.1 s of work.

        Of too many names, those with the lowest tags are taken. So both sides look at the same boards, and at
        other boards in each session. However many names there are, they are not in memory.
        """
        active, others = _Lowest(), _Lowest()
        last = ""
        while found := self._snapshot.boards(last, _PER_STEP, self._low):
            last = found[-1][0]
            for name, is_active in found:
                if self._choice.takes(name):
                    (active if is_active else others).add(self.tag(name), name)
            yield
        self._names = others.names() | active.names()
        self._active = set(active.names())
        self._beyond = active.beyond
        for name in (*(self._choice.names or ()), *filter(self._choice.takes, self._choice.also)):
            self._names[self.tag(name)] = name

    def __getitem__(self, number: int) -> SharedBoard:
        """Raises RemoteProtocolError for a number that no board has."""
        if number >= len(self.boards):
            raise RemoteProtocolError("a board that nobody named")
        return self.boards[number]

    def takes(self, board: SharedBoard) -> bool:
        """Whether this node keeps that board now. It keeps one of unknown name only if it keeps all
        boards."""
        if board.name:
            return self._choice.takes(board.name)
        return self._choice.names is None and int.from_bytes(board.tag, "big") < self._beyond

    def tell(self) -> Iterator[Boards | None]:
        """Frames that name the own boards that the peer did not name; None where the caller may pause."""
        waiting: list[Board] = []
        for tag in sorted(self._active - self._numbered):
            board = self._share(tag, self._oldest(self._names[tag]))
            if board.items is not None:
                yield from board.items.prepare()
                self._number(board)
                waiting.append(self._describe(board, board.items))
            if len(waiting) == _PER_FRAME:
                yield Boards(False, tuple(waiting))
                waiting = []
            yield None
        yield Boards(True, tuple(waiting))

    def learn(self, told: Board) -> SharedBoard:
        """Number a board that the peer named."""
        low = self._low + told.low
        name = self._names.get(told.tag, "")
        if name:
            low = max(low, self._oldest(name))
        board = self._share(told.tag, min(low, limits.MAX_HOUR))
        board.theirs = told
        self._number(board)
        return board

    def is_numbered(self, tag: bytes) -> bool:
        return tag in self._numbered

    def is_same(self, board: SharedBoard) -> bool:
        """Whether the peer's fingerprint over the whole board equals this node's."""
        theirs, items = board.theirs, board.items
        if theirs is None or items is None or self.is_cut(board):
            return False
        return theirs.count == len(items) and theirs.fingerprint == self._fingerprint(items, 0, len(items))

    def is_cut(self, board: SharedBoard) -> bool:
        """Whether this node keeps that board for a shorter time than the peer."""
        return board.theirs is not None and board.low > self._low + board.theirs.low

    def _share(self, tag: bytes, low: int) -> SharedBoard:
        name = self._names.get(tag, "")
        items = self._snapshot.items(name, low, self._end) if name else None
        return SharedBoard(len(self.boards), tag, name, items or None, low)

    def _describe(self, board: SharedBoard, items: Items) -> Board:
        whole = self._fingerprint(items, 0, len(items))
        return Board(board.tag, board.low - self._low, len(items), whole)

    def _number(self, board: SharedBoard) -> None:
        self.boards.append(board)
        self._numbered.add(board.tag)

    def _oldest(self, name: str) -> int:
        return max(self._low, self._choice.low(name))


class BoardsCheck:
    """Checks the boards that a peer names: in ascending order of tags, and not too many."""

    def __init__(self) -> None:
        self._last = b""
        self._count = 0
        self.complete = False

    def check(self, frame: Boards) -> None:
        """Raises RemoteProtocolError for boards after the last, out of order, or too many."""
        if self.complete:
            raise RemoteProtocolError("boards after the last")
        for board in frame.boards:
            if board.tag <= self._last:
                raise RemoteProtocolError("boards that are not in order")
            self._last = board.tag
        self._count += len(frame.boards)
        if self._count > limits.MAX_SYNC_BOARDS:
            raise RemoteProtocolError("too many boards")
        self.complete = frame.last
