"""Frames: one spelling each, cut anywhere, bounded; anything else is the peer's fault and nothing more."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import cut_up

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode, parse
from p2pforum.sync.wire.negentropy import HIGHEST, encode_varint
from p2pforum.sync.wire.payloads import (
    Board,
    Boards,
    Code,
    Credit,
    End,
    FrameType,
    Gone,
    Grant,
    Hello,
    Look,
    Neg,
    Posts,
    PostsReason,
    Pull,
    Want,
)

ids = st.binary(min_size=32, max_size=32)
hours = st.integers(0, limits.MAX_HOUR - 1)
numbers = st.integers(0, 2**64 - 1)
counts = st.integers(1, 2**64 - 1)
bounds = st.just(HIGHEST) | st.tuples(hours, st.binary(max_size=32))
board_entries = st.builds(
    Board, st.binary(min_size=8, max_size=8), hours, counts, st.binary(min_size=16, max_size=16)
)
posts = st.binary(min_size=1, max_size=300)
frames = st.one_of(
    st.builds(Hello, st.binary(min_size=16, max_size=16), hours, hours),
    st.builds(Look, st.lists(st.binary(min_size=16, max_size=16), max_size=20).map(tuple)),
    st.builds(Boards, st.just(True), st.lists(board_entries, max_size=5).map(tuple)),
    st.builds(Boards, st.booleans(), st.lists(board_entries, min_size=1, max_size=5).map(tuple)),
    st.builds(Neg, numbers, st.booleans(), st.binary(max_size=300)),
    st.builds(Want, st.lists(ids, min_size=1, max_size=20).map(tuple)),
    st.builds(Posts, st.sampled_from(PostsReason), st.lists(posts, min_size=1, max_size=5).map(tuple)),
    st.builds(Gone, counts),
    st.builds(Pull, numbers, st.booleans(), bounds, bounds, numbers),
    st.builds(Grant, st.sampled_from(Credit), st.integers(1, limits.SYNC_POSTS_WINDOW)),
    st.builds(End, st.sampled_from(Code)),
)


def read(reader: SyncFrameReader, *pieces: bytes) -> list[Frame]:
    return [frame for piece in pieces for frame, _ in reader.feed(piece)]


@given(st.lists(frames, max_size=6), st.lists(st.integers(0, 500), max_size=8))
def test_frames_come_through_however_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(encode, sent))
    assert read(SyncFrameReader(), *cut_up(stream, cuts)) == sent


@given(frames)
def test_the_size_of_a_frame_is_all_its_bytes(sent: Frame) -> None:
    ((_, size),) = SyncFrameReader().feed(encode(sent))
    assert size == len(encode(sent))


@given(frames, st.data())
def test_a_changed_frame_is_another_frame_or_a_fault(sent: Frame, data: st.DataObject) -> None:
    """And what is taken is spelled as it would be sent: no second spelling."""
    body = bytearray(encode(sent)[len(encode_varint(len(sent.payload()) + 1)) :])
    at = data.draw(st.integers(0, len(body) - 1))
    change: Callable[[], object] = data.draw(
        st.sampled_from(
            [
                lambda: body.__setitem__(at, data.draw(st.integers(0, 255))),
                lambda: body.__delitem__(at),
                lambda: body.insert(at, data.draw(st.integers(0, 255))),
                lambda: body.append(data.draw(st.integers(0, 255))),
            ]
        )
    )
    change()
    try:
        found = parse(bytes(body))
    except RemoteProtocolError:
        return
    if not (isinstance(found, End) and found.code is Code.FAILED):
        assert encode(found).endswith(bytes(body))


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_any_bytes_are_frames_or_a_fault(pieces: list[bytes]) -> None:
    reader = SyncFrameReader()
    try:
        read(reader, *pieces)
    except RemoteProtocolError:
        return


TOO_MUCH = {
    "no type": b"\x00",
    "a length with a leading zero": b"\x80\x05",
    "a length of four bytes": b"\x81\x80\x80\x80",
    "a frame that is too long": encode_varint(limits.MAX_FRAME + 1) + bytes([FrameType.NEG]),
    "posts that are too long": encode_varint(limits.MAX_POSTS_FRAME + 1) + bytes([FrameType.POSTS]),
    "an unknown type": b"\x01\x0a",
    "a look that ends inside a fingerprint": b"\x02\x09a",
    "a second spelling of a number": b"\x03\x05\x80\x01",
    "a flag of 2": b"\x03\x02\x00\x02",
    "a GONE of nothing": b"\x02\x05\x00",
    "an empty WANT": b"\x01\x03",
    "half an ID": b"\x03\x03ab",
    "wanted posts, and none": b"\x02\x04\x00",
    "posts for no reason": b"\x03\x04\x05\x01",
    "an empty post": b"\x03\x04\x00\x00",
    "a post beyond the frame": b"\x04\x04\x00\x05a",
    "a post that is too long": b"\x04\x04\x00" + encode_varint(limits.MAX_POST + 1),
    "credit of an unknown class": b"\x03\x07\x02\x01",
    "credit of nothing": b"\x03\x07\x00\x00",
    "credit beyond all windows": encode(Grant(Credit.NEG, limits.SYNC_POSTS_WINDOW + 1)),
    "an hour of 2^31": encode(Hello(bytes(16), 2**31, 0)),
    "bytes left over": b"\x03\x08\x00\x00",
    "no boards, and not the last": encode(Boards(False, ())),
    "a board of no posts": encode(Boards(True, (Board(bytes(8), 0, 0, bytes(16)),))),
    "infinity with a prefix": b"\x07\x06\x00\x00\x00\x01a\x00",
}


@pytest.mark.parametrize("stream", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_refused(stream: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(SyncFrameReader(), stream)


def test_an_unknown_reason_to_end_is_an_end() -> None:
    assert parse(b"\x08\x63") == End(Code.FAILED)


def test_a_frame_is_refused_before_its_bytes_are_kept() -> None:
    reader = SyncFrameReader()
    with pytest.raises(RemoteProtocolError):
        read(reader, encode_varint(200_000) + bytes([FrameType.WANT]))
    reader = SyncFrameReader()
    read(reader, encode_varint(200_000) + bytes([FrameType.POSTS]) + bytes(100))


def test_no_frame_that_we_make_is_too_long() -> None:
    """The longest of each kind that has a length of its own to choose."""
    assert len(encode(Want((bytes(32),) * 1000))) <= limits.MAX_FRAME
    entry = Board(bytes(8), limits.MAX_HOUR - 1, 2**63, bytes(16))
    assert len(encode(Boards(False, (entry,) * _per_boards_frame()))) <= limits.MAX_FRAME
    assert limits.SYNC_POSTS_FRAME + limits.MAX_POST + 100 < limits.MAX_POSTS_FRAME


def _per_boards_frame() -> int:
    from p2pforum.sync import boards

    return boards._PER_FRAME
