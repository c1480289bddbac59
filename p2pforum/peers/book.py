"""The address book: where peers are said to be (new), and where they answered (tried).

After Bitcoin's address manager. Strangers' records fill only the new table, and each group of tellers at most
a sixteenth of it. Only a peer that answered this node enters the tried table, and it never displaces one that
still answers. The number of places bounds the book. Time (hours since 1970) and Random are arguments.
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
    """`mine` is the own peer ID, which the book never keeps. The same rows and the same `rng` give the same
    choices."""

    def __init__(
        self,
        secret: bytes,
        rng: Random,
        policy: AddressPolicy | None = None,
        *,
        mine: str = "",
        number: Callable[[bytes], int] = lambda _record: 0,
    ) -> None:
        """`number` of a record in the book: of two of one peer, the one with the higher number is newer."""
        self._rng = rng
        self._number = number
        self._policy = policy or AddressPolicy()
        self._mine = mine
        self._buckets = Buckets(secret)
        self._tables = Tables(self._buckets)
        self._tests: dict[str, None] = {}  # addresses that answered, and wait for a place among the tried
        self._successes = 0

    # -- news --------------------------------------------------------------------------------------------

    def learn(
        self, address: str, source: str, hour: int, record: bytes | None = None, *, local: bool = False
    ) -> bool:
        """Note an address that a stranger told at `hour` (since 1970); True if it is new or newer to the
        book. `source` is the network_group of the teller. `record` is the signed record (checked by the
        caller) that says this address: a newer record of a peer replaces what older ones said, and an older
        one is ignored. The same record again is no news; otherwise attackers could keep records of dead peers
        young for ever. `local`: found in the local network itself, not told by a peer."""
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
        """False if its place is taken by an entry that is as good."""
        holder = self._tables.holder(entry, is_tried=False)
        if holder is not None and not holder.is_terrible(hour):
            return False
        if not self._has_host(entry):
            return False
        self._tables.add(entry)
        return True

    def _has_host(self, entry: Entry) -> bool:
        """Whether this entry gets the one place of its host. An address that answers keeps it. Between two
        that the book only heard of, a coin decides; otherwise an attacker who first tells a wrong port of a
        host would keep its real node out."""
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
        """The number of the newest record of this peer that the book has; 0 if none."""
        return max((self._number(e.record) for e in self.of_peer(peer) if e.record is not None), default=0)

    def _drop_older(self, peer: str, news: bytes) -> None:
        """Drop addresses that only older records said. One that this node reached stays, without its record,
        until it fails."""
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
        """Note whether a dial at `hour` reached the peer (`ok`). `named` by the user: the book adds the
        address then."""
        parsed = self._admit(address, is_local=True, is_named=True)
        entry = self.get(address)
        if parsed is not None and entry is None and ok and named:
            entry = self._entry(parsed, "", hour)
            self._tables.add(entry)  # an address from the user displaces one from a stranger
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
        """Counts only if another peer has answered since the last counted failure: this node may be
        offline."""
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
        """The holder failed the test: an entry that waits for its place gets it, and the holder becomes
        new."""
        for candidate in self._waiting():
            if self._tables.holder(candidate, is_tried=True) is holder:
                self._tables.move(holder, is_tried=False)
                # The holder's move may have displaced the candidate.
                if self._tables.get(candidate.address) is candidate:
                    self._promote(candidate)
                return

    def _promote(self, entry: Entry) -> None:
        self._tests.pop(entry.address, None)
        self._tables.move(entry, is_tried=True)
        for other in self._tables.of_host(entry):
            if not other.answers:
                self._tables.remove(other)

    def _waiting(self) -> list[Entry]:
        """Entries that wait for a taken place among the tried."""
        found = {address: self._tables.get(address) for address in self._tests}
        waiting = [entry for entry in found.values() if entry is not None and not entry.is_tried]
        self._tests = {entry.address: None for entry in waiting}
        return waiting

    def to_test(self, hour: int) -> Entry | None:
        """An entry whose place another waits for. The caller dials it and reports with `attempted`."""
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
        """An entry that fits, tried or new by the toss of a coin; from the other table if the first has none.
        New ones of a group in which a tried peer answers come last. Otherwise a group without room left among
        the tried would count again by its new addresses."""
        met = self._tables.met

        def is_unmet(entry: Entry) -> bool:
            return entry.group not in met and fits(entry)

        for is_tried in [] if new_only else self._rng.sample([False, True], 2):
            if (entry := self._tables.draw(self._rng, is_tried, fits if is_tried else is_unmet)) is not None:
                return entry
        return self._tables.draw(self._rng, False, fits)

    def is_local(self, entry: Entry) -> bool:
        """Whether it is in a private network, where groups mean nothing. False if the user allowed all
        such."""
        return not entry.group and not self._policy.private

    # -- what is here --------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._tables)

    def get(self, address: str) -> Entry | None:
        """The entry of an address in any spelling."""
        parsed = self._admit(address, is_local=True, is_named=True)
        return None if parsed is None else self._tables.get(str(parsed))

    def of_peer(self, peer: str) -> list[Entry]:
        """A peer's entries, those where it answered first."""
        return self._tables.of_peer(peer)

    def counts(self) -> tuple[int, int]:
        """How many entries are new, and how many tried."""
        tried = sum(entry.is_tried for entry in self)
        return len(list(self)) - tried, tried

    def records(self, hour: int) -> list[bytes]:
        """Signed records of addresses where their peer answered this node in the last `BOOK_TOLD_DAYS` days.
        So this node never shares an address that it could not reach, however many records an attacker signs.
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
        """Drop entries that are too old. Call it now and then."""
        for entry in self:
            if entry.is_terrible(hour):
                self._tables.remove(entry)

    def restore(self, rows: Iterable[Sequence[object]]) -> None:
        """Load rows into an empty book. A row that is damaged, or may not be here now, is skipped and
        deleted."""
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
        """Changes to write; if writing fails, pass them to `put_back`."""
        return self._tables.take_changes()

    def put_back(self, changes: Changes) -> None:
        for address in [*(row[0] for row in changes.rows), *changes.gone]:
            self._tables.mark(address)
