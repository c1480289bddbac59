"""A sealed view of the released posts, for sync: it does not show what is added or dropped meanwhile.

Keys of a block are loaded when first looked at (0.14 ms), digests of a board's hours when first asked for.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping

from p2pforum.core import limits
from p2pforum.store import block_rows
from p2pforum.store.blocks import BlockKeys, BoardBlocks, Key, KeysCache, fill_cells
from p2pforum.store.cells import ENTRY, Cells, entry
from p2pforum.store.connection import translated
from p2pforum.store.hours import Hours

_NOTHING = BoardBlocks(())
_BOARDS = """SELECT name, EXISTS
    (SELECT 1 FROM post INDEXED BY post_released WHERE released AND post.board = board.id AND hour >= ?)
    FROM board WHERE name > ?
    AND EXISTS (SELECT 1 FROM rblock WHERE rblock.board = board.id AND n > 0)  -- else all has expired
    ORDER BY name LIMIT ?"""


class StoredItems:
    """The released posts of one board in some hours, sorted by (hour, ID). See sync.reconcile.Items.

    `window` are those hours: from the first up to, not including, the second.
    """

    def __init__(
        self,
        blocks: BoardBlocks,
        load: Callable[[int], BlockKeys],
        window: tuple[int, int] = (0, limits.MAX_HOUR),
    ) -> None:
        self._blocks = blocks
        self._load = load
        self._low, end = window
        self._index = 0  # the block looked at last: the next question is mostly about it, too
        self._lo = self._hi = 0  # it holds keys from `_lo` up to `_hi`, of the whole board
        self._loaded: BlockKeys | None = None
        if blocks.starts[-1] <= limits.BLOCK_MOST:  # 0.2 ms, and no key need be loaded to find the window
            self._settle()
        self._first = self._below(self._low, b"")
        self._last = max(self._first, self._below(end, b""))

    def __len__(self) -> int:
        return self._last - self._first

    def find(self, hour: int, id: bytes) -> int:  # noqa: A002
        """How many items are below the bound (hour, id); `id` may be a prefix."""
        return min(max(self._first, self._below(hour, id)), self._last) - self._first

    def _below(self, hour: int, prefix: bytes) -> int:
        """The same, counted over the whole board."""
        blocks = self._blocks
        if not blocks.blocks or (hour <= 0 and not prefix):
            return 0
        if hour >= limits.MAX_HOUR:  # "everything": no key to look at
            return blocks.starts[-1]
        known = blocks.cells
        if not prefix and known is not None and known.low <= hour:
            return blocks.starts[-1] - known.starts[-1] + known.find(hour)
        self._turn_to(blocks.locate((hour, prefix)))
        if self._index and blocks.los[self._index] == (hour, prefix):
            return self._lo
        return self._lo + self._keys().find(hour, prefix)

    def key(self, i: int) -> Key:
        offset = self._place(i)
        return self._keys().key(offset)

    def keys(self, lo: int, hi: int) -> list[Key]:
        return [self.key(i) for i in range(lo, hi)]

    def ids(self, lo: int, hi: int) -> bytes:
        """The IDs of the items in [lo, hi), 32 bytes each, one after another."""
        found = []
        while lo < hi:
            offset = self._place(lo)
            end = min(self._hi - self._lo, offset + hi - lo)
            found.append(self._keys().ids(offset, end))
            lo += end - offset
        return b"".join(found)

    def prepare(self) -> Iterator[None]:
        """Read what `cells` needs, in small steps."""
        if self._blocks.cells is None or self._blocks.cells.low > self._low:
            yield from fill_cells(self._blocks, self._load, self._low)

    def cells(self, lo: int, hi: int) -> bytes:
        """For each hour with items in [lo, hi), ascending: the hour in 4 bytes, SHA-256 of their IDs."""
        if lo >= hi:
            return b""
        known = self._settle()
        shift = self._blocks.starts[-1] - known.starts[-1] - self._first  # items before the first of `known`
        first, last = known.whole(lo - shift, hi - shift)
        if first > last:
            return self._entry(known.hours[last], lo, hi)
        begin, end = known.starts[first] + shift, known.starts[last] + shift
        found = known.packed[first * ENTRY : last * ENTRY]
        if lo < begin:
            found = self._entry(known.hours[first - 1], lo, begin) + found
        if end < hi:
            found += self._entry(known.hours[last], end, hi)
        return found

    def _entry(self, hour: int, lo: int, hi: int) -> bytes:
        return entry(hour, self.ids(lo, hi))

    def _settle(self) -> Cells:
        known = self._blocks.cells
        if known is None or known.low > self._low:
            for _ in self.prepare():
                pass
            known = self._blocks.cells
        assert known is not None
        return known

    def _place(self, i: int) -> int:
        """Go to the block of item `i`; returns its position in it. The item behind the last
        is in a block without keys.
        """
        i += self._first
        if not self._lo <= i < self._hi:
            self._turn_to(bisect_right(self._blocks.starts, i) - 1)
        return i - self._lo

    def _turn_to(self, index: int) -> None:
        if self._index != index or self._lo == self._hi:
            starts = self._blocks.starts
            self._index, self._loaded = index, None
            self._lo, self._hi = starts[index], starts[min(index + 1, len(starts) - 1)]

    def _keys(self) -> BlockKeys:
        if self._loaded is None:
            self._loaded = self._load(self._index)
        return self._loaded


class StoreSnapshot:
    """Made by Store.snapshot(). For one session, and for one thread at a time.

    `known` are the blocks of boards that were in memory when the view was sealed, `hours` are all hours. The
    view calls `remember` with the blocks of boards that it had to load.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        known: Mapping[int, BoardBlocks],
        hours: Hours,
        cache: KeysCache,
        remember: Callable[[int, BoardBlocks], None],
    ) -> None:
        self._db = db
        self._known = known
        self._hours = hours
        self._loaded: dict[int, BoardBlocks] = {}
        self._cache = cache
        self._remember = remember

    def boards(self, after: str = "", most: int = -1, low_hour: int = 0) -> list[tuple[str, bool]]:
        """Names of boards with released posts that sort behind `after`, sorted; the first `most`, or all.
        With each name: whether the board has posts of the hour `low_hour` or later. Raises StoreError.
        """
        with translated():
            rows = self._db.execute(_BOARDS, (low_hour, after, most)).fetchall()
        return [(name, bool(is_active)) for name, is_active in rows]

    def cells(self, low: int = 0, end: int = limits.MAX_HOUR) -> bytes:
        """As StoredItems.cells, of the hours in [low, end) over all boards: an entry covers all IDs
        of its hour, in order.
        """
        with translated():
            return self._hours.cells(self._db, low, end)

    def items(self, board: str, low_hour: int = 0, end: int = limits.MAX_HOUR) -> StoredItems:
        """The items from the hour `low_hour` up to, not including, `end`. Of an unknown
        board: none. Raises StoreError.
        """
        with translated():
            row = self._db.execute("SELECT id FROM board WHERE name = ?", (board,)).fetchone()
            number, blocks = (row[0], self._blocks(row[0])) if row else (0, _NOTHING)
        return StoredItems(
            blocks,
            lambda index: self._keys(number, blocks, index),
            (low_hour, end),
        )

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """The bytes of those posts that are released here and not dropped, by ID. Raises StoreError."""
        with translated():
            return read_released(self._db, ids)

    def _blocks(self, board: int) -> BoardBlocks:
        found = self._known.get(board) or self._loaded.get(board)
        if found is None:
            found = self._loaded[board] = block_rows.load_board(self._db, board)
            self._remember(board, found)
        return found

    def _keys(self, board: int, blocks: BoardBlocks, index: int) -> BlockKeys:
        def load() -> BlockKeys:
            with translated():
                return block_rows.load_keys(self._db, board, blocks, index)

        return self._cache.get(blocks.blocks[index], load)


def read_released(db: sqlite3.Connection, ids: Iterable[bytes]) -> dict[bytes, bytes]:
    """The bytes of released posts by ID, on the connection `db`. Posts that are not here, not released or
    dropped are left out.
    """
    found: dict[bytes, bytes] = {}
    for post_id in ids:
        row = db.execute("SELECT raw FROM post WHERE id = ? AND released", (post_id,)).fetchone()
        if row is not None and row[0] is not None:
            found[post_id] = row[0]
    return found
