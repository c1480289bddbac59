"""Which posts differ: range-based set reconciliation over one board, either role.

The initiator learns which posts only it has and which it needs; the responder keeps no state between
messages. Everything that can be long is a generator that yields often, so that the caller may stop, wait for
credit and let other tasks run. This file sends nothing and knows no peer.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from p2pforum.core import limits
from p2pforum.core.post_id import ID_SIZE
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.negentropy import FINGERPRINT, HIGHEST, ID_LIST, LOWEST, Bound, Range

_SLICE = 256  # items looked at between two yields
_RANGES = 4  # ranges compared between two yields: 40 us, or 1 ms when their keys must be loaded
_PIECE = 128  # IDs in one listed range: small enough to fill chunks well


class Items(Protocol):
    """The sealed, sorted items (hour, ID) of one board."""

    def __len__(self) -> int: ...

    def find(self, hour: int, id: bytes) -> int:  # noqa: A002
        """How many items are below the bound (hour, id); `id` may be a prefix."""
        ...

    def key(self, i: int) -> tuple[int, bytes]: ...

    def keys(self, lo: int, hi: int) -> list[tuple[int, bytes]]: ...

    def ids(self, lo: int, hi: int) -> bytes:
        """The IDs of the items in [lo, hi), one after another."""
        ...

    def prepare(self) -> Iterator[None]:
        """Load digests in small steps, so that `cells` reads little afterwards."""
        ...

    def cells(self, lo: int, hi: int) -> bytes:
        """Of each hour with items in [lo, hi), ascending: the hour in 4 bytes, big-endian, and SHA-256 of the
        IDs of its items there, one after another."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """How ranges are split. Negentropy v1 leaves it to each side, so two sides with different policies still
    agree."""

    buckets: int = 8  #: ranges that a differing range is split into
    leaf: int = 16  #: a differing range with fewer own items is listed, not split
    first: int = 64  #: ranges that a whole board is split into, if it fills them
    quiet: bool = True  #: the initiator never lists: it asks with one fingerprint, so IDs cross once
    tail: bool = True  #: above its own newest item, a side sends an empty list, not a fingerprint
    limit: int = limits.MAX_FRAME - 16  #: bytes of one message; each can be read by itself; 0: no limit


TUNED = Policy()


class Span(NamedTuple):
    """A range still to be answered: own items [lo, hi), split `fan` ways; 0: list them."""

    lower: Bound
    upper: Bound
    lo: int
    hi: int
    fan: int


class Reconciler:
    """Compares one board. `have` collects spans of own items that the other side lacks, `need` IDs of items
    that only the other side has; the caller takes both away.

    `fingerprint` returns that of the items in [lo, hi). `ranges` counts the ranges that the other side made
    this one examine, for budgets.
    """

    def __init__(
        self,
        items: Items,
        policy: Policy,
        fingerprint: Callable[[Items, int, int], bytes],
        *,
        initiator: bool,
    ) -> None:
        self._items = items
        self._policy = policy
        self._make_fingerprint = fingerprint
        self._initiator = initiator
        self.have: list[tuple[int, int]] = []
        self.need: list[bytes] = []
        self.ranges = 0

    def opening(self, lower: Bound = LOWEST, upper: Bound = HIGHEST) -> list[Span]:
        """The spans that the initiator starts with."""
        return [Span(lower, upper, self._find(lower), self._find(upper), self._policy.first)]

    def examine(self, message: bytes) -> Generator[None, None, list[Span]]:
        """Compare a message with the own items; the result says what to answer, in ascending order.

        Raises RemoteProtocolError for a malformed message, before it learns anything from it.
        """
        return self._examine(negentropy.decode(message))

    def _examine(self, ranges: Sequence[Range]) -> Generator[None, None, list[Span]]:
        spans: list[Span] = []
        lower, lo = LOWEST, 0
        for n, (upper, mode, payload) in enumerate(ranges, 1):
            hi = self._find(upper)
            self.ranges += 1
            if mode is FINGERPRINT:
                if payload != self._fingerprint(lo, hi):
                    whole = lower == LOWEST and upper == HIGHEST
                    fan = self._policy.first if whole else self._policy.buckets
                    spans.append(Span(lower, upper, lo, hi, fan))
            elif mode is ID_LIST:
                if self._initiator:
                    yield from self._compare(lo, hi, payload)
                else:
                    spans.append(Span(lower, upper, lo, hi, 0))
            lower, lo = upper, hi
            if n % _RANGES == 0:
                yield
        return spans

    def emit(self, spans: Sequence[Span]) -> Iterator[bytes]:
        """Messages that answer `spans` (ascending); b"" between them, where the caller may pause.

        Lazy: a span over a million items takes memory for one message only.
        """
        limit = self._policy.limit
        out, n = negentropy.MessageWriter(), 0
        for span in spans:
            lower = span.lower
            for found in self._answer(span):
                if not out.add(lower, found, limit):
                    yield out.message()
                    out = negentropy.MessageWriter()
                    out.add(lower, found)
                lower = found[0]
                n += 1
                if n % _RANGES == 0:
                    yield b""
        if not out.is_empty:
            yield out.message()

    def _answer(self, span: Span) -> Iterator[Range]:
        count = span.hi - span.lo
        if span.fan == 0:
            return self._list(span)
        if count >= self._policy.leaf:
            return self._split(span)
        if self._initiator and self._policy.quiet and count:
            return iter([(span.upper, FINGERPRINT, self._fingerprint(span.lo, span.hi))])
        return self._list(span)

    def _list(self, span: Span) -> Iterator[Range]:
        lo = span.lo
        piece = max(1, min(_PIECE, self._policy.limit // ID_SIZE - 4)) if self._policy.limit else _PIECE
        while span.hi - lo > piece:
            yield self._separator(lo + piece), ID_LIST, self._items.ids(lo, lo + piece)
            lo += piece
        yield span.upper, ID_LIST, self._items.ids(lo, span.hi)

    def _split(self, span: Span) -> Iterator[Range]:
        end = span.upper
        tail = self._policy.tail and span.upper == HIGHEST
        if tail:
            end = (self._items.key(span.hi - 1)[0] + 1, b"")
        lo = span.lo
        for cut in self._cuts(span):
            bound = end if cut == span.hi else self._separator(cut)
            yield bound, FINGERPRINT, self._fingerprint(lo, cut)
            lo = cut
        if tail:
            yield span.upper, ID_LIST, b""

    def _separator(self, cut: int) -> Bound:
        return negentropy.separator(self._items.key(cut - 1), self._items.key(cut))

    def _cuts(self, span: Span) -> Iterator[int]:
        """Where the buckets of a split end: evenly, or at the hour that begins near there."""
        count = span.hi - span.lo
        fan = max(self._policy.buckets, min(span.fan, count // self._policy.leaf))
        size, larger = divmod(count, fan)
        for k in range(1, fan):
            yield self._near_hour(span.lo + k * size + min(k, larger), size // 4)
        yield span.hi

    def _near_hour(self, cut: int, reach: int) -> int:
        """A cut at the beginning of an hour, if one is near: a whole hour's digest is known, and its bound is
        short."""
        if not reach:
            return cut
        hour = self._items.key(cut)[0]
        before = self._items.find(hour, b"")
        if cut - before <= reach:
            return before
        after = self._items.find(hour + 1, b"")
        return after if after - cut <= reach else cut

    def _compare(self, lo: int, hi: int, payload: bytes) -> Iterator[None]:
        """Both sides' lists of one range are here: find what only this side has, and what only the other
        has."""
        theirs = set(_ids(payload))
        if not theirs:
            self._add_have(lo, hi)
            return
        for start in range(lo, hi, _SLICE):
            if start > lo:
                yield
            for i, id_ in enumerate(_ids(self._items.ids(start, min(start + _SLICE, hi))), start):
                if id_ in theirs:
                    theirs.remove(id_)
                else:
                    self._add_have(i, i + 1)
        if theirs:
            self.need += [id_ for id_ in _ids(payload) if id_ in theirs]

    def _add_have(self, lo: int, hi: int) -> None:
        if self.have and self.have[-1][1] == lo:
            self.have[-1] = (self.have[-1][0], hi)
        elif lo < hi:
            self.have.append((lo, hi))

    def _find(self, bound: Bound) -> int:
        if bound[0] >= limits.MAX_HOUR:  # above every item, and beyond what an index can hold
            return len(self._items)
        return self._items.find(*bound)

    def _fingerprint(self, lo: int, hi: int) -> bytes:
        return self._make_fingerprint(self._items, lo, hi)


def _ids(joined: bytes) -> list[bytes]:
    return [joined[i : i + ID_SIZE] for i in range(0, len(joined), ID_SIZE)]
