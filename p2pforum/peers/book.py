"""The address book: where peers are said to be (new), and where they answered (tried).

After Bitcoin's address manager. What strangers say fills only the new table, each group of tellers a
sixteenth of it at most; only a peer that answered us gets into the other, and pushes nobody out who still
does. A book is bounded by its places. Time (hours since 1970) and Random are arguments.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from p2pforum.core import limits
from p2pforum.core.address import Address, parse_address
from p2pforum.core.errors import NetworkError
from p2pforum.network.ranges import Range, book_group, is_polite_port, range_of
from p2pforum.peers.buckets import Buckets
from p2pforum.peers.entry import Entry, read_row
from p2pforum.peers.tables import Changes, Tables


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses are kept and dialled besides public ones."""

    private: bool = False  #: of this machine and of private networks, whoever tells them
    lan: bool = False  #: such ones that were found in the local network itself
    onion: bool = False  #: a way to dial onions is there


class Book:
    """`mine` is the own peer ID, which is never kept. The same rows and the same `rng` choose the same."""

    def __init__(
        self,
        secret: bytes,
        rng: Random,
        reach: Reach | None = None,
        *,
        mine: str = "",
        number: Callable[[bytes], int] = lambda _record: 0,
    ) -> None:
        """`number` of a record in the book: of two of one peer, the higher is the newer."""
        self._rng = rng
        self._number = number
        self._reach = reach or Reach()
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
        entry = self._entry(parsed, source, hour, record)
        known = self._tables.get(entry.address)
        if not (self._add(entry, hour) if known is None else self._renew(known, entry)):
            return False
        if record is not None:
            self._drop_older(entry)
        return True

    def _entry(self, address: Address, source: str, hour: int, record: bytes | None = None) -> Entry:
        group = book_group(address)
        bucket = self._buckets.new(group, source)
        return Entry(str(address), str(address.peer), group, bucket, hour // 24 * 24, record=record)

    def _add(self, entry: Entry, hour: int) -> bool:
        """Its place may be taken by one that is as good."""
        holder = self._tables.holder(entry, is_tried=False)
        if holder is not None and not holder.is_terrible(hour):
            return False
        self._tables.add(entry)
        return True

    def _renew(self, known: Entry, news: Entry) -> bool:
        if news.record is None and news.heard <= known.heard:
            return False
        if news.record is not None and not self._is_newer(news.record, known.record):
            return False
        known.heard = max(known.heard, news.heard)
        known.record = news.record or known.record
        self._tables.mark(known.address)
        return True

    def _is_newer(self, record: bytes, than: bytes | None) -> bool:
        return than is None or self._number(record) > self._number(than)

    def _recorded(self, peer: str) -> int:
        """The number of the newest record that we have of this peer."""
        return max((self._number(e.record) for e in self.of_peer(peer) if e.record is not None), default=0)

    def _drop_older(self, news: Entry) -> None:
        """Where its peer said it was before. One that we reached stays until it fails, and is not told."""
        assert news.record is not None
        for other in self.of_peer(news.peer):
            if other.record is None or not self._is_newer(news.record, other.record):
                continue
            if other.is_tried:
                other.record = None
                self._tables.mark(other.address)
            else:
                self._tables.remove(other)

    def _admit(self, text: str, *, is_local: bool = False, is_named: bool = False) -> Address | None:
        if len(text) > limits.MAX_BOOK_ADDRESS:
            return None
        try:
            address = parse_address(text)
        except NetworkError:
            return None
        allowed = {
            Range.PUBLIC: is_named or is_polite_port(address.port),
            Range.PRIVATE: self._reach.private or (is_local and self._reach.lan),
            Range.NAME: False,  # looked up only as long as the user names it
            Range.ONION: self._reach.onion,
            Range.NOWHERE: False,
        }[range_of(address)]
        return address if allowed and address.peer not in (None, self._mine) else None

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
        """Tried or new by the toss of a coin, or what there is."""
        for is_tried in [False] if new_only else self._rng.sample([False, True], 2):
            if (entry := self._tables.draw(self._rng, is_tried, fits)) is not None:
                return entry
        return None

    def is_local(self, entry: Entry) -> bool:
        """In a private network, where groups say nothing, and not because the user configured all such."""
        return not entry.group and not self._reach.private

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
        entry.peer, entry.group = str(address.peer), book_group(address)
        return entry

    def take_changes(self) -> Changes:
        """To be written; if that fails, hand them to `put_back`."""
        return self._tables.take_changes()

    def put_back(self, changes: Changes) -> None:
        for address in [*(row[0] for row in changes.rows), *changes.gone]:
            self._tables.mark(address)
