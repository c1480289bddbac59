"""Numbers for rows, threads and boards that do not show which came first.

A secret of this store makes them from IDs. If they were given one after the other, a thief of the disk could
see which thread was here before any other node could have it: that thread began here.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from p2pforum.core.errors import StoreError

_TRIES = 64  # for a free number; they fail when nine of ten are taken
_CHUNK = 64  # values asked for in one statement: always as many, so that it is prepared once


class Scatter:
    """Makes numbers. `table` and `column` are where they are used, and text of this program."""

    def __init__(self, db: sqlite3.Connection, secret: bytes, table: str, column: str, bits: int) -> None:
        self._db = db
        self._secret = secret
        self._taken_query = f"SELECT {column} FROM {table} WHERE {in_chunk(column)}"
        self._mask = (1 << bits) - 1

    def numbers(self, names: Sequence[tuple[int, bytes]]) -> list[int]:
        """A free number for each (base, name), above the base. Raises StoreError if there is none."""
        found: dict[int, int] = {}  # number -> index in names
        waiting = list(range(len(names)))
        for attempt in range(_TRIES):
            wanted: dict[int, int] = {}
            refused = []
            for index in waiting:
                base, name = names[index]
                number = base | self._hash(name, attempt)
                if number in found or number in wanted:
                    refused.append(index)
                else:
                    wanted[number] = index
            refused.extend(wanted.pop(number) for number in self._taken(list(wanted)))
            found.update(wanted)
            waiting = refused
            if not waiting:
                break
        else:
            raise StoreError("too many posts of one hour are here")
        return sorted(found, key=found.__getitem__)

    def _taken(self, numbers: Sequence[int]) -> list[int]:
        return [row[0] for chunk in chunks(numbers) for row in self._db.execute(self._taken_query, chunk)]

    def _hash(self, name: bytes, attempt: int) -> int:
        digest = blake2b(name, key=self._secret, salt=attempt.to_bytes(2, "big"), digest_size=4).digest()
        return int.from_bytes(digest, "big") & self._mask


def chunks(values: Sequence[object]) -> Iterator[Sequence[object]]:
    """Pieces of one size for statements with IN. The last piece is filled up by repeating a value."""
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        yield [*chunk, *[chunk[-1]] * (_CHUNK - len(chunk))]


def in_chunk(column: str) -> str:
    """The condition for one of `chunks`."""
    return f"{column} IN ({','.join('?' * _CHUNK)})"
