"""The address book: where peers are said to be (new), and where they answered (tried).

After Bitcoin's address manager. What strangers say fills only the new table, each group of tellers a
sixteenth of it at most; only a peer that answered us gets into the other, and pushes nobody out who still
does. A book is bounded by its places. Time (hours since 1970) and Random are arguments.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random

from p2pforum.core import limits
from p2pforum.core.address import Address
from p2pforum.network.ranges import book_group, book_host
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.buckets import Buckets
from p2pforum.peers.entry import Entry, read_row
from p2pforum.peers.tables import Changes, Tables


class Book:
    """`mine` is the own peer ID, which is never kept. The same rows and the same `rng` choose the same."""

    def __init__(
        self,
        secret: bytes,
        rng: Random,
        policy: AddressPolicy | None = None,
        *,
        mine: str = "",
        number: Callable[[bytes], int] = lambda _record: 0,
    ) -> None:
        """`number` of a record in the book: of two of one peer, the higher is the newer."""
        self._rng = rng
        self._number = number
        self._policy = policy or AddressPolicy()
        self._mine = mine
        self._buckets = Buckets(secret)
        self._tables = Tables(self._buckets)
        self._tests: dict[str, None] = {}  # addresses that answered, whose place among the tried is taken
        self._successes = 0

    # -- news --------------------------------------------------------------------------------------------

    def learn(
        self, address: str, source: str, hour: int, record: bytes | None = None, *, local: bool = False
    ) -> bool:
        """What a stranger says; True if the book took it, as new or as newer.

        `source` is the network_group of who told it. `record` is the signed one (checked by the caller) that
        says this address: a newer record of a peer replaces what older ones said, an older one says nothing,
        and the same again is no news, or those of dead peers would be young for ever. `local`: found in the
        local network itself, not told by a peer.
        """
        parsed = self._admit(address, is_local=local)
        if parsed is None or (record is not None and len(record) > limits.MAX_BOOK_RECORD):
            return False
        if record is not None and self._number(record) < self._recorded(str(parsed.peer)):
            return False
        entry = self._tables.get(str(parsed))
        if entry is not None:
            took = self._renew(entry, hour // 24 * 24, record)
        else:
            entry = self._entry(parsed, source, hour, record)
            took = self._add(entry, hour)
        if took and record is not None:
            self._drop_older(entry.peer, record)
        return took

    def _entry(self, address: Address, source: str, hour: int, record: bytes | None = None) -> Entry:
        group = book_group(address)
        bucket = self._buckets.new(group, source)
        host, heard = book_host(address), hour // 24 * 24
        return Entry(str(address), str(address.peer), group, host, bucket, heard, record=record)

    def _add(self, entry: Entry, hour: int) -> bool:
        """Its place may be taken by one that is as good."""
        holder = self._tables.holder(entry, is_tried=False)
        if holder is not None and not holder.is_terrible(hour):
            return False
        if not self._has_host(entry):
            return False
        self._tables.add(entry)
        return True

    def _has_host(self, entry: Entry) -> bool:
        """A host has one place, that of who answers there. Of two that were only heard of a coin decides: or
        whoever is the first to tell a wrong port of a host would keep its node out.
        """
        others = self._tables.of_host(entry)
        heard = [other for other in others if not other.is_tried]
        if any(other.answers for other in others) or (heard and self._rng.random() < 0.5):
            return False
        for other in heard:
            self._tables.remove(other)
        return True

    def _renew(self, known: Entry, heard: int, record: bytes | None) -> bool:
        if record is None and heard <= known.heard:
            return False
        if record is not None and not self._is_newer(record, known.record):
            return False
        known.heard = max(known.heard, heard)
        known.record = record or known.record
        self._tables.mark(known.address)
        return True

    def _is_newer(self, record: bytes, than: bytes | None) -> bool:
        return than is None or self._number(record) > self._number(than)

    def _recorded(self, peer: str) -> int:
        """The number of the newest record that we have of this peer."""
        return max((self._number(e.record) for e in self.of_peer(peer) if e.record is not None), default=0)

    def _drop_older(self, peer: str, news: bytes) -> None:
        """Where it said it was before. One that we reached stays until it fails, and is not told."""
        for other in self.of_peer(peer):
            if other.record is None or not self._is_newer(news, other.record):
                continue
            if other.is_tried:
                other.record = None
                self._tables.mark(other.address)
            else:
                self._tables.remove(other)

    def _admit(self, text: str, *, is_local: bool = False, is_named: bool = False) -> Address | None:
        address = self._policy.admit(text, is_local=is_local, is_named=is_named)
        return address if address is not None and address.peer != self._mine else None

    # -- what became of dialling ---------------------------------------------------------------------------

    def attempted(self, address: str, ok: bool, hour: int, *, named: bool = False) -> None:
        """The peer answered there, or nobody did. `named` by the user: then it need not have been here."""
        parsed = self._admit(address, is_local=True, is_named=True)
        entry = self.get(address)
        if parsed is not None and entry is None and ok and named:
            entry = self._entry(parsed, "", hour)
            self._tables.add(entry)  # the user's word takes the place of a stranger's
        if entry is not None and ok:
            self._succeeded(entry, hour)
        elif entry is not None:
            self._failed(entry, hour)

    def _succeeded(self, entry: Entry, hour: int) -> None:
        self._successes += 1
        today = hour // 24
        if (entry.failures, entry.day) != (0, today):
            entry.failures, entry.day = 0, today
            self._tables.mark(entry.address)
        if entry.is_tried:
            return
        holder = self._tables.holder(entry, is_tried=True)
        if holder is None:
            self._promote(entry)
        elif holder.day < today and len(self._tests) < limits.BOOK_TESTS:
            self._tests[entry.address] = None

    def _failed(self, entry: Entry, hour: int) -> None:
        """Counts only if somebody answered since it last did: else it may be our own line."""
        if entry.counted >= self._successes:
            return
        entry.counted = self._successes
        entry.failures += 1
        self._tables.mark(entry.address)
        if entry.is_tried:
            self._give_place(entry)
        if entry.is_terrible(hour):
            self._tables.remove(entry)

    def _give_place(self, holder: Entry) -> None:
        """It failed the test: who waits for its place gets it, and it goes back among the new."""
        for candidate in self._waiting():
            if self._tables.holder(candidate, is_tried=True) is holder:
                self._tables.move(holder, is_tried=False)
                if (
                    self._tables.get(candidate.address) is candidate
                ):  # it did not lie where the holder now does
                    self._promote(candidate)
                return

    def _promote(self, entry: Entry) -> None:
        self._tests.pop(entry.address, None)
        self._tables.move(entry, is_tried=True)
        for other in self._tables.of_host(entry):
            if not other.answers:
                self._tables.remove(other)

    def _waiting(self) -> list[Entry]:
        """For the place of one among the tried."""
        found = {address: self._tables.get(address) for address in self._tests}
        waiting = [entry for entry in found.values() if entry is not None and not entry.is_tried]
        self._tests = {entry.address: None for entry in waiting}
        return waiting

    def to_test(self, hour: int) -> Entry | None:
        """One that holds a place which another waits for: dial it, and say what became of it."""
        for candidate in self._waiting():
            holder = self._tables.holder(candidate, is_tried=True)
            if holder is not None and holder.day < hour // 24:
                return holder
            del self._tests[candidate.address]
            if holder is None:
                self._promote(candidate)
        return None

    # -- choosing ------------------------------------------------------------------------------------------

    def choose(self, fits: Callable[[Entry], bool], *, new_only: bool = False) -> Entry | None:
        """Tried or new by the toss of a coin, or what there is. Of a group of which a tried peer answers no
        new ones, while there are others: what finds no place among the tried must not count beside it."""
        met = self._tables.met

        def is_unmet(entry: Entry) -> bool:
            return entry.group not in met and fits(entry)

        for is_tried in [] if new_only else self._rng.sample([False, True], 2):
            if (entry := self._tables.draw(self._rng, is_tried, fits if is_tried else is_unmet)) is not None:
                return entry
        return self._tables.draw(self._rng, False, fits)

    def is_local(self, entry: Entry) -> bool:
        """In a private network, where groups say nothing, and not because the user configured all such."""
        return not entry.group and not self._policy.private

    # -- what is here --------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._tables)

    def get(self, address: str) -> Entry | None:
        """However it is spelt."""
        parsed = self._admit(address, is_local=True, is_named=True)
        return None if parsed is None else self._tables.get(str(parsed))

    def of_peer(self, peer: str) -> list[Entry]:
        """Its addresses, those where it answered first."""
        return self._tables.of_peer(peer)

    def counts(self) -> tuple[int, int]:
        """New and tried ones."""
        tried = sum(entry.is_tried for entry in self)
        return len(list(self)) - tried, tried

    def records(self, hour: int) -> list[bytes]:
        """Signed by peers that chose to be told about, of addresses where they answered us not long ago.

        So what nobody can reach is told by nobody, however many records a liar makes.
        """
        since = hour // 24 - limits.BOOK_TOLD_DAYS
        fit = sorted((e for e in self if e.day and e.day >= since), key=lambda e: e.address)
        return list(dict.fromkeys(entry.record for entry in fit if entry.record is not None))

    @property
    def anchors(self) -> list[str]:
        return sorted(entry.address for entry in self if entry.is_anchor)

    @anchors.setter
    def anchors(self, addresses: Sequence[str]) -> None:
        for entry in self:
            if entry.is_anchor != (entry.address in addresses):
                entry.is_anchor = not entry.is_anchor
                self._tables.mark(entry.address)

    # -- over restarts -------------------------------------------------------------------------------------

    def tidy(self, hour: int) -> None:
        """Forget what is old. Now and then."""
        for entry in self:
            if entry.is_terrible(hour):
                self._tables.remove(entry)

    def restore(self, rows: Iterable[Sequence[object]]) -> None:
        """Into an empty book. What is damaged, or may not be here now, is passed over, and its row goes."""
        for row in rows:
            entry = self._read(row)
            if (entry is None or not self._tables.restore(entry)) and row and isinstance(row[0], str):
                self._tables.mark(row[0])

    def _read(self, row: Sequence[object]) -> Entry | None:
        entry = read_row(row)
        if entry is None:
            return None
        address = self._admit(entry.address, is_local=True, is_named=entry.day > 0)
        if address is None or str(address) != entry.address:
            return None
        entry.peer, entry.group, entry.host = str(address.peer), book_group(address), book_host(address)
        return entry

    def take_changes(self) -> Changes:
        """To be written; if that fails, hand them to `put_back`."""
        return self._tables.take_changes()

    def put_back(self, changes: Changes) -> None:
        for address in [*(row[0] for row in changes.rows), *changes.gone]:
            self._tables.mark(address)
