"""The address book: what it takes from strangers, what it keeps, and that nobody can fill it."""

import itertools
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from peers_tools import HOUR, SECRET, a_book, a_peer, an_address, colliding, source, tried

from p2pforum.core import limits
from p2pforum.core.address import Address
from p2pforum.network.ranges import Range, range_of
from p2pforum.peers import buckets, tables
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book

DAY = 24


def anybody(_entry: object) -> bool:
    return True


def bare(host: str, kind: str = "ip4", port: int = 4001) -> str:
    return f"/{kind}/{host}/tcp/{port}/p2p/{a_peer(1)}"


# -- which addresses -----------------------------------------------------------------------------------------

PUBLIC = [bare("8.8.4.4"), bare("2606:4700::5", "ip6"), bare("8.8.4.4", port=443)]
PRIVATE = [
    *(
        bare(host)
        for host in ("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1")
    ),
    *(bare(host) for host in ("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1")),
    *(bare(host, "ip6") for host in ("::1", "fe80::1", "fd00::1", "2001:db8::1")),
]
NEVER = [
    *(
        bare(host)
        for host in ("0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1")
    ),
    *(bare(host, "ip6") for host in ("::", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.4.4", "::7f00:1")),
    *(bare(host, "ip6") for host in ("64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:1::1", "3fff::1")),
    *(bare("8.8.4.4", port=port) for port in (0, 22, 25, 53)),
    *(bare("example.org", kind) for kind in ("dns", "dns4", "dns6")),
    "/ip4/8.8.4.4/tcp/4001",
    f"/ip4/8.8.4.4/tcp/4001/p2p/{a_peer(9_999_999)}",  # itself
    "/memory/bob/p2p/bob",
    "x" * 10_000,
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_learnt(address: str) -> None:
    assert a_book().learn(address, source(1), HOUR)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ranges_only_when_configured(address: str) -> None:
    assert not a_book().learn(address, source(1), HOUR)
    assert not a_book().learn(address, source(1), HOUR, local=True)
    assert not a_book(policy=AddressPolicy(lan=True)).learn(address, source(1), HOUR)
    assert not a_book(policy=AddressPolicy(lan=True)).learn(address, "", HOUR), (
        "told by a neighbour, not found there"
    )
    assert a_book(policy=AddressPolicy(lan=True)).learn(address, "", HOUR, local=True)
    assert a_book(policy=AddressPolicy(private=True)).learn(address, source(1), HOUR)


@pytest.mark.parametrize("address", NEVER)
def test_what_is_never_learnt_from_strangers(address: str) -> None:
    for policy in (AddressPolicy(), AddressPolicy(private=True, lan=True, onion=True)):
        assert not a_book(policy=policy).learn(address, source(1), HOUR, local=True)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_every_ip_address_has_a_range_and_loopback_is_never_public(ip: object) -> None:
    kind = "ip6" if ":" in str(ip) else "ip4"
    found = range_of(Address(kind, str(ip), 4001))
    assert found in (Range.PUBLIC, Range.PRIVATE, Range.NOWHERE)
    assert found is not Range.PUBLIC or getattr(ip, "is_global", False)


def test_what_is_no_ip_address_and_no_name_is_an_onion() -> None:
    assert range_of(Address("onion3", "a" * 56, 4001)) is Range.ONION


def test_one_place_has_one_spelling() -> None:
    book = a_book()
    assert book.learn(bare("2606:4700::5", "ip6"), source(1), HOUR)
    assert not book.learn(bare("2606:4700:0:0::0005", "ip6"), source(2), HOUR)
    assert len(list(book)) == 1


# -- what becomes of an address ------------------------------------------------------------------------------


def test_who_answers_is_tried_and_a_stranger_s_word_does_not_change_that() -> None:
    book = a_book()
    book.learn(an_address(1), source(1), HOUR)
    assert book.counts() == (1, 0)
    book.attempted(an_address(1), True, HOUR)
    assert book.counts() == (0, 1)
    book.learn(an_address(1), source(2), HOUR + 100)
    assert book.counts() == (0, 1)


def test_only_a_named_address_enters_by_answering() -> None:
    book = a_book()
    book.attempted(an_address(1), True, HOUR)
    book.attempted("/memory/bob/p2p/bob", True, HOUR, named=True)
    book.attempted(bare("127.0.0.1"), True, HOUR, named=True)
    assert book.counts() == (0, 0)
    book.attempted(an_address(1), True, HOUR, named=True)
    book.attempted(bare("example.org", "dns"), True, HOUR, named=True)
    assert book.counts() == (0, 1), "a name is looked up only as long as the user names it"


def test_a_record_that_is_newer_replaces_the_old_places_and_an_older_one_nothing() -> None:
    book = a_book(number=int)
    peer = a_peer(1)
    old, new = (f"/ip4/{host}/tcp/4001/p2p/{peer}" for host in ("8.8.4.4", "9.9.9.9"))
    assert book.learn(old, source(1), HOUR, b"1")
    assert book.learn(new, source(1), HOUR, b"2")
    assert [entry.address for entry in book.of_peer(peer)] == [new]
    assert not book.learn(old, source(2), HOUR + 9, b"1"), (
        "played again, it does not bring the old place back"
    )
    assert not book.learn(an_address(2), source(1), HOUR, bytes(limits.MAX_BOOK_RECORD + 1))


def test_a_record_that_is_told_again_is_no_news_so_that_dead_peers_are_forgotten() -> None:
    book = a_book(number=int)
    for day in range(40):
        book.learn(an_address(1), source(day), HOUR + day * DAY, b"1")
        book.tidy(HOUR + day * DAY)
        assert (book.get(an_address(1)) is not None) == (day <= limits.BOOK_HORIZON_DAYS or day > 31)


def test_only_where_a_peer_answered_is_told_to_others() -> None:
    """A liar's records, made for nodes that are not there, go no further."""
    book = a_book(number=int)
    for number in range(1, 30):
        book.learn(an_address(number), source(1), HOUR, str(number).encode())
    assert book.records(HOUR) == []
    book.attempted(an_address(7), True, HOUR)
    assert book.records(HOUR) == [b"7"]
    assert book.records(HOUR + limits.BOOK_TOLD_DAYS * DAY) == [b"7"]
    assert book.records(HOUR + (limits.BOOK_TOLD_DAYS + 1) * DAY) == []


def test_a_place_that_a_peer_has_left_is_not_told_though_we_reached_it_there() -> None:
    book = a_book(number=int)
    old, new = (f"/ip4/{host}/tcp/4001/p2p/{a_peer(1)}" for host in ("8.8.4.4", "9.9.9.9"))
    for address, record in ((old, b"1"), (new, b"2")):
        book.learn(address, source(1), HOUR, record)
        book.attempted(address, True, HOUR)
    assert len(book.of_peer(a_peer(1))) == 2
    assert book.records(HOUR) == [b"2"]


def test_addresses_that_never_answer_are_forgotten_but_not_while_nobody_does() -> None:
    book = a_book()
    book.learn(an_address(1), source(1), HOUR)
    for _ in range(100):
        book.attempted(an_address(1), False, HOUR)  # our own line is down, perhaps
    assert book.get(an_address(1))
    for _ in range(limits.BOOK_NEW_FAILURES):
        tried(book, 2)
        book.attempted(an_address(1), False, HOUR)
    assert book.get(an_address(1)) is None


def test_a_good_peer_may_be_away_for_a_week() -> None:
    book = a_book()
    tried(book, 1)
    for hour in range(HOUR, HOUR + 8 * DAY, 4):
        tried(book, 2, hour=hour)
        book.attempted(an_address(1), False, hour)
        assert (book.get(an_address(1)) is not None) == (hour // 24 - HOUR // 24 <= limits.BOOK_FAIL_DAYS)


def test_what_nobody_has_named_for_a_month_is_forgotten() -> None:
    book = a_book()
    book.learn(an_address(1), source(1), HOUR)
    tried(book, 2)
    book.tidy(HOUR + 30 * DAY)
    assert book.counts() == (1, 1)
    book.tidy(HOUR + 31 * DAY)
    assert book.counts() == (0, 1), "where a peer answered it may again"


def test_who_holds_a_place_is_tested_before_it_goes() -> None:
    for holder_answers in (True, False):
        book = a_book()
        first, second = colliding()
        tried(book, first)
        book.learn(an_address(second), source(1), HOUR)
        book.attempted(an_address(second), True, HOUR)
        assert book.to_test(HOUR) is None, "the holder answered today"
        book.attempted(an_address(second), True, HOUR + DAY)
        holder = book.to_test(HOUR + DAY)
        assert holder is not None
        assert holder.address == an_address(first)
        book.attempted(holder.address, holder_answers, HOUR + DAY)
        assert holder.is_tried is holder_answers
        now = book.get(an_address(second))
        assert now is not None
        assert now.is_tried is not holder_answers
        assert book.to_test(HOUR + DAY) is None


def test_one_failure_on_a_day_on_which_it_answered_costs_nobody_its_place() -> None:
    book = a_book()
    first, second = colliding()
    tried(book, first, second)
    book.attempted(an_address(first), False, HOUR)
    holder = book.get(an_address(first))
    assert holder is not None
    assert holder.is_tried


def test_a_place_that_is_taken_is_given_up_only_when_it_is_worth_nothing() -> None:
    book = a_book()
    for number in range(1, 400):
        book.learn(an_address(number, f"8.8.1.{number % 250}", 1024 + number), source(1), HOUR)
    here = {entry.address for entry in book}
    assert len(here) <= limits.BOOK_BUCKET
    for number in range(400, 800):
        book.learn(an_address(number, f"8.8.2.{number % 250}", 1024 + number), source(1), HOUR)
    assert {entry.address for entry in book} >= here
    for number in range(400, 800):
        book.learn(an_address(number, f"8.8.2.{number % 250}", 1024 + number), source(1), HOUR + 40 * DAY)
    assert not {entry.address for entry in book} & here


# -- invariants ----------------------------------------------------------------------------------------------


class Use(RuleBasedStateMachine):
    """Whatever happens: within bounds, every address once, and rows hold all there is."""

    @initialize(seed=st.integers(0, 99))
    def start(self, seed: int) -> None:
        self.hour = HOUR
        self.book = a_book(seed, number=lambda record: -int(record.split()[1]))
        self.rows: dict[str, object] = {}

    @rule(number=st.integers(1, 60), who=st.integers(1, 9), back=st.integers(0, 99), signed=st.booleans())
    def learn(self, number: int, who: int, back: int, signed: bool) -> None:
        record = f"{number} {back}".encode() if signed else None
        host = f"8.8.{number % 7}.{number % 5}"
        self.book.learn(an_address(number, host), source(who), self.hour - back, record)

    @rule(number=st.integers(1, 60), ok=st.booleans(), named=st.booleans())
    def attempt(self, number: int, ok: bool, named: bool) -> None:
        address = an_address(number, f"8.8.{number % 7}.{number % 5}")
        self.book.attempted(address, ok, self.hour, named=named)

    @rule(hours=st.integers(0, 300))
    def wait(self, hours: int) -> None:
        self.hour += hours
        self.book.tidy(self.hour)
        self.book.to_test(self.hour)

    @rule(numbers=st.lists(st.integers(1, 60), max_size=3))
    def anchor(self, numbers: list[int]) -> None:
        self.book.anchors = [an_address(n, f"8.8.{n % 7}.{n % 5}") for n in numbers]

    @rule(fails=st.booleans())
    def save(self, fails: bool) -> None:
        changes = self.book.take_changes()
        if fails:
            self.book.put_back(changes)
            return
        for address in changes.gone:
            self.rows.pop(address, None)
        self.rows |= {row[0]: row for row in changes.rows}
        assert sorted(self.rows) == sorted(entry.address for entry in self.book)

    @invariant()
    def bounded(self) -> None:
        new, tried_ones = self.book.counts()
        assert tried_ones <= limits.BOOK_GROUP_BUCKETS * limits.BOOK_BUCKET, "all are in one /16"
        assert new <= limits.BOOK_NEW_BUCKETS * limits.BOOK_BUCKET

    @rule(seed=st.integers(0, 99))
    def restart(self, seed: int) -> None:
        self.save(False)
        again = a_book(seed)
        again.restore([self.rows[entry.address] for entry in self.book])  # type: ignore[misc] # draws go by order
        assert again.take_changes().rows == []
        self.book._rng = Random(seed)
        for new_only in (False, True, False):
            ours = self.book.choose(anybody, new_only=new_only)
            theirs = again.choose(anybody, new_only=new_only)
            assert (ours and ours.row()) == (theirs and theirs.row())
        assert again.anchors == self.book.anchors
        self.book = again


TestUse = Use.TestCase
TestUse.settings = settings(max_examples=30, stateful_step_count=40)


@pytest.mark.parametrize(
    "row",
    [
        (),
        ("x",),
        (None, 0, 1, 1, 1, 1, 0, None),
        ("nonsense", 0, 1, 1, 1, 1, 0, None),
        (an_address(1), 2, 1, 1, 1, 1, 0, None),
        (an_address(1), 0, 256, 1, 1, 1, 0, None),
        (an_address(1), 0, -1, 1, 1, 1, 0, None),
        (an_address(1), 0, 1, 2**31, 1, 1, 0, None),
        (an_address(1), 0, 1, 1, 1, 1, 0, "text"),
        (an_address(1), 0, 1, 1, 1, 1, 0, bytes(limits.MAX_BOOK_RECORD + 1)),
        (bare("127.0.0.1"), 1, 1, 1, 1, 0, 0, None),
        (bare("example.org", "dns"), 0, 1, 1, 0, 0, 0, None),
    ],
)
def test_damaged_rows_are_passed_over_and_go(row: tuple[object, ...]) -> None:
    good = (an_address(2), 0, 1, HOUR, 0, 0, 0, None)
    book = a_book()
    book.restore([row, good, good])
    assert [entry.address for entry in book] == [an_address(2)]
    wanted = {str(row[0])} if row and isinstance(row[0], str) else set()
    changes = book.take_changes()
    assert wanted <= {*changes.gone}
    book = Book(SECRET, Random(1), AddressPolicy(private=True))
    book.restore([(bare("127.0.0.1"), 1, 1, 1, 1, 0, 0, None)])
    assert book.counts() == (0, 1)


# -- attacks -------------------------------------------------------------------------------------------------


def flooded(book: Book, honest: int = 40, forged: int = 4_000) -> float:
    """One group of tellers names thousands of addresses in as many groups; others name a few.

    The share of choices that fall on the flooder's.
    """
    for number in range(1, honest + 1):
        book.learn(an_address(number), source(number), HOUR)
    for number in range(1_000, 1_000 + forged):
        book.learn(an_address(number), source(2_000), HOUR)
    ours = {an_address(number) for number in range(1, honest + 1)}
    chosen = Counter(entry.address in ours for _ in range(200) if (entry := book.choose(anybody)))
    return chosen[False] / 200


@pytest.mark.slow
def test_one_group_of_tellers_fills_a_sixteenth() -> None:
    book = a_book()
    assert flooded(book) < 0.4
    assert book.counts()[0] <= 40 + limits.BOOK_SOURCE_BUCKETS * limits.BOOK_BUCKET


@pytest.mark.slow
def test_control_without_buckets_by_source_it_fills_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets.Buckets, "new", lambda self, group, source: self._number(group) % 256)
    book = a_book()
    assert flooded(book) > 0.8
    assert book.counts()[0] > 2_000


def in_one_group(book: Book) -> int:
    """Forged peers in one /16 that all answer, told by hundreds of groups: how many come to be tried."""
    for number in range(2_000):
        address = an_address(number, f"66.66.{number // 250}.{number % 250}")
        book.learn(address, source(number), HOUR)
        book.attempted(address, True, HOUR)
    return book.counts()[1]


@pytest.mark.slow
def test_one_group_of_addresses_fills_a_thirty_second_of_the_tried() -> None:
    assert in_one_group(a_book()) <= limits.BOOK_GROUP_BUCKETS * limits.BOOK_BUCKET


def test_control_without_buckets_by_group_it_fills_the_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets.Buckets, "tried", lambda self, group, address: self._number(address) % 64)
    assert in_one_group(a_book()) > 500


def aimed(book: Book, guess: Book, victim: str) -> bool:
    """Who works out places with `guess` names twenty addresses that would lie where the victim's does, once
    that is old. Whether it is gone then.
    """
    book.learn(victim, source(1), HOUR)
    guess.learn(victim, source(1), HOUR)
    ((spot, _),) = guess._tables._spots.items()
    later, named = HOUR + 40 * DAY, 0
    for number in itertools.count(1_000):
        address = guess._admit(an_address(number))
        assert address
        if guess._tables._spot(guess._entry(address, source(1), later), False) == spot:
            book.learn(str(address), source(1), later)
            named += 1
        if named == 20 or book.get(victim) is None:
            return book.get(victim) is None
    raise AssertionError


@pytest.mark.slow
def test_nobody_can_aim_at_a_place_without_the_secret() -> None:
    victim = an_address(1)
    assert not aimed(a_book(), a_book(secret=bytes(32)), victim)


def test_control_with_the_secret_one_can() -> None:
    victim = an_address(1)
    assert aimed(a_book(), a_book(), victim)


def test_control_drawn_evenly_from_all_the_same_flood_wins(monkeypatch: pytest.MonkeyPatch) -> None:

    def evenly(self: tables.Tables, rng: Random, is_tried: bool, fits: object) -> object:
        found = [entry for entry in self if entry.is_tried == is_tried]
        return rng.choice(found) if found else None

    monkeypatch.setattr(tables.Tables, "draw", evenly)
    assert flooded(a_book()) > 0.8
