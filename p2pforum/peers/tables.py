"""The two tables of the book: which address lies at which place, and what of it is not on the disk yet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from p2pforum.core import limits
from p2pforum.peers.buckets import Buckets, Spot
from p2pforum.peers.entry import Entry, Row


@dataclass(frozen=True, slots=True)
class Changes:
    """Since they were last taken: rows to write, and addresses whose rows go."""

    rows: list[Row]
    gone: list[str]


class Tables:
    """Every entry lies at one place, and no two at the same: that bounds them."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._spots: dict[Spot, Entry] = {}
        self._entries: dict[str, Entry] = {}
        self._peers: dict[str, dict[str, Entry]] = {}
        self._dirty: set[str] = set()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def get(self, address: str) -> Entry | None:
        return self._entries.get(address)

    def of_peer(self, peer: str) -> list[Entry]:
        """Its addresses, those where it answered first."""
        found = self._peers.get(peer, {}).values()
        return sorted(found, key=lambda entry: (not entry.is_tried, entry.address))

    def holder(self, entry: Entry, *, is_tried: bool) -> Entry | None:
        """Who lies where this entry would."""
        return self._spots.get(self._spot(entry, is_tried))

    def add(self, entry: Entry) -> None:
        """Whoever lies there goes."""
        if (holder := self.holder(entry, is_tried=entry.is_tried)) is not None:
            self.remove(holder)
        self._spots[self._spot(entry, entry.is_tried)] = entry
        self._entries[entry.address] = entry
        self._peers.setdefault(entry.peer, {})[entry.address] = entry
        self._dirty.add(entry.address)

    def remove(self, entry: Entry) -> None:
        del self._spots[self._spot(entry, entry.is_tried)]
        del self._entries[entry.address]
        del self._peers[entry.peer][entry.address]
        if not self._peers[entry.peer]:
            del self._peers[entry.peer]
        self._dirty.add(entry.address)

    def move(self, entry: Entry, *, is_tried: bool) -> None:
        """Into the other table."""
        self.remove(entry)
        entry.is_tried = is_tried
        self.add(entry)

    def draw(self, rng: Random, is_tried: bool, fits: Callable[[Entry], bool]) -> Entry | None:
        """A bucket by lot, then one in it: who fills few buckets is drawn seldom, however full they are."""
        count = limits.BOOK_TRIED_BUCKETS if is_tried else limits.BOOK_NEW_BUCKETS
        patience, last = 1.0, None
        for bucket in rng.sample(range(count), count):
            spots = [(is_tried, bucket, place) for place in range(limits.BOOK_BUCKET)]
            found = [self._spots[spot] for spot in spots if spot in self._spots]
            if fit := [entry for entry in found if fits(entry)]:
                last = rng.choice(fit)
                if rng.random() < last.chance * patience:
                    return last
                patience *= 1.2  # else many that failed would never be drawn
        return last

    def mark(self, address: str) -> None:
        """Its row is to be written, or to go."""
        self._dirty.add(address)

    def take_changes(self) -> Changes:
        dirty, self._dirty = sorted(self._dirty), set()
        rows = [self._entries[address].row() for address in dirty if address in self._entries]
        return Changes(rows, [address for address in dirty if address not in self._entries])

    def restore(self, entry: Entry) -> bool:
        """As it lay before. False if its place is taken, which no book of ours has written."""
        if entry.address in self._entries or self.holder(entry, is_tried=entry.is_tried) is not None:
            return False
        self.add(entry)
        self._dirty.discard(entry.address)
        return True

    def _spot(self, entry: Entry, is_tried: bool) -> Spot:
        bucket = self._buckets.tried(entry.group, entry.address) if is_tried else entry.bucket
        return self._buckets.spot(is_tried, bucket, entry.address)
