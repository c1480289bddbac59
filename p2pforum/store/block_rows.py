"""The sync index on disk: one row of rblock for each block, changed in the transaction that changes posts.

A million posts have 3,907 rows, which are read in 5 ms. So a node starts without reading its posts.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from p2pforum.core import limits
from p2pforum.core.errors import StoreError
from p2pforum.store.blocks import Block, BlockKeys, BoardBlocks, Key

_END: Key = (limits.MAX_HOUR, b"")  # above every key

# INDEXED BY: without it SQLite may sort the whole board, and a query that can't use it is an error.
_KEYS = """SELECT hour, id FROM post INDEXED BY post_released
    WHERE released AND board = ? AND (hour, id) >= (?, ?) AND (hour, id) < (?, ?) ORDER BY hour, id"""


def load_board(db: sqlite3.Connection, board: int) -> BoardBlocks:
    rows = db.execute(
        "SELECT lo_hour, lo_id, n FROM rblock WHERE board = ? ORDER BY lo_hour, lo_id", (board,)
    )
    return BoardBlocks([Block((hour, lo_id), n) for hour, lo_id, n in rows])


def load_keys(db: sqlite3.Connection, board: int, blocks: BoardBlocks, index: int) -> BlockKeys:
    """The keys of one block, by its index. Raises StoreError if the posts differ from what
    the summary says.
    """
    keys = BlockKeys(read_keys(db, board, *blocks.bounds(index)))
    if len(keys) != blocks.blocks[index].n:
        raise StoreError("the sync index does not fit the posts: run `p2pforum doctor`")
    return keys


def read_keys(db: sqlite3.Connection, board: int, lower: Key, upper: Key | None) -> list[Key]:
    return db.execute(_KEYS, (board, *lower, *(upper or _END))).fetchall()


def cut(keys: Sequence[Key], first: Key) -> list[Block]:
    """Cut keys into blocks of about BLOCK_KEYS keys; the first block begins at `first`."""
    pieces = max(1, round(len(keys) / limits.BLOCK_KEYS))
    edges = [len(keys) * i // pieces for i in range(pieces + 1)]
    return [Block(keys[lo] if lo else first, hi - lo) for lo, hi in pairwise(edges)]


def add_keys(db: sqlite3.Connection, board: int, blocks: BoardBlocks, keys: Iterable[Key]) -> BoardBlocks:
    """Add keys to the index; returns the board's blocks. Their posts must be written and released already."""
    changed = list(blocks.blocks) or [_insert(db, board, Block((0, b""), 0))]
    base = blocks if blocks.blocks else BoardBlocks(changed)
    for index, group in reversed(_by_block(base, keys)):  # from the end: a split moves only the blocks behind
        old = changed[index]
        block = Block(old.lo, old.n + len(group))
        if block.n <= limits.BLOCK_MOST:
            changed[index] = _update(db, board, block)
        else:
            lower, upper = base.bounds(index)
            _delete(db, board, old)
            pieces = cut(read_keys(db, board, lower, upper), lower)
            changed[index : index + 1] = [_insert(db, board, piece) for piece in pieces]
    return BoardBlocks(changed)


def remove_keys(db: sqlite3.Connection, board: int, blocks: BoardBlocks, keys: Iterable[Key]) -> BoardBlocks:
    """Take keys out of the index; returns the board's blocks. Their posts must be gone
    already. An empty block goes.
    """
    changed = list(blocks.blocks)
    for index, group in reversed(_by_block(blocks, keys)):
        old = changed[index]
        block = Block(old.lo, old.n - len(group))
        if block.n:
            changed[index] = _update(db, board, block)
        else:
            del changed[index]
            _delete(db, board, old)
    return BoardBlocks(changed)


def rebuild_board(db: sqlite3.Connection, board: int) -> BoardBlocks:
    """Make the board's rows anew from its posts."""
    db.execute("DELETE FROM rblock WHERE board = ?", (board,))
    keys = read_keys(db, board, (0, b""), None)
    return BoardBlocks([_insert(db, board, block) for block in cut(keys, (0, b""))] if keys else [])


def _by_block(blocks: BoardBlocks, keys: Iterable[Key]) -> list[tuple[int, list[Key]]]:
    return [(index, list(group)) for index, group in groupby(sorted(keys), blocks.locate)]


def _insert(db: sqlite3.Connection, board: int, block: Block) -> Block:
    db.execute("INSERT INTO rblock VALUES (?, ?, ?, ?)", (board, *block.lo, block.n))
    return block


def _delete(db: sqlite3.Connection, board: int, block: Block) -> None:
    db.execute("DELETE FROM rblock WHERE board = ? AND lo_hour = ? AND lo_id = ?", (board, *block.lo))


def _update(db: sqlite3.Connection, board: int, block: Block) -> Block:
    db.execute(
        "UPDATE rblock SET n = ? WHERE board = ? AND lo_hour = ? AND lo_id = ?", (block.n, board, *block.lo)
    )
    return block
