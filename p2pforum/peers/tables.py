"""The book's two tables: which address lies at which place, and which changes are not saved yet."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from p2pforum.core import limits
from p2pforum.peers.buckets import Buckets, Spot
from p2pforum.peers.entry import Entry, Row


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes since they were last taken: rows to write, and addresses whose rows are to be deleted."""

    rows: list[Row]
    gone: list[str]


class Tables:
    """Every entry lies at one place, and no two at the same. So the number of places bounds the tables."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._spots: dict[Spot, Entry] = {}
        self._entries: dict[str, Entry] = {}
        self._peers: dict[str, dict[str, Entry]] = {}
        self._hosts: dict[str, dict[str, Entry]] = {}
        self._dirty: set[str] = set()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def get(self, address: str) -> Entry | None:
        return self._entries.get(address)

    def of_peer(self, peer: str) -> list[Entry]:
        """A peer's entries, those where it answered first."""
        found = self._peers.get(peer, {}).values()
        return sorted(found, key=lambda entry: (not entry.is_tried, entry.address))

    def of_host(self, entry: Entry) -> list[Entry]:
        """Other entries of the same host; none if the host is ""."""
        found = self._hosts.get(entry.host, {}).values() if entry.host else ()
        return [other for other in found if other is not entry]

    def holder(self, entry: Entry, *, is_tried: bool) -> Entry | None:
        """The entry at the place where this entry would lie."""
        return self._spots.get(self._spot(entry, is_tried))

    def add(self, entry: Entry) -> None:
        """Insert an entry. It displaces the entry that lies at its place."""
        if (holder := self.holder(entry, is_tried=entry.is_tried)) is not None:
            self.remove(holder)
        self._spots[self._spot(entry, entry.is_tried)] = entry
        self._entries[entry.address] = entry
        for index, name in self._indexed(entry):
            index.setdefault(name, {})[entry.address] = entry
        self._dirty.add(entry.address)

    def remove(self, entry: Entry) -> None:
        """Delete an entry, which must be here, from its place and from the indexes by peer and host."""
        del self._spots[self._spot(entry, entry.is_tried)]
        del self._entries[entry.address]
        for index, name in self._indexed(entry):
            del index[name][entry.address]
            if not index[name]:
                del index[name]
        self._dirty.add(entry.address)

    def move(self, entry: Entry, *, is_tried: bool) -> None:
        """Move an entry into the other table."""
        self.remove(entry)
        entry.is_tried = is_tried
        self.add(entry)

    def _indexed(self, entry: Entry) -> list[tuple[dict[str, dict[str, Entry]], str]]:
        return [(self._peers, entry.peer), (self._hosts, entry.host)]

    def draw(self, rng: Random, is_tried: bool, fits: Callable[[Entry], bool]) -> Entry | None:
        """Draw an entry that fits, or None: first a part of the table, then a network group in it, then one
        of the group.

        The parts are groups of the tried table, or buckets of the new one. An entry that failed is drawn more
        rarely.
        """
        lots = self._groups() if is_tried else self._buckets_of_new()
        patience, last = 1.0, None
        for lot in rng.sample(lots, len(lots)):
            if groups := _by_group(entry for entry in lot if fits(entry)):
                last = rng.choice(rng.choice(groups))
                if rng.random() < last.chance * patience:
                    return last
                patience *= 1.2  # otherwise entries that failed would never be drawn where there are many
        return last

    @property
    def met(self) -> set[str]:
        """Network groups with a tried peer that answered when it was last dialled."""
        return {entry.group for entry in self._entries.values() if entry.is_tried and entry.answers} - {""}

    def _groups(self) -> list[list[Entry]]:
        """Tried entries by network group. Each group counts once, because many hosts of one network are as
        easy to get as one."""
        return _by_group(entry for entry in self._entries.values() if entry.is_tried)

    def _buckets_of_new(self) -> list[list[Entry]]:
        """Buckets that are not empty. So a teller with few buckets is drawn rarely, however full they are."""
        found: list[list[Entry]] = [[] for _ in range(limits.BOOK_NEW_BUCKETS)]
        for entry in self._entries.values():
            if not entry.is_tried:
                found[entry.bucket].append(entry)
        return [bucket for bucket in found if bucket]

    def mark(self, address: str) -> None:
        """The row of this address is to be written or deleted."""
        self._dirty.add(address)

    def take_changes(self) -> Changes:
        dirty, self._dirty = sorted(self._dirty), set()
        rows = [self._entries[address].row() for address in dirty if address in self._entries]
        return Changes(rows, [address for address in dirty if address not in self._entries])

    def restore(self, entry: Entry) -> bool:
        """Put an entry back at its place. False if the place is taken, which no book of this program has
        written."""
        if entry.address in self._entries or self.holder(entry, is_tried=entry.is_tried) is not None:
            return False
        self.add(entry)
        self._dirty.discard(entry.address)
        return True

    def _spot(self, entry: Entry, is_tried: bool) -> Spot:
        bucket = self._buckets.tried(entry.group, entry.address) if is_tried else entry.bucket
        return self._buckets.spot(is_tried, bucket, entry.address)


def _by_group(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries by group. Where groups mean nothing, each entry is a group of its own."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.group or entry.address, []).append(entry)
    return list(found.values())
