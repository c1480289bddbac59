"""A sealed view of the released posts, for sync: what others add or drop meanwhile does not show.

Keys of a block are loaded when first looked at (0.14 ms); sums over whole blocks load nothing.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping

from p2pforum.core import limits
from p2pforum.store import block_rows
from p2pforum.store.blocks import MODULUS, BlockKeys, BoardBlocks, Key, KeysCache
from p2pforum.store.connection import translated

_NOTHING = BoardBlocks(())


class Items:
    """The released posts of one board from some hour on, sorted by (hour, ID). See sync.reconcile.Items."""

    def __init__(self, blocks: BoardBlocks, load: Callable[[int], BlockKeys], low_hour: int) -> None:
        self._blocks = blocks
        self._load = load
        self._skipped = 0
        self._index = 0  # the block looked at last: mostly the next question is about it, too
        self._lo = self._hi = 0  # it holds keys from `_lo` up to `_hi`, those skipped included
        self._loaded: BlockKeys | None = None
        self._before: int | None = None  # the sum of the keys skipped
        self._skipped = self.find(low_hour, b"") if low_hour > 0 else 0

    def __len__(self) -> int:
        return self._blocks.starts[-1] - self._skipped

    def find(self, hour: int, id: bytes) -> int:  # noqa: A002
        """How many items are below the bound (hour, id); `id` may be a prefix."""
        if not self._blocks.blocks or (hour <= 0 and not id):
            return 0
        if hour >= limits.MAX_HOUR:  # "everything": no key to look at
            return len(self)
        self._turn_to(self._blocks.locate((hour, id)))
        below = self._lo
        if self._blocks.los[self._index] != (hour, id) or self._index == 0:
            below += self._keys().find(hour, id)
        return max(0, below - self._skipped)

    def key(self, i: int) -> Key:
        offset = self._place(i)
        return self._keys().key(offset)

    def keys(self, lo: int, hi: int) -> list[Key]:
        return [self.key(i) for i in range(lo, hi)]

    def ids(self, lo: int, hi: int) -> bytes:
        """The IDs of the items in [lo, hi), one after another."""
        found = b""
        while lo < hi:
            offset = self._place(lo)
            end = min(self._hi - self._lo, offset + hi - lo)
            found += self._keys().ids(offset, end)
            lo += end - offset
        return found

    def sum(self, lo: int, hi: int) -> int:
        """The sum, mod 2^256, of the IDs in [lo, hi) as little-endian numbers."""
        if lo >= hi:
            return 0
        if lo:
            return (self._sum_to(hi) - self._sum_to(lo)) % MODULUS
        if self._before is None:  # kept: questions are mostly about all up to some place
            self._before = self._sum_to(0)
        return (self._sum_to(hi) - self._before) % MODULUS

    def _sum_to(self, i: int) -> int:
        """Over all the board's keys before item `i`."""
        offset = self._place(i)
        below = self._blocks.sums[self._index]
        return below + self._keys().sum(offset) if offset else below

    def _place(self, i: int) -> int:
        """Turn to the block of item `i`; the place in it. One behind the last is in a block of no keys."""
        i += self._skipped
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


class Snapshot:
    """Made by Store.snapshot(). One session's: not for two threads at the same moment.

    `known` are the blocks of boards in memory when the view was sealed; `remember` is told of others.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        known: Mapping[int, BoardBlocks],
        cache: KeysCache,
        remember: Callable[[int, BoardBlocks], None],
    ) -> None:
        self._db = db
        self._known = known
        self._loaded: dict[int, BoardBlocks] = {}
        self._cache = cache
        self._remember = remember

    def boards(self, after: str = "", most: int = -1) -> list[str]:
        """Names of boards with released posts that sort behind `after`, sorted; the first `most`, or all."""
        with translated():
            rows = self._db.execute(
                "SELECT name FROM board WHERE name > ? AND EXISTS"  # n = 0: all that was released has expired
                " (SELECT 1 FROM rblock WHERE rblock.board = board.id AND n > 0) ORDER BY name LIMIT ?",
                (after, most),
            ).fetchall()
        return [name for (name,) in rows]

    def items(self, board: str, low_hour: int = 0) -> Items:
        """Of an unknown board: none."""
        with translated():
            row = self._db.execute("SELECT id FROM board WHERE name = ?", (board,)).fetchone()
            if row is None:
                return Items(_NOTHING, _load_nothing, 0)
            number = row[0]
            blocks = self._blocks(number)
        return Items(blocks, lambda index: self._keys(number, blocks, index), low_hour)

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """The posts, but for those not released here, or dropped."""
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
    found: dict[bytes, bytes] = {}
    for post_id in ids:
        row = db.execute("SELECT raw FROM post WHERE id = ? AND released", (post_id,)).fetchone()
        if row is not None and row[0] is not None:
            found[post_id] = row[0]
    return found


def _load_nothing(_: int) -> BlockKeys:
    return BlockKeys(())
