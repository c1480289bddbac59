"""The sync index of one board in memory: its released posts' keys (hour, ID) in blocks.

A block never changes. When a board changes, the blocks that differ are new and the rest are shared, so a
sealed view costs nothing and loaded keys stay right. Not how blocks are stored (block_rows.py).
"""

import struct
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate

from p2pforum.core import limits
from p2pforum.core.post_id import ID_SIZE
from p2pforum.store.cells import Cells, make_cells

Key = tuple[int, bytes]
"""(hour, ID): the order of sync."""


class Block:
    """The keys from `lo` up to the next block's. Compared by identity."""

    __slots__ = ("lo", "n")

    def __init__(self, lo: Key, n: int) -> None:
        self.lo = lo
        self.n = n


class BoardBlocks:
    """All blocks of a board, ascending. The first also holds the keys that sort before its `lo`.

    `cells` is filled in by the first session that needs it. Until then `base` has the cells of an earlier
    state of the board, and the hours that changed since.
    """

    __slots__ = ("_los", "_starts", "base", "blocks", "cells")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self.cells: Cells | None = None
        self.base: tuple[Cells, AbstractSet[int]] | None = None
        self._los: list[Key] | None = None
        self._starts: list[int] | None = None

    def follow(self, before: "BoardBlocks", changed: AbstractSet[int]) -> None:
        """Note that these blocks came from `before` when posts of the hours `changed` changed."""
        if before.cells is not None:
            self.base = before.cells, changed
        elif before.base is not None:
            self.base = before.base[0], before.base[1] | changed

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

    def locate(self, key: Key) -> int:
        """The index of the block that holds `key`, or that would hold it."""
        return max(0, bisect_right(self.los, key) - 1)

    def bounds(self, index: int) -> tuple[Key, Key | None]:
        """The range of block `index`: keys from the first up to, not including, the second (None: no end)."""
        lower = self.los[index] if index else (0, b"")
        upper = self.los[index + 1] if index + 1 < len(self.blocks) else None
        return lower, upper


def _head(hour: int, prefix: bytes) -> int:
    """Hour and first 4 bytes of an ID in one number. Two numbers that differ compare as their keys do."""
    return hour << 32 | int.from_bytes(prefix[:4].ljust(4, b"\0"), "big")


class BlockKeys:
    """The keys of one block, packed: 40 bytes each."""

    __slots__ = ("_heads", "_ids")

    def __init__(self, keys: Sequence[Key]) -> None:
        self._ids = b"".join([post_id for _, post_id in keys])
        words = struct.iter_unpack(">I28x", self._ids)
        self._heads = array("Q", [hour << 32 | word for (hour, _), (word,) in zip(keys, words, strict=True)])

    def __len__(self) -> int:
        return len(self._heads)

    def key(self, i: int) -> Key:
        return self._heads[i] >> 32, self._ids[i * ID_SIZE : (i + 1) * ID_SIZE]

    def hours(self, lo: int, hi: int) -> list[int]:
        return [head >> 32 for head in self._heads[lo:hi]]

    def ids(self, lo: int, hi: int) -> bytes:
        return self._ids[lo * ID_SIZE : hi * ID_SIZE]

    def find(self, hour: int, prefix: bytes) -> int:
        """How many keys are below (hour, prefix); `prefix` is the beginning of an ID, up to 32 bytes."""
        head = _head(hour, prefix)
        lo = bisect_left(self._heads, head)
        if len(prefix) <= 4 or lo == len(self) or self._heads[lo] != head:
            return lo
        hi = bisect_right(self._heads, head, lo)
        return bisect_left(range(hi), (hour, prefix), lo, hi, key=self.key)


Load = Callable[[int], BlockKeys]
"""The keys of the block with that index."""


def fill_cells(blocks: BoardBlocks, load: Load, low: int) -> Iterator[None]:
    """Make the cells of a board from the hour `low` on. Each step of the generator reads one block."""
    base, changed = blocks.base or (None, frozenset[int]())
    if blocks.cells is not None:
        base, changed = blocks.cells, frozenset[int]()
        if base.low <= low:
            return

    def read(low: int, end: int) -> Iterator[tuple[list[int], bytes]]:
        return _read_hours(blocks, load, low, end)

    found = yield from make_cells(read, low, base, changed)
    if blocks.cells is None or found.low <= blocks.cells.low:  # else another session reached lower
        blocks.cells = found


def _read_hours(blocks: BoardBlocks, load: Load, low: int, end: int) -> Iterator[tuple[list[int], bytes]]:
    """The keys of the hours from `low` up to, not including, `end`, block by block: their
    hours and their IDs.
    """
    index = blocks.locate((low, b""))
    while index < len(blocks.blocks) and (index == 0 or blocks.los[index] < (end, b"")):
        keys = load(index)
        lo, hi = keys.find(low, b""), keys.find(end, b"")
        if lo < hi:
            yield keys.hours(lo, hi), keys.ids(lo, hi)
        index += 1


class KeysCache:
    """Loaded keys of blocks, the least used dropped first. Shared by all sealed views, in any thread."""

    def __init__(self, most: int = limits.KEYS_LOADED) -> None:
        self._most = most
        self._held = 0  # keys, in all blocks
        self._loaded: OrderedDict[Block, BlockKeys] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, block: Block, load: Callable[[], BlockKeys]) -> BlockKeys:
        """The keys of `block`, from memory or by `load`, which is called without the lock. When more than
        `most` keys are held, the least used blocks are dropped. Raises what `load` raises.
        """
        with self._lock:
            keys = self._loaded.get(block)
            if keys is not None:
                self._loaded.move_to_end(block)
                return keys
        keys = load()
        with self._lock:
            if block not in self._loaded:  # else another thread has loaded it already
                self._held += len(keys)
            self._loaded[block] = keys
            while self._held > self._most:
                self._held -= len(self._loaded.popitem(last=False)[1])
        return keys


class BoardCache:
    """The blocks of boards as of the last commit. One writer; a view takes `current()` and keeps it."""

    def __init__(self, most: int = limits.BOARDS_LOADED) -> None:
        self._most = most
        self._boards: dict[int, BoardBlocks] = {}

    def current(self) -> dict[int, BoardBlocks]:
        """The blocks by board number. Callers must not change the result: `publish` and `clear` put a new one
        in its place, and only `remember` adds to it.
        """
        return self._boards

    def remember(self, board: int, blocks: BoardBlocks) -> None:
        """Add a board for all holders of `current()`. It changes that table in place, because a session looks
        up thousands of boards. Call it only under the lock under which `publish` is called; the holders of
        the table may only look up.
        """
        self._boards[board] = blocks
        if len(self._boards) > self._most:
            del self._boards[next(iter(self._boards))]

    def publish(self, changed: dict[int, BoardBlocks]) -> None:
        """Put a new table in place of `current()`, with the blocks of the boards in `changed`, by board
        number. Above `most` boards, those are dropped that did not change for the longest time.
        """
        if not changed:
            return
        boards = {board: blocks for board, blocks in self._boards.items() if board not in changed}
        boards.update(changed)  # the most recent last
        for board in list(boards)[: max(0, len(boards) - self._most)]:
            del boards[board]
        self._boards = boards

    def clear(self) -> None:
        self._boards = {}
