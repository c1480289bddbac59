"""Frames on a stream: any cut of the bytes gives the same RPCs, and nothing is buffered beyond its bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libp2p.utils.varint import encode_uvarint as their_uvarint
from strategies import cut_up

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.gossip.rpc_queue import RpcQueue
from p2pforum.gossip.wire.framing import FrameSplitter, frame
from p2pforum.gossip.wire.rpc import Message, encode_publish, encode_uvarint

bodies = st.lists(st.binary(max_size=400), max_size=8)


@given(bodies, st.lists(st.integers(1, 200)), st.integers(0, 1))
def test_any_cut_gives_the_same_bodies(wanted: list[bytes], cuts: list[int], rest: int) -> None:
    splitter = FrameSplitter()
    pieces = cut_up(b"".join(map(frame, wanted)), cuts)
    assert [body for piece in pieces for body in splitter.feed(piece)] == wanted
    assert splitter.held == 0
    assert list(splitter.feed(b"\x05ab"[: 2 + rest])) == []
    assert splitter.held


@given(st.integers(0, 2**40))
def test_lengths_are_written_as_libp2p_writes_them(value: int) -> None:
    assert encode_uvarint(value) == their_uvarint(value)


def test_the_largest_rpc_passes() -> None:
    body = bytes(limits.MAX_RPC)
    assert list(FrameSplitter().feed(frame(body))) == [body]


@pytest.mark.parametrize(
    "start",
    [
        encode_uvarint(limits.MAX_RPC + 1),
        encode_uvarint(2**62),
        b"\xff\xff\xff",
        b"\x80\x00",  # 0 in two bytes
        b"\x85\x80\x00",
    ],
)
def test_a_wrong_length_is_refused_before_its_body(start: bytes) -> None:
    splitter = FrameSplitter()
    with pytest.raises(RemoteProtocolError):
        list(splitter.feed(start))


def test_bodies_before_a_wrong_length_are_given_out() -> None:
    bodies = FrameSplitter().feed(frame(b"good") + b"\xff\xff\xff")
    assert next(bodies) == b"good"
    with pytest.raises(RemoteProtocolError):
        next(bodies)


def entry(n: int, size: int = 500) -> bytes:
    return encode_publish(Message("t", n.to_bytes(4, "big") + bytes(size)))


def read_back(written: bytes) -> list[bytes]:
    return list(FrameSplitter().feed(written))


def test_messages_that_wait_together_share_an_rpc_and_control_parts_do_not() -> None:
    queue = RpcQueue()
    assert not queue
    for n in range(3):
        assert queue.add_message(entry(n))
    assert queue.add_control(b"one")
    assert queue.add_control(b"two")
    written, messages = queue.next_bytes()
    assert read_back(written) == [b"one", b"two", entry(0) + entry(1) + entry(2)]
    assert messages == 3
    assert not queue
    assert queue.next_bytes() == (b"", 0)


@given(st.lists(st.integers(1, 16_000), min_size=1, max_size=60))
def test_every_rpc_keeps_its_bounds_and_nothing_is_lost_or_reordered(sizes: list[int]) -> None:
    queue = RpcQueue()
    entries = [entry(n, size) for n, size in enumerate(sizes)]
    assert all(map(queue.add_message, entries))
    got, count = b"", 0
    while queue:
        written, messages = queue.next_bytes()
        (body,) = read_back(written)
        assert len(body) <= limits.GOSSIP_RPC
        assert 0 < messages <= limits.MAX_RPC_MESSAGES
        got += body
        count += messages
    assert got == b"".join(entries)
    assert count == len(entries)


def test_an_rpc_holds_no_more_messages_than_a_peer_may_read() -> None:
    queue = RpcQueue()
    for n in range(300):
        queue.add_message(entry(n, 0))
    assert queue.next_bytes()[1] == limits.MAX_RPC_MESSAGES


def test_a_full_outbox_refuses() -> None:
    queue = RpcQueue(max_bytes=2_000, max_control=2)
    assert [queue.add_message(entry(n)) for n in range(5)] == [True, True, True, False, False]
    assert queue.is_filling
    assert [queue.add_control(b"c") for _ in range(3)] == [True, True, False]


def asked(count: int) -> dict[bytes, bytes]:
    """Entries of 1,000 bytes by ID: three times as much as a queue holds, if there are 800."""
    return {n.to_bytes(32, "big"): entry(n, 1_000) for n in range(count)}


def test_what_a_peer_asks_for_is_fetched_as_room_comes_however_much_it_is() -> None:
    queue, kept = RpcQueue(), asked(800)
    assert queue.add_asked(list(kept)) == 800
    assert queue.held == 800 * 8
    got = b""
    while queue:
        queue.fetch_asked(kept.get)
        assert queue.held <= limits.GOSSIP_RPC + 1_100 + 800 * 8
        written, _ = queue.next_bytes()
        got += b"".join(read_back(written))
        queue.confirm()
    assert got == b"".join(kept.values())


def test_control_as_messages_most_of_them_have_no_room() -> None:
    assert sum(map(RpcQueue().add_message, asked(800).values())) < 800 / 2


def test_what_is_pushed_has_its_room_whatever_waits_to_be_fetched() -> None:
    queue, kept = RpcQueue(), asked(limits.OUTBOX_ASKED)
    queue.add_asked(list(kept))
    queue.fetch_asked(kept.get)
    pushed = [entry(n, 10_000) for n in range(18)]
    assert all(map(queue.add_message, pushed))
    queue.fetch_asked(kept.get)
    written = b""
    while (taken := queue.next_bytes())[0]:
        written += taken[0]
    assert b"".join(pushed) in b"".join(read_back(written))


def test_ids_beyond_the_bound_are_refused_and_what_is_gone_is_left_out() -> None:
    queue, kept = RpcQueue(max_asked=3), asked(5)
    first, *rest = kept
    assert queue.add_asked([first]) == 1
    assert queue.add_asked(rest) == 2
    assert queue.add_asked(rest) == 0
    del kept[rest[0]]
    queue.fetch_asked(kept.get)
    assert read_back(queue.next_bytes()[0]) == [kept[first] + kept[rest[1]]]
    assert not queue


def test_what_could_not_be_written_goes_first_on_the_next_stream() -> None:
    queue = RpcQueue()
    queue.add_control(b"first")
    queue.add_message(entry(1))
    taken = queue.next_bytes()
    queue.put_back()
    queue.add_control(b"second")
    queue.add_message(entry(2))
    again, _ = queue.next_bytes()
    assert again.startswith(frame(b"first"))
    assert read_back(again) == [b"first", b"second", entry(1) + entry(2)]
    assert taken[0].endswith(entry(1))
    queue.confirm()
    queue.put_back()
    assert not queue
