"""The sync index: whatever is asked of a sealed view is what sorting all keys would answer."""

import hashlib
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import pytest
from store_tools import assert_items, cells_of

from p2pforum.core import limits
from p2pforum.core.errors import StoreError
from p2pforum.store import block_rows, cells, schema
from p2pforum.store.blocks import Block, BlockKeys, BoardBlocks, BoardCache, Key, KeysCache, fill_cells
from p2pforum.store.hours import Hours
from p2pforum.store.snapshot import StoredItems, StoreSnapshot

BOARD = 7


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.create_tables(db)
        db.execute("INSERT INTO board VALUES (?, 'general', 0, 0)", (BOARD,))
        yield db


def some_keys(count: int, hours: int, seed: int = 1) -> list[Key]:
    rng = random.Random(seed)
    return [(rng.randrange(hours), hashlib.sha256(b"%d %d" % (seed, n)).digest()) for n in range(count)]


def put(db: sqlite3.Connection, keys: list[Key]) -> None:
    first = db.execute("SELECT coalesce(max(row), 0) FROM post").fetchone()[0]
    rows = [(first + n, i, BOARD, 0, hour, 0, 0, 1, b"") for n, (hour, i) in enumerate(keys, 1)]
    db.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def view(db: sqlite3.Connection, cache: KeysCache | None = None) -> StoreSnapshot:
    return StoreSnapshot(db, {}, Hours({}), cache or KeysCache(), lambda board, blocks: None)


def as_rows(blocks: BoardBlocks) -> list[tuple[Key, int]]:
    return [(block.lo, block.n) for block in blocks.blocks]


@pytest.mark.parametrize("batch", [1, 7, 100, 3_000])
@pytest.mark.parametrize("hours", [1, 5, 10_000])
def test_blocks_are_right_however_the_keys_come(db: sqlite3.Connection, batch: int, hours: int) -> None:
    keys = some_keys(3_000 if batch > 1 else 700, hours)
    blocks = BoardBlocks(())
    for start in range(0, len(keys), batch):
        put(db, keys[start : start + batch])
        blocks = block_rows.add_keys(db, BOARD, blocks, keys[start : start + batch])
    assert as_rows(blocks) == as_rows(block_rows.load_board(db, BOARD))
    assert all(block.n <= limits.BLOCK_MOST for block in blocks.blocks)
    assert len(blocks.blocks) <= 2 + len(keys) // (limits.BLOCK_KEYS // 2)
    assert_items(view(db).items("general"), sorted(keys))


def test_keys_before_the_first_block_belong_to_it(db: sqlite3.Connection) -> None:
    """After the oldest blocks have expired, a late post may still sort before all that is left."""
    keys = sorted(some_keys(2_000, 100))
    put(db, keys)
    blocks = block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    gone = [key for key in keys if key < blocks.blocks[2].lo]
    db.executemany("DELETE FROM post WHERE id = ?", [(i,) for _, i in gone])
    blocks = block_rows.remove_keys(db, BOARD, blocks, gone)
    assert blocks.blocks[0].lo > (0, b"")
    late = [(0, i) for _, i in some_keys(600, 1, seed=2)]
    put(db, late[:10])
    blocks = block_rows.add_keys(db, BOARD, blocks, late[:10])
    assert view(db).items("general").find(*blocks.blocks[0].lo) == 10
    put(db, late[10:])
    blocks = block_rows.add_keys(db, BOARD, blocks, late[10:])
    assert as_rows(blocks) == as_rows(block_rows.load_board(db, BOARD))
    assert_items(view(db).items("general"), sorted({*keys, *late} - set(gone)))


def test_whole_blocks_go_without_a_look_at_their_keys(db: sqlite3.Connection) -> None:
    keys = sorted(some_keys(2_000, 100))
    put(db, keys)
    blocks = block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    db.execute("DELETE FROM post")
    assert block_rows.remove_keys(db, BOARD, blocks, keys).blocks == ()
    assert db.execute("SELECT count(*) FROM rblock").fetchone() == (0,)
    assert view(db).boards() == []


@pytest.mark.parametrize("low_hour", [0, 1, 37, 99, 100, 500])
def test_items_from_an_hour_on(db: sqlite3.Connection, low_hour: int) -> None:
    keys = some_keys(1_500, 100)
    put(db, keys)
    block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    assert_items(view(db).items("general", low_hour), sorted(key for key in keys if key[0] >= low_hour))


def test_ids_that_were_ground_to_look_alike_are_still_told_apart(db: sqlite3.Connection) -> None:
    """A block finds keys by the hour and 4 bytes of the ID, and by all of it only where those are equal."""
    alike = {bytes(n) + i[n:] for n in (4, 5, 31) for _, i in some_keys(100, 1, seed=n)}
    keys = sorted({(5, i) for i in alike} | set(some_keys(700, 10)))
    put(db, keys)
    block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    items = view(db).items("general")
    assert_items(items, keys)
    for prefix in (bytes(n) + bytes([1]) * m for n in range(6) for m in range(3)):
        assert items.find(5, prefix) == sum(key < (5, prefix) for key in keys)


def test_digests_of_whole_hours_load_no_keys(db: sqlite3.Connection) -> None:
    keys = sorted(some_keys(3_000, 50))
    put(db, keys)
    block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    snapshot = view(db)
    before = snapshot.items("general")
    assert before.cells(0, len(before)) == cells_of(keys)
    db.execute("DELETE FROM post")  # so that loading keys would fail
    snapshot._cache = KeysCache()
    items = snapshot.items("general", 10, 40)
    window = [key for key in keys if 10 <= key[0] < 40]
    assert items.cells(0, len(items)) == cells_of(window)
    third = items.find(30, b"")
    assert items.cells(third, len(items)) == cells_of(window[third:])
    with pytest.raises(StoreError, match="doctor"):
        items.cells(1, 3)


@pytest.mark.parametrize("hours", [1, 5, 3_000])
def test_digests_are_made_in_small_steps_and_again_only_where_an_hour_changed(
    db: sqlite3.Connection, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = sorted(some_keys(3_000, hours))
    put(db, keys)
    first = block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    assert sum(1 for _ in fill_cells(first, lambda i: block_rows.load_keys(db, BOARD, first, i), 0)) >= 6
    late = [(hours // 2, key) for _, key in some_keys(2, 1, seed=3)]
    put(db, late)
    second = block_rows.add_keys(db, BOARD, first, late)
    second.follow(first, {hours // 2})
    third = BoardBlocks(second.blocks)  # nobody asked for the digests of `second`
    third.follow(second, {0})
    hashed = []
    real = cells.entry
    monkeypatch.setattr(cells, "entry", lambda hour, ids: (hashed.append(hour), real(hour, ids))[1])
    for _ in fill_cells(third, lambda i: block_rows.load_keys(db, BOARD, third, i), 0):
        pass
    assert set(hashed) <= {hours // 2, 0} if hours > 100 else len(hashed) <= hours
    assert third.cells is not None
    assert third.cells.packed == cells_of([*keys, *late])


def test_digests_from_an_hour_on_reach_lower_when_asked(db: sqlite3.Connection) -> None:
    keys = sorted(some_keys(2_000, 100))
    put(db, keys)
    block_rows.add_keys(db, BOARD, BoardBlocks(()), keys)
    snapshot = view(db)
    for low in (90, 40, 60, 0):
        found = [key for key in keys if key[0] >= low]
        assert_items(snapshot.items("general", low), found)


@pytest.mark.parametrize("seed", range(10))
def test_digests_fit_whatever_was_asked_for_and_changed_in_any_order(seed: int) -> None:
    """Bounds that go up and down, and posts that come and go above and below them."""
    rng = random.Random(seed)
    keys = set(some_keys(60, 100, seed=seed))
    blocks = BoardBlocks([Block((0, b""), len(keys))])
    for n in range(80):
        if rng.random() < 0.5:
            changed = {rng.randrange(100) for _ in range(rng.randint(1, 3))}
            keys = {key for key in keys if key[0] not in changed or rng.random() < 0.5}
            keys |= {(rng.choice(sorted(changed)), sha256(b"%d %d" % (seed, n)).digest())}
            before, blocks = blocks, BoardBlocks([Block((0, b""), len(keys))])
            blocks.follow(before, changed)
        low = rng.randrange(100)
        there = BlockKeys(sorted(keys))
        found = StoredItems(blocks, lambda _, there=there: there, (low, 100))  # type: ignore[misc]
        assert found.cells(0, len(found)) == cells_of(key for key in keys if key[0] >= low)
        assert blocks.cells is not None
        assert blocks.cells.packed == cells_of(key for key in keys if key[0] >= blocks.cells.low)


def test_of_two_sessions_that_make_digests_at_once_the_one_that_reaches_lower_is_kept() -> None:
    keys = sorted(some_keys(600, 100))
    pieces = [keys[:300], keys[300:]]
    blocks = BoardBlocks([Block(piece[0], len(piece)) for piece in pieces])
    load = [BlockKeys(piece) for piece in pieces].__getitem__
    low, high = fill_cells(blocks, load, 0), fill_cells(blocks, load, 90)
    next(low)
    next(high)
    for making in (low, high):
        for _ in making:
            pass
    assert blocks.cells is not None
    assert blocks.cells.packed == cells_of(keys)


def test_loaded_keys_are_bounded_and_shared() -> None:
    cache = KeysCache(most=7)  # three blocks of two
    blocks = [Block((n, b""), 1) for n in range(5)]
    loads = []

    def load() -> BlockKeys:
        loads.append(1)
        return BlockKeys([(1, bytes(32)), (2, bytes(32))])

    for block in [*blocks, blocks[4], blocks[3], blocks[0]]:
        cache.get(block, load)
    assert len(loads) == 6  # 0 to 4, and 0 again, which had made room


def test_boards_in_memory_are_bounded_and_a_view_keeps_its_own() -> None:
    cache = BoardCache(most=2)
    before = cache.current()
    for board in range(4):
        cache.publish({board: BoardBlocks(())})
    assert before == {}
    assert list(cache.current()) == [2, 3]
    cache.clear()
    assert cache.current() == {}
