"""Numbers that tell nothing: free, spread, the same for the same secret, and other for another."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from p2pforum.core.errors import StoreError
from p2pforum.store.scatter import Scatter, chunks, in_chunk

NAMES = [(1 << 20, n.to_bytes(32, "big")) for n in range(60)]


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t(n INTEGER PRIMARY KEY)")
        yield db


def scatter(db: sqlite3.Connection, bits: int = 20, secret: bytes = bytes(32)) -> Scatter:
    return Scatter(db, secret, "t", "n", bits)


def test_above_the_base_and_by_secret(db: sqlite3.Connection) -> None:
    numbers = scatter(db).numbers(NAMES)
    assert all(number >> 20 == 1 for number in numbers)
    assert numbers == scatter(db).numbers(NAMES)
    assert not set(numbers) & set(scatter(db, secret=b"x" * 32).numbers(NAMES))
    assert numbers != sorted(numbers)


def test_taken_numbers_are_passed_over(db: sqlite3.Connection) -> None:
    """64 places for 60 names, half of them there before: nearly every first try fails."""
    before = scatter(db, bits=6).numbers(NAMES[:30])
    db.executemany("INSERT INTO t VALUES (?)", [(number,) for number in before])
    after = scatter(db, bits=6).numbers(NAMES[30:55])
    assert len({*before, *after}) == 55
    assert all(number >> 6 == 1 << 14 for number in after)


def test_when_all_are_taken_it_says_so(db: sqlite3.Connection) -> None:
    with pytest.raises(StoreError, match="too many"):
        scatter(db, bits=4).numbers(NAMES[:17])


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 200])
def test_chunks_are_all_of_one_size(db: sqlite3.Connection, count: int) -> None:
    values = list(range(count))
    db.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    found = [
        n for chunk in chunks(values) for (n,) in db.execute(f"SELECT n FROM t WHERE {in_chunk('n')}", chunk)
    ]
    assert sorted(found) == values
