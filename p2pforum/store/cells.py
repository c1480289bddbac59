"""Digests of a board's hours, from which sync makes its fingerprints. They are made when a session first asks
for them, and made anew for the hours that changed. In memory only.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from hashlib import sha256
from itertools import accumulate, pairwise

from p2pforum.core import limits
from p2pforum.core.post_id import ID_SIZE

ENTRY = 36  # bytes: the hour in 4, big-endian, and SHA-256 of its IDs in order
_GAP = 16  # changed hours no further apart are read together

Read = Callable[[int, int], Iterator[tuple[Sequence[int], bytes]]]
"""The keys of the hours from the first up to, not including, the second, in order and in pieces: the hours,
and the IDs one after another.
"""


def entry(hour: int, ids: bytes) -> bytes:
    """The entry of one hour, made of all its IDs, or of those that are in a range."""
    return hour.to_bytes(4, "big") + sha256(ids).digest()


class Cells:
    """One entry for each hour of a board with released posts, from the hour `low` on. Never changes."""

    __slots__ = ("counts", "hours", "low", "packed", "starts")

    def __init__(self, low: int, hours: "array[int]", counts: "array[int]", packed: bytes) -> None:
        self.low = low
        self.hours = hours
        self.counts = counts
        self.packed = packed
        self.starts = array(
            "Q", accumulate(counts, initial=0)
        )  #: keys from `low` on before each hour; the last counts all

    def find(self, hour: int) -> int:
        """How many keys from `low` on are before this hour."""
        return self.starts[bisect_left(self.hours, hour)]

    def whole(self, lo: int, hi: int) -> tuple[int, int]:
        """The hours that lie wholly in the keys [lo, hi): from the first up to, not including, the second.

        The second is less than the first if the keys begin and end within one hour.
        """
        return bisect_left(self.starts, lo), bisect_right(self.starts, hi) - 1


class _Growing:
    """Takes keys in order, and gives cells."""

    def __init__(self) -> None:
        self._hours = array("I")
        self._counts = array("I")
        self._packed: list[bytes] = []
        self._last: list[bytes] = []  # IDs of the last hour, which may get more
        self._last_hour = -1

    def add(self, hours: Sequence[int], ids: bytes) -> None:
        if self._last_hour != hours[0]:
            self._shut()
        edges = [i for i in range(1, len(hours)) if hours[i] != hours[i - 1]]
        first = edges[0] if edges else len(hours)
        self._last.append(ids[: first * ID_SIZE])
        self._last_hour = hours[-1]
        if not edges:
            return
        self._append(hours[0], b"".join(self._last))
        whole = list(pairwise(edges))
        self._hours.extend([hours[lo] for lo, _ in whole])
        self._counts.extend([hi - lo for lo, hi in whole])
        self._packed += [entry(hours[lo], ids[lo * ID_SIZE : hi * ID_SIZE]) for lo, hi in whole]
        self._last = [ids[edges[-1] * ID_SIZE :]]

    def copy(self, base: Cells, first: int, last: int) -> None:
        """Copy hours as they are: from index `first` up to, not including, `last`."""
        self._shut()
        self._hours.extend(base.hours[first:last])
        self._counts.extend(base.counts[first:last])
        self._packed.append(base.packed[first * ENTRY : last * ENTRY])

    def cells(self, low: int) -> Cells:
        self._shut()
        return Cells(low, self._hours, self._counts, b"".join(self._packed))

    def _shut(self) -> None:
        if self._last:
            self._append(self._last_hour, b"".join(self._last))
            self._last = []

    def _append(self, hour: int, ids: bytes) -> None:
        self._hours.append(hour)
        self._counts.append(len(ids) // ID_SIZE)
        self._packed.append(entry(hour, ids))


def make_cells(
    read: Read, low: int, base: Cells | None, changed: Collection[int]
) -> Generator[None, None, Cells]:
    """Make the cells from the hour `low` on. Each step of the generator reads one piece.

    Hours that `base` has are copied from it, except those `changed` since. The result may
    reach lower than `base`.
    """
    grown = _Growing()
    if base is None:
        yield from _read_into(grown, read, low, limits.MAX_HOUR)
        return grown.cells(low)
    yield from _read_into(grown, read, low, base.low)
    at = 0
    for first, last in _runs(sorted(hour for hour in changed if hour >= base.low)):
        grown.copy(base, at, bisect_left(base.hours, first))
        yield from _read_into(grown, read, first, last + 1)
        at = bisect_right(base.hours, last)
    grown.copy(base, at, len(base.hours))
    return grown.cells(min(low, base.low))


def _read_into(grown: _Growing, read: Read, low: int, end: int) -> Iterator[None]:
    if low < end:
        for hours, ids in read(low, end):
            grown.add(hours, ids)
            yield


def _runs(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last hour of runs of hours that are close to each other."""
    first = 0
    for i, hour in enumerate(hours):
        if not i or hour - hours[i - 1] > _GAP:
            first = hour
        if i + 1 == len(hours) or hours[i + 1] - hour > _GAP:
            yield first, hour
