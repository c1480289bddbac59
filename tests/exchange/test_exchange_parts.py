"""Frames, rate limits and samples of the exchange, without I/O."""

from random import Random

import pytest
from exchange_nodes import a_record
from hypothesis import given
from hypothesis import strategies as st
from socks_server import onion

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.exchange.inbound_records import InboundRecords, is_modest, is_plausible
from p2pforum.exchange.rate_limiter import RateLimiter, RateVerdict
from p2pforum.exchange.sample import Sample
from p2pforum.exchange.wire import ANSWER_SIZE, ASK_SIZE, decode_frame, encode_frame

RECORDS = [a_record(key).raw for key in range(1, 201)]
HOUR, DAY = 3_600.0, 86_400.0

# -- frames ----------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=1, max_size=limits.MAX_PEER_RECORD), max_size=16))
def test_frames_have_one_size_and_keep_their_records(records: list[bytes]) -> None:
    frame = encode_frame(records, ANSWER_SIZE)
    assert len(frame) == ANSWER_SIZE
    assert decode_frame(frame, 16) == records


def test_an_ask_has_room_for_the_largest_record() -> None:
    largest = b"x" * limits.MAX_PEER_RECORD
    assert decode_frame(encode_frame([largest], ASK_SIZE), 1) == [largest]


def test_what_does_not_fit_is_left_out() -> None:
    records = [bytes([i + 1]) * limits.MAX_PEER_RECORD for i in range(20)]
    assert decode_frame(encode_frame(records, ANSWER_SIZE), 32) == records[:16]


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_or_blamed(frame: bytes) -> None:
    try:
        records = decode_frame(frame, 32)
    except RemoteProtocolError:
        return
    assert encode_frame(records, len(frame)) == frame, "one frame says one thing"


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(RECORDS[:2], ASK_SIZE),
        b"\x03\xe9" + bytes(ASK_SIZE - 2),
        b"\x00\x05abc",
        bytes(ASK_SIZE - 1) + b"\x01",
        encode_frame(RECORDS[:1], ASK_SIZE - 1) + b"\x01",
    ],
    ids=["two records", "larger than any", "ends too early", "junk in the filling", "junk behind"],
)
def test_frames_that_break_the_rules(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_frame(frame, 1)


# -- rate limits ---------------------------------------------------------------------------------------


def test_some_asks_at_once_then_one_in_a_while_then_the_peer_is_cut() -> None:
    limiter = RateLimiter()
    burst = [limiter.ask("a", 0.0) for _ in range(limits.PEERS_BURST)]
    assert burst == [RateVerdict.ANSWER] * limits.PEERS_BURST
    assert limiter.ask("a", 1.0) is RateVerdict.REFUSE
    assert limiter.ask("b", 1.0) is RateVerdict.ANSWER, "each has its own"
    rulings = [limiter.ask("a", 1.0) for _ in range(limits.PEERS_REFUSED)]
    assert rulings == [RateVerdict.REFUSE] * (limits.PEERS_REFUSED - 1) + [RateVerdict.FLOOD]


def test_who_keeps_to_the_pace_is_always_answered() -> None:
    limiter = RateLimiter()
    assert {limiter.ask("a", n * limits.PEERS_REFILL_SECONDS) for n in range(1_000)} == {RateVerdict.ANSWER}


def test_a_flood_is_forgiven_in_time() -> None:
    limiter = RateLimiter()
    for _ in range(1_000):
        limiter.ask("a", 0.0)
    later = (limits.PEERS_REFUSED + 2) * limits.PEERS_REFILL_SECONDS
    assert limiter.ask("a", later) is RateVerdict.ANSWER


def test_many_names_take_bounded_memory() -> None:
    limiter = RateLimiter()
    for n in range(10 * limits.PEERS_REMEMBERED):
        limiter.ask(str(n), 0.0)
    assert len(limiter._buckets) == limits.PEERS_REMEMBERED


# -- who dialled in --------------------------------------------------------------------------------


def test_who_dialled_in_is_told_for_a_day_and_one_for_each_part_of_the_internet() -> None:
    inbound_records = InboundRecords()
    for number, record in enumerate(RECORDS[:50]):
        inbound_records.note(record, f"sybil{number}", "8.8.0.0/16", 0.0)
    inbound_records.note(RECORDS[50], "honest", "9.9.0.0/16", 1.0)
    assert inbound_records.records(2.0) == RECORDS[49:51]
    inbound_records.note(RECORDS[51], "a neighbour", "", 3.0)
    inbound_records.note(RECORDS[52], "another", "", 3.0)
    assert inbound_records.records(DAY) == RECORDS[49:53]
    assert inbound_records.records(DAY + 2) == RECORDS[51:53]


@pytest.mark.parametrize(
    ("said", "source", "expected"),
    [
        (["/ip4/8.8.1.1/tcp/4001"], "/ip4/8.8.1.1/tcp/51234", True),
        (["/ip4/8.8.1.2/tcp/4001"], "/ip4/8.8.1.1/tcp/51234", False),
        (["/ip4/8.8.1.1/tcp/4001", "/ip6/2600::1/tcp/4001"], "/ip6/2600:0::1/tcp/51234", True),
        (["/dns4/victim.example/tcp/4001", "/ip4/8.8.1.2/tcp/1"], "/ip4/8.8.1.1/tcp/51234", False),
        ([f"/onion3/{'a' * 56}:4001"], "/ip4/127.0.0.1/tcp/51234", True),
        ([f"/onion3/{'a' * 56}:4001", "/ip4/8.8.1.2/tcp/1"], "/ip4/127.0.0.1/tcp/51234", False),
        (["/ip4/127.0.0.1/tcp/1", "/ip6/2600::1/tcp/1"], "/ip4/127.0.0.1/tcp/51234", False),
        (["/ip4/192.168.1.7/tcp/1"], "/ip4/192.168.1.7/tcp/51234", True),
    ],
)
def test_who_says_to_be_where_it_did_not_come_from_is_not_told(
    said: list[str], source: str, expected: bool
) -> None:
    assert is_plausible(said, source) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            ["/dns4/forum.example/tcp/1", "/ip4/8.8.1.1/tcp/1", "/ip4/8.8.1.1/tcp/2", "/ip6/2600::1/tcp/1"],
            True,
        ),
        (["/ip6/2600:0:0::1/tcp/1", "/ip6/2600::1/tcp/2", "/later/a/1", "/later/b/1"], True),
        (["/ip4/8.8.1.1/tcp/1", "/ip4/8.8.1.2/tcp/1"], False),
        (["/ip6/2600::1/tcp/1", "/ip6/2600::2/tcp/1"], False),
        ([f"/onion3/{onion('a')}:1", f"/onion3/{onion('b')}:1"], False),
    ],
)
def test_a_record_says_one_host_of_a_kind(said: list[str], expected: bool) -> None:
    assert is_modest(said) is expected


def test_who_dialled_in_takes_bounded_memory() -> None:
    inbound_records = InboundRecords()
    for number, record in enumerate(RECORDS):
        inbound_records.note(record, f"peer{number}", "", 0.0)
    assert inbound_records.records(0.0) == RECORDS[-limits.PEERS_INBOUND_RECORDS :]


# -- samples ---------------------------------------------------------------------------------------


def told(sample: Sample, now: float) -> set[bytes]:
    return set(decode_frame(sample.answer(now), limits.PEERS_TOLD))


def test_the_answer_is_the_same_for_most_of_a_day_whatever_is_learnt_meanwhile() -> None:
    known = RECORDS[:100]
    sample = Sample(Random(1), lambda: known, None)
    first = sample.answer(0.0)
    known = RECORDS
    assert all(sample.answer(hour * HOUR) == first for hour in range(21))
    assert sample.answer(27 * HOUR) != first


def test_a_day_of_asking_tells_a_quarter_at_most() -> None:
    sample = Sample(Random(1), lambda: RECORDS[:100], None)
    day = set[bytes]().union(*(told(sample, second) for second in range(0, 20 * 3_600, 60)))
    assert len(day) == 25


def test_control_a_sample_drawn_for_each_ask_tells_all() -> None:
    """The naive way: what a day of asking gets then."""
    rng = Random(1)
    day = set[bytes]().union(*(told(Sample(rng, lambda: RECORDS[:100], None), 0.0) for _ in range(20 * 60)))
    assert len(day) == 100


def test_a_large_book_is_told_in_small_parts() -> None:
    assert len(told(Sample(Random(1), lambda: RECORDS, None), 0.0)) == limits.PEERS_TOLD


def test_a_young_network_finds_itself() -> None:
    """Few records are all told, and drawn anew within the hour and a half."""
    known = RECORDS[:2]
    sample = Sample(Random(1), lambda: known, None)
    assert told(sample, 0.0) == set(known)
    known = RECORDS[:5]
    assert told(sample, 1.5 * HOUR) == set(known)


def test_the_own_record_is_always_told_and_its_place_says_nothing() -> None:
    own = a_record(999).raw
    places = set()
    for seed in range(200):
        sample = Sample(Random(seed), lambda: [*RECORDS, own], own)
        records = decode_frame(sample.answer(0.0), limits.PEERS_TOLD)
        assert records.count(own) == 1
        assert len(records) == limits.PEERS_TOLD
        places.add(records.index(own))
    assert len(places) == limits.PEERS_TOLD
