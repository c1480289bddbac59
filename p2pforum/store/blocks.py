"""The sync index of one board in memory: its released posts' keys (hour, ID) in blocks with sums.

A block never changes: a board that changes gets new blocks for those that differ and shares the rest,
so a sealed view costs nothing and loaded keys stay good. Not how blocks are stored (block_rows.py).
"""

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import accumulate

from p2pforum.core import limits
from p2pforum.core.post_id import ID_SIZE

Key = tuple[int, bytes]
"""(hour, ID): the order of sync."""

MODULUS = 1 << 256
_MARK = 16  # keys between two kept sums inside a block: 2 us to sum up the rest, 4 MB for a million


def number(post_id: bytes) -> int:
    """An ID as Negentropy adds it up."""
    return int.from_bytes(post_id, "little")


class Block:
    """The keys from `lo` up to the next block's. Compared by identity."""

    __slots__ = ("lo", "n", "sum")

    def __init__(self, lo: Key, n: int, total: int) -> None:
        self.lo = lo
        self.n = n
        self.sum = total  #: of the IDs as numbers, mod 2^256


class BoardBlocks:
    """All blocks of a board, ascending. The first also holds whatever sorts before its `lo`."""

    __slots__ = ("_los", "_starts", "_sums", "blocks")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self._los: list[Key] | None = None
        self._starts: list[int] | None = None
        self._sums: list[int] | None = None

    @property
    def los(self) -> list[Key]:
        if self._los is None:
            self._los = [block.lo for block in self.blocks]
        return self._los

    @property
    def starts(self) -> list[int]:
        """Keys before each block; the last entry counts all."""
        if self._starts is None:
            self._starts = list(accumulate((block.n for block in self.blocks), initial=0))
        return self._starts

    @property
    def sums(self) -> list[int]:
        """The sum of the IDs before each block, not reduced; the last entry is of all."""
        if self._sums is None:
            self._sums = list(accumulate((block.sum for block in self.blocks), initial=0))
        return self._sums

    def locate(self, key: Key) -> int:
        """The index of the block that holds `key`, or would."""
        return max(0, bisect_right(self.los, key) - 1)

    def bounds(self, index: int) -> tuple[Key, Key | None]:
        """The keys of block `index` are from the first up to, not with, the second (None: no end)."""
        lower = self.los[index] if index else (0, b"")
        upper = self.los[index + 1] if index + 1 < len(self.blocks) else None
        return lower, upper


class BlockKeys:
    """The keys of one block, packed: 36 bytes each."""

    __slots__ = ("_hours", "_ids", "_marks")

    def __init__(self, keys: Sequence[Key]) -> None:
        self._hours = array("I", (hour for hour, _ in keys))
        self._ids = b"".join(post_id for _, post_id in keys)
        self._marks: list[int] | None = None

    def __len__(self) -> int:
        return len(self._hours)

    def key(self, i: int) -> Key:
        return self._hours[i], self._id(i)

    def keys(self, lo: int, hi: int) -> list[Key]:
        return [(self._hours[i], self._id(i)) for i in range(lo, hi)]

    def find(self, hour: int, prefix: bytes) -> int:
        """How many keys are below (hour, prefix)."""
        lo = bisect_left(self._hours, hour)
        hi = bisect_right(self._hours, hour, lo)
        return bisect_left(range(hi), prefix, lo, hi, key=self._id)

    def sum(self, i: int) -> int:
        """The sum of the first `i` IDs, not reduced."""
        if self._marks is None:
            pieces = range(0, len(self), _MARK)
            self._marks = list(accumulate((self._add(p, p + _MARK) for p in pieces), initial=0))
        mark = i // _MARK
        return self._marks[mark] + self._add(mark * _MARK, i)

    def _add(self, lo: int, hi: int) -> int:
        return sum(number(self._id(i)) for i in range(lo, min(hi, len(self))))

    def _id(self, i: int) -> bytes:
        return self._ids[i * ID_SIZE : (i + 1) * ID_SIZE]


class KeysCache:
    """Loaded keys of blocks, the least used dropped first. Shared by all sealed views, in any thread."""

    def __init__(self, most: int = limits.BLOCKS_LOADED) -> None:
        self._most = most
        self._loaded: OrderedDict[Block, BlockKeys] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, block: Block, load: Callable[[], BlockKeys]) -> BlockKeys:
        with self._lock:
            keys = self._loaded.get(block)
            if keys is not None:
                self._loaded.move_to_end(block)
                return keys
        keys = load()
        with self._lock:
            self._loaded[block] = keys
            if len(self._loaded) > self._most:
                self._loaded.popitem(last=False)
        return keys


class BoardCache:
    """The blocks of boards as of the last commit. One writer; a view takes `current()` and keeps it."""

    def __init__(self, most: int = limits.BOARDS_LOADED) -> None:
        self._most = most
        self._boards: dict[int, BoardBlocks] = {}

    def current(self) -> dict[int, BoardBlocks]:
        """Not to be changed: `publish` and `forget` put a new one in its place. `remember` adds to it."""
        return self._boards

    def remember(self, board: int, blocks: BoardBlocks) -> None:
        """A board as it is for all who hold `current()`. In place, since a session looks up thousands: but
        only under the lock under which `publish` is called, and those who hold it must only look up."""
        self._boards[board] = blocks
        if len(self._boards) > self._most:
            del self._boards[next(iter(self._boards))]

    def publish(self, changed: dict[int, BoardBlocks]) -> None:
        if not changed:
            return
        boards = {board: blocks for board, blocks in self._boards.items() if board not in changed}
        boards.update(changed)  # the most recent last
        for board in list(boards)[: max(0, len(boards) - self._most)]:
            del boards[board]
        self._boards = boards

    def forget(self) -> None:
        self._boards = {}
