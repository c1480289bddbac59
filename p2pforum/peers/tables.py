"""The two tables of the book: which address lies at which place, and what of it is not on the disk yet."""

from collections.abc import Callable, Iterable, Iterator
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
        self._hosts: dict[str, dict[str, Entry]] = {}
        self._dirty: set[str] = set()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def get(self, address: str) -> Entry | None:
        return self._entries.get(address)

    def of_peer(self, peer: str) -> list[Entry]:
        """Its addresses, those where it answered first."""
        found = self._peers.get(peer, {}).values()
        return sorted(found, key=lambda entry: (not entry.is_tried, entry.address))

    def of_host(self, entry: Entry) -> list[Entry]:
        """What else is here of its host."""
        found = self._hosts.get(entry.host, {}).values() if entry.host else ()
        return [other for other in found if other is not entry]

    def holder(self, entry: Entry, *, is_tried: bool) -> Entry | None:
        """Who lies where this entry would."""
        return self._spots.get(self._spot(entry, is_tried))

    def add(self, entry: Entry) -> None:
        """Whoever lies there goes."""
        if (holder := self.holder(entry, is_tried=entry.is_tried)) is not None:
            self.remove(holder)
        self._spots[self._spot(entry, entry.is_tried)] = entry
        self._entries[entry.address] = entry
        for index, name in self._indexed(entry):
            index.setdefault(name, {})[entry.address] = entry
        self._dirty.add(entry.address)

    def remove(self, entry: Entry) -> None:
        del self._spots[self._spot(entry, entry.is_tried)]
        del self._entries[entry.address]
        for index, name in self._indexed(entry):
            del index[name][entry.address]
            if not index[name]:
                del index[name]
        self._dirty.add(entry.address)

    def move(self, entry: Entry, *, is_tried: bool) -> None:
        """Into the other table."""
        self.remove(entry)
        entry.is_tried = is_tried
        self.add(entry)

    def _indexed(self, entry: Entry) -> list[tuple[dict[str, dict[str, Entry]], str]]:
        return [(self._peers, entry.peer), (self._hosts, entry.host)]

    def draw(self, rng: Random, is_tried: bool, fits: Callable[[Entry], bool]) -> Entry | None:
        """A lot of the table by lot, a group in it, then one of the group."""
        lots = self._groups() if is_tried else self._buckets_of_new()
        patience, last = 1.0, None
        for lot in rng.sample(lots, len(lots)):
            if groups := _by_group(entry for entry in lot if fits(entry)):
                last = rng.choice(rng.choice(groups))
                if rng.random() < last.chance * patience:
                    return last
                patience *= 1.2  # else many that failed would never be drawn
        return last

    @property
    def met(self) -> set[str]:
        """Groups with a peer among the tried that answered when it was last dialled."""
        return {entry.group for entry in self._entries.values() if entry.is_tried and entry.answers} - {""}

    def _groups(self) -> list[list[Entry]]:
        """Of the tried. Each counts once: many hosts of one network answer as easily as one."""
        return _by_group(entry for entry in self._entries.values() if entry.is_tried)

    def _buckets_of_new(self) -> list[list[Entry]]:
        """Who fills few buckets is drawn seldom, however full they are."""
        found: list[list[Entry]] = [[] for _ in range(limits.BOOK_NEW_BUCKETS)]
        for entry in self._entries.values():
            if not entry.is_tried:
                found[entry.bucket].append(entry)
        return [bucket for bucket in found if bucket]

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


def _by_group(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Where groups say nothing each is its own."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.group or entry.address, []).append(entry)
    return list(found.values())
