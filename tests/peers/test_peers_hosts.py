"""What counts in the book is hosts and their networks: not ports, not peer IDs, which cost nothing."""

import statistics
from collections import Counter
from random import Random

import pytest
from peers_tools import HOUR, a_book, a_peer, source

from p2pforum.core.address import Address, parse_address
from p2pforum.network.ranges import book_host
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book
from simulation.address_book import ByRecord

DAY = 24


def at(host: str, peer: int, port: int = 4001) -> str:
    kind = "ip6" if ":" in host else "ip4"
    return f"/{kind}/{host}/tcp/{port}/p2p/{a_peer(peer)}"


def anybody(_entry: object) -> bool:
    return True


# -- one place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        (at("8.8.4.4", 1), at("8.8.4.4", 2, 5_000), True),
        (at("8.8.4.4", 1), at("8.8.4.5", 1), False),
        (at("2a00:1:2::1", 1), at("2a00:1:2:ffff::9", 2), True),
        (at("2a00:1:2::1", 1), at("2a00:1:3::1", 1), False),
    ],
)
def test_a_host_is_an_address_of_ipv4_and_a_48_of_ipv6(one: str, another: str, same: bool) -> None:
    assert (book_host(parse_address(one)) == book_host(parse_address(another))) is same


def test_where_hosts_cost_nothing_they_are_not_counted() -> None:
    assert book_host(parse_address(at("192.168.1.1", 1))) == ""
    book = a_book(policy=AddressPolicy(private=True))
    for peer in range(1, 20):
        book.learn(at("127.0.0.1", peer, 4000 + peer), source(peer), HOUR)
    assert len(list(book)) > 15


def test_onion_services_are_hosts_of_their_own() -> None:
    hosts = {book_host(Address("onion3", letter * 56, 4001)) for letter in "abc"}
    assert len(hosts) == 3


def told_often(book: Book) -> int:
    """Of one host 160 records, told by as many groups, all of which answer: how many entries there are."""
    for number in range(1, 161):
        book.learn(at("8.8.4.4", number, 4000 + number % 8), source(number), HOUR)
    for number in range(1, 161):
        book.attempted(at("8.8.4.4", number, 4000 + number % 8), True, HOUR)
        book.learn(at("8.8.4.4", number + 1, 4000 + (number + 1) % 8), source(number), HOUR)
    return len(list(book))


def test_a_host_has_one_place_however_many_ports_and_peer_ids_it_has() -> None:
    assert told_often(a_book()) == 1


def test_control_where_records_count_it_has_many() -> None:
    assert told_often(ByRecord(bytes(32), Random(1), AddressPolicy())) > 60


# -- nobody is kept out --------------------------------------------------------------------------------------


def test_a_wrong_port_that_was_told_first_does_not_keep_a_node_out() -> None:
    """A coin for each telling. The control: the first word counts."""
    book = a_book()
    book.learn(at("8.8.4.4", 1, 9_999), source(1), HOUR)
    heard = [book.learn(at("8.8.4.4", 2), source(2), HOUR) or book.get(at("8.8.4.4", 2)) for _ in range(12)]
    assert heard[-1]
    assert book.get(at("8.8.4.4", 1, 9_999)) is None
    assert book.counts() == (1, 0)


def test_who_answers_is_pushed_out_by_no_word_of_strangers() -> None:
    book = a_book()
    book.learn(at("8.8.4.4", 1), source(1), HOUR)
    book.attempted(at("8.8.4.4", 1), True, HOUR)
    for number in range(2, 100):
        assert not book.learn(at("8.8.4.4", number, 4000 + number), source(number), HOUR + 90 * DAY)
    assert [entry.address for entry in book] == [at("8.8.4.4", 1)]


def test_a_host_with_a_new_peer_is_found_when_the_old_one_no_longer_answers() -> None:
    book = a_book()
    book.learn(at("8.8.4.4", 1), source(1), HOUR)
    book.attempted(at("8.8.4.4", 1), True, HOUR)
    book.attempted(at("9.9.9.9", 7), True, HOUR, named=True)  # our own line is not down
    book.attempted(at("8.8.4.4", 1), False, HOUR)
    assert book.learn(at("8.8.4.4", 2), source(2), HOUR), "beside it"
    assert book.get(at("8.8.4.4", 1)) is not None
    book.attempted(at("8.8.4.4", 2), True, HOUR)
    assert book.get(at("8.8.4.4", 1)) is None
    assert book.counts() == (0, 2)


def test_two_nodes_of_one_house_that_the_user_named_are_both_kept() -> None:
    book = a_book()
    for number in (1, 2):
        book.attempted(at("8.8.4.4", number, 4000 + number), True, HOUR, named=True)
    assert book.counts() == (0, 2)


# -- a group counts once -------------------------------------------------------------------------------------


def one_cloud(book: Book) -> Counter[str]:
    """Thirty hosts in one /16 and thirty in as many, all tried: what is drawn."""
    hosts = [f"8.8.1.{n}" for n in range(30)] + [f"{n}.9.1.1" for n in range(20, 50)]
    for number, host in enumerate(hosts, 1):
        book.attempted(at(host, number), True, HOUR, named=True)
    drawn = [book.choose(anybody) for _ in range(3_000)]
    return Counter(entry.address.split("/")[2] for entry in drawn if entry is not None)


def test_thirty_hosts_of_one_network_are_drawn_as_often_as_one_and_each_of_them() -> None:
    drawn = one_cloud(a_book())
    in_cloud = sum(count for host, count in drawn.items() if host.startswith("8.8."))
    assert 60 < in_cloud < 140, "3,000 draws of 31 groups: 97 expected, standard deviation 10"
    assert sum(host.startswith("8.8.") for host in drawn) > 15, "those that have a place are all drawn"


def test_control_by_buckets_they_are_drawn_more_often() -> None:
    drawn = one_cloud(ByRecord(bytes(32), Random(1), AddressPolicy()))
    assert sum(count for host, count in drawn.items() if host.startswith("8.8.")) > 500


def test_of_new_ones_a_bucket_is_drawn_then_a_group_in_it() -> None:
    """One teller fills a bucket with hosts of a network; another network in it is drawn as often."""
    book = a_book()
    for number in range(1, 10):
        book.learn(at(f"8.8.1.{number}", number), source(1), HOUR)
    (bucket,) = {entry.bucket for entry in book}
    other = next(
        entry
        for number in range(1_000, 9_000)
        if book.learn(at(f"{20 + number // 250}.{number % 250}.1.1", number), source(1), HOUR)
        for entry in book
        if entry.bucket == bucket and not entry.address.startswith("/ip4/8.8.")
    )
    drawn = Counter(
        entry.address == other.address
        for _ in range(400)
        if (entry := book.choose(lambda entry: entry.bucket == bucket)) is not None
    )
    assert 150 < drawn[True] < 250


# -- all together --------------------------------------------------------------------------------------------


def crowded(book: Book) -> float:
    """Five of a hundred hosts have four ports at IPv4 and at IPv6 for each of twenty peer IDs, told by all.
    What part of the addresses that are drawn is theirs, after some hundred feelers.
    """
    spies = [
        at(host, 1_000 * spy + name, 4001 + port)
        for spy in range(5)
        for name in range(1, 21)
        for host in (f"{20 + spy}.1.1.1", f"2a00:{spy + 1:x}::1")
        for port in range(4)
    ]
    for number in range(95):
        book.learn(at(f"{30 + number}.1.1.1", 9_000 + number), source(number), HOUR)
    for n, address in enumerate(spies):
        book.learn(address, source(n % 100), HOUR)
    for _ in range(600):
        if (entry := book.choose(anybody, new_only=True)) is not None:
            book.attempted(entry.address, True, HOUR)
    drawn = [book.choose(anybody) for _ in range(600)]
    return sum(entry.address in spies for entry in drawn if entry is not None) / 600


@pytest.mark.slow
def test_ports_ipv6_and_twenty_peer_ids_a_host_bring_a_party_no_more_connections() -> None:
    """Nearly: an address of IPv4 and one of IPv6 a host. `python -m simulation.address_book` is the whole."""
    shares = [crowded(a_book(n, secret=bytes([n]) * 32)) for n in range(5)]
    assert statistics.mean(shares) < 1.7 * 10 / (10 + 95)


def test_control_where_every_record_counts_it_brings_many() -> None:
    assert crowded(ByRecord(bytes(32), Random(1), AddressPolicy())) > 0.4
