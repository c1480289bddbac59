"""Items in a list, and sets of them to reconcile; IDs are hashes, as they always are."""

import bisect
import hashlib
import itertools
import random
from collections.abc import Generator, Iterable, Iterator
from itertools import groupby
from typing import TypeVar

Key = tuple[int, bytes]
Result = TypeVar("Result")


class ListItems:
    """The Items protocol of p2pforum/sync/reconcile.py over a sorted list with prefix sums."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = sorted(keys)
        numbers = (int.from_bytes(id_, "little") for _, id_ in self._keys)
        self._sums = list(itertools.accumulate(numbers, initial=0))

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, hour: int, id: bytes) -> int:  # noqa: A002
        return bisect.bisect_left(self._keys, (hour, id))

    def key(self, i: int) -> Key:
        return self._keys[i]

    def keys(self, lo: int, hi: int) -> list[Key]:
        return self._keys[lo:hi]

    def ids(self, lo: int, hi: int) -> bytes:
        return b"".join(id_ for _, id_ in self._keys[lo:hi])

    def prepare(self) -> Iterator[None]:
        yield from ()

    def cells(self, lo: int, hi: int) -> bytes:
        return naive_cells(self._keys[lo:hi])

    def sum(self, lo: int, hi: int) -> int:
        return (self._sums[hi] - self._sums[lo]) % 2**256


def naive_cells(keys: Iterable[Key]) -> bytes:
    """What PROTOCOL says, word for word: the hour in 4 bytes, and SHA-256 of its IDs."""
    hours = [
        (hour, b"".join(id_ for _, id_ in group)) for hour, group in groupby(sorted(keys), lambda k: k[0])
    ]
    return b"".join(hour.to_bytes(4, "big") + hashlib.sha256(ids).digest() for hour, ids in hours)


def a_key_at(n: int, hour: int) -> Key:
    """The ID commits to the hour, as a post's does: one ID never has two hours."""
    return (hour, hashlib.sha256(b"%d/%d" % (n, hour)).digest())


def two_sets(rng: random.Random, common: int, left: int, right: int, hours: int) -> tuple[set[Key], set[Key]]:
    """Sets that share `common` keys; the other keys are spread over all hours alike."""
    start = rng.getrandbits(62)
    first = rng.randrange(2**31 - hours)
    keys = [a_key_at(start + n, first + rng.randrange(hours)) for n in range(common + left + right)]
    shared = keys[:common]
    return set(shared + keys[common : common + left]), set(shared + keys[common + left :])


def result_of(steps: Generator[None, None, Result]) -> Result:
    """Run a generator to its end, without the pauses."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
