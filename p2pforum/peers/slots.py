"""Which address of the book to dial next. Pure: time (seconds on a steady clock) is an argument.

Peers that the user named are not chosen here: the node always dials them. Some of them count as outbound, and
their network groups exclude no others. Guards are not chosen here either (guard_keeper.py). While there is
room, this file chooses at most one peer to a network group and few of the local network: first the anchors of
the last run, then addresses drawn from the book.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from p2pforum.core import limits
from p2pforum.network.groups import network_group
from p2pforum.peers.backoff import delay
from p2pforum.peers.book import Book
from p2pforum.peers.entry import Entry

_STEPS = 5  # steps of the backoff that are skipped: the node waits at least 16 s to try an address again


@dataclass(frozen=True, slots=True)
class CurrentPeers:
    """The connections and peers of this moment."""

    connected: frozenset[str] = frozenset()  #: peers, whichever side dialled
    outbound: Mapping[str, str] = field(default_factory=dict)  #: peers that this node dialled -> address
    named: frozenset[str] = frozenset()  #: peers that the user named, connected or not
    coming: frozenset[str] = frozenset()  #: named peers that are being dialled
    guards: frozenset[str] = frozenset()  #: peers connected only as guards: not among the eight
    bans: Container[str] = frozenset()  #: peers that the node does not dial for a while


@dataclass(slots=True)
class OutboundSlot:
    """A peer chosen here. `since`: when it connected, in seconds; None: it is being dialled."""

    entry: Entry
    since: float | None = None


class Slots:
    """Make it when the book has been restored: the anchors in it are those of the last run."""

    def __init__(self, book: Book, rng: Random) -> None:
        self._book = book
        self._rng = rng
        self._anchors = book.anchors
        self._waits: dict[str, tuple[int, float]] = {}  # address -> failures, and when it may be tried again
        self.held: dict[str, OutboundSlot] = {}
        self.feeling: str | None = None  #: the peer that a feeler dials

    # -- choosing ----------------------------------------------------------------------------------------

    def next(self, now: float, current: CurrentPeers) -> Entry | None:
        """The entry to hold a connection to, or None. The caller calls `begin`, then reports what
        happened."""
        if self.used(current) >= limits.OUTBOUND_WANTED:
            return None
        groups = self._groups(current)

        def fits(entry: Entry) -> bool:
            return self._is_free(entry, now, current) and self._is_apart(entry, groups)

        while self._anchors:
            anchor = self._book.get(self._anchors.pop(0))
            if anchor is not None and fits(anchor):
                return anchor
        return self._book.choose(fits)

    def feeler(self, now: float, hour: int, current: CurrentPeers) -> Entry | None:
        """An entry to dial only to see whether it answers: one whose place another waits for, or one never
        tried."""
        holder = self._book.to_test(hour)
        if holder is not None and self._is_free(holder, now, current):
            return holder
        return self._book.choose(lambda entry: self._is_free(entry, now, current), new_only=True)

    def applicant(self, now: float, current: CurrentPeers, peers: set[str], groups: set[str]) -> Entry | None:
        """An entry to try as a guard, drawn as for a new connection; not of `peers` or `groups`. It may be
        connected."""

        def fits(entry: Entry) -> bool:
            is_near = entry.peer in current.outbound or self._is_free(entry, now, current)
            is_apart = entry.peer not in peers and entry.group not in groups
            return is_near and is_apart and not self._book.is_local(entry)

        return self._book.choose(fits)

    def has_room(self, entry: Entry, current: CurrentPeers) -> bool:
        """Whether a peer that a feeler found may stay connected."""
        others = {peer: address for peer, address in current.outbound.items() if peer != entry.peer}
        without = replace(current, outbound=others)
        return self.used(without) < limits.OUTBOUND_WANTED and self._is_apart(entry, self._groups(without))

    def used(self, current: CurrentPeers) -> int:
        """How many outbound slots are taken: connected peers and those being dialled.

        Of named ones at most `limits.NAMED_COUNTED` count, so that slots are left for others.
        """
        peers = (self.held.keys() | current.outbound.keys() | current.coming) - current.guards
        return len(peers - current.named) + min(len(peers & current.named), limits.NAMED_COUNTED)

    def _is_free(self, entry: Entry, now: float, current: CurrentPeers) -> bool:
        if entry.peer in current.connected or entry.peer in current.named or entry.peer in self.held:
            return False
        is_left = entry.peer == self.feeling or entry.peer in current.guards or entry.peer in current.bans
        return not is_left and not self.rests(entry.address, now)

    def rests(self, address: str, now: float) -> bool:
        """Whether this address failed a short while ago, so that the node waits before it tries again."""
        return self._waits.get(address, (0, 0.0))[1] > now

    def _is_apart(self, entry: Entry, groups: set[str]) -> bool:
        """Whether it shares its network with no chosen peer, or, in the local network, with few."""
        if not self._book.is_local(entry):
            return entry.group not in groups
        return sum(self._book.is_local(held.entry) for held in self.held.values()) < limits.LOCAL_MOST

    def _groups(self, current: CurrentPeers) -> set[str]:
        """Network groups that are taken."""
        chosen = {held.entry.group for held in self.held.values()}
        others = current.named | current.guards
        unnamed = {network_group(a) for peer, a in current.outbound.items() if peer not in others}
        return (unnamed | chosen) - {""}

    # -- what came of it ---------------------------------------------------------------------------------

    def begin(self, entry: Entry) -> None:
        self.held[entry.peer] = OutboundSlot(entry)

    def connected(self, peer: str, now: float) -> None:
        self.held[peer].since = now

    def ended(self, peer: str, now: float) -> None:
        """The peer did not answer, or is gone. A connection that ended soon counts as a failure: the peer is
        full, or does not want this node."""
        held = self.held.pop(peer)
        if held.since is not None and now - held.since >= limits.LASTING_SECONDS:
            self._waits.pop(held.entry.address, None)
        self.put_off(held.entry.address, now)

    def put_off(self, address: str, now: float) -> None:
        failures = self._waits.get(address, (0, 0.0))[0] + 1
        self._waits[address] = failures, now + delay(failures + _STEPS, self._rng)
        if len(self._waits) > limits.MAX_WAITS:
            self._waits = {a: wait for a, wait in self._waits.items() if wait[1] > now}


def set_anchors(book: Book, lasting: Iterable[str]) -> None:
    """Store the anchors. `lasting`: outbound addresses, the best first. If they are too few, old anchors
    stay."""
    found = [entry.address for address in lasting if (entry := book.get(address)) is not None]
    if found:
        book.anchors = list(dict.fromkeys([*found, *book.anchors]))[: limits.ANCHORS]
