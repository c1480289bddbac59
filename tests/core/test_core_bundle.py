"""A bundle is one file for one set of posts, and whatever happens to it harms nobody."""

import hashlib
import io
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core import bundle, limits
from p2pforum.core.bundle import BundleReader, Fault, Header, RawPosts, chunked, join_posts, split_posts
from p2pforum.core.errors import InvalidPost, Refused

raws_strategy = st.lists(st.binary(min_size=1, max_size=300), max_size=40)
HEADER = Header("test.net", 2, 7)


def written(raws: Sequence[bytes], header: Header = HEADER) -> bytes:
    return b"".join(bundle.write_bundle(header, raws))


def read(data: bytes) -> tuple[list[Header], list[bytes], list[Fault]]:
    parts = list(BundleReader(io.BytesIO(data).read))
    return (
        [part for part in parts if isinstance(part, Header)],
        [raw for part in parts if isinstance(part, RawPosts) for raw in part.raws],
        [part for part in parts if isinstance(part, Fault)],
    )


def many(count: int = 60, size: int = 15_000) -> list[bytes]:
    rng = random.Random(1)
    return [rng.randbytes(size) for _ in range(count)]


@given(raws_strategy, st.integers(1, 5_000))
def test_what_is_written_is_read_however_it_comes(raws: list[bytes], step: int) -> None:
    source = io.BytesIO(written(raws))
    parts = list(BundleReader(lambda size: source.read(min(size, step))))
    assert parts[0] == HEADER
    assert [raw for part in parts[1:] for raw in part.raws] == raws  # type: ignore[union-attr]


def test_frames_are_full_and_bounded() -> None:
    raws = many()
    chunks = list(chunked(raws))
    assert [raw for chunk in chunks for raw in chunk] == raws
    sizes = [len(join_posts(chunk)) for chunk in chunks]
    assert all(size <= limits.MAX_BUNDLE_CHUNK for size in sizes)
    assert all(
        size + 2 + len(after[0]) > limits.MAX_BUNDLE_CHUNK
        for size, after in zip(sizes, chunks[1:], strict=False)
    )


def test_the_format_is_as_documented() -> None:
    """docs/PROTOCOL.md, by hand."""
    head = bytes.fromhex("89") + b"p2pforum\r\n\x1a\n"

    def frame(kind: int, payload: bytes) -> bytes:
        body = b"\xb7\x1ep2" + bytes([kind]) + len(payload).to_bytes(4, "big") + payload
        return body + hashlib.sha256(body).digest()[:16]

    fields = b"\x01" + (2).to_bytes(4, "big") + (7).to_bytes(8, "big") + b"test.net"
    before = head + frame(0, fields) + frame(1, b"\x00\x03one\x00\x05three")
    assert written([b"one", b"three"]) == before + frame(2, hashlib.sha256(before).digest())


@given(st.data())
def test_cut_anywhere_it_gives_what_was_whole_and_says_so(data: st.DataObject) -> None:
    raws = many(30)
    whole = written(raws)
    cut = data.draw(st.integers(len(bundle.MAGIC), len(whole) - 1))
    _, got, faults = read(whole[:cut])
    assert got == raws[: len(got)]
    assert len(faults) == 1
    assert faults[0].offset <= cut
    missing = sum(len(raw) + 2 for raw in raws[len(got) :])
    assert missing <= len(whole) - faults[0].offset


@given(st.data())
def test_damage_takes_the_frame_it_is_in_and_no_other(data: st.DataObject) -> None:
    raws = many(30)
    chunks = list(chunked(raws))
    whole = bytearray(written(raws))
    at = data.draw(st.integers(len(bundle.MAGIC), len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    _, got, faults = read(bytes(whole))
    assert len(faults) >= 1
    assert faults[0].offset <= at
    lost = [chunk for chunk in chunks if chunk[0] not in got]
    assert len(lost) <= 1
    assert got == [raw for chunk in chunks if chunk not in lost for raw in chunk]


@given(st.data())
def test_a_frame_that_is_left_out_or_repeated_is_noticed(data: st.DataObject) -> None:
    """The hash over the whole: without it, what is gone between two frames would not show."""
    raws = many(30)
    pieces = list(bundle.write_bundle(HEADER, raws))
    at = data.draw(st.integers(2, len(pieces) - 2))
    pieces[at : at + 1] = data.draw(st.sampled_from([[], [pieces[at]] * 2]))
    assert read(b"".join(pieces))[2]


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_without_harm(tail: bytes) -> None:
    read(bundle.MAGIC + tail)
    read(written([b"one"]) + tail)


@given(st.binary(max_size=300))
def test_posts_are_split_or_refused(payload: bytes) -> None:
    try:
        raws = split_posts(payload)
    except InvalidPost:
        return
    assert join_posts(raws) == payload


@pytest.mark.parametrize("data", [b"", b"\x89p2pforum\n\x1a\n", b"From someone", bundle.MAGIC[:-1]])
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read(data)


def test_a_newer_bundle_is_refused() -> None:
    data = bundle.MAGIC + bundle._frame(bundle.FrameKind.HEADER, b"\x02" + bytes(12) + b"test.net")
    with pytest.raises(Refused, match="newer"):
        read(data)


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01" + bytes(12), b"\x01" + bytes(12) + b"\xff"])
def test_a_header_that_says_nothing_is_a_fault(payload: bytes) -> None:
    headers, _, faults = read(bundle.MAGIC + bundle._frame(bundle.FrameKind.HEADER, payload))
    assert not headers
    assert faults


def test_a_second_header_is_a_fault() -> None:
    pieces = list(bundle.write_bundle(HEADER, [b"one"]))
    assert read(b"".join([*pieces[:2], pieces[1], *pieces[2:]]))[2]


def test_a_bundle_of_no_posts_is_a_header_and_an_end() -> None:
    data = written([], Header("test-net", 0, 0))
    assert data.count(bundle.MARK) == 2
    assert read(data) == ([Header("test-net", 0, 0)], [], [])


@pytest.mark.parametrize("bad", [b"\x00\x00", b"\x3e\x81" + bytes(16_001), b"\x00\x09four", b"\x00"])
def test_of_a_frame_with_a_bad_size_no_post_is_kept_and_all_of_the_others(bad: bytes) -> None:
    good = [join_posts([b"%d" % n]) for n in range(3)]
    frames = [good[0], good[1] + bad + good[1], good[2]]
    pieces = [bundle.MAGIC, *list(bundle.write_bundle(HEADER, []))[1:2]]
    pieces += [bundle._frame(bundle.FrameKind.POSTS, frame) for frame in frames]
    before = b"".join(pieces)
    end = bundle._frame(bundle.FrameKind.END, hashlib.sha256(before).digest())
    headers, raws, faults = read(before + end)
    assert (headers, raws) == ([HEADER], [b"0", b"2"])
    assert [fault.offset for fault in faults] == [len(b"".join(pieces[:3]))]


class Zeros:
    """A sparse file of 10 GB that begins with some bytes. Counts what was read."""

    def __init__(self, head: bytes) -> None:
        self.head, self.left, self.given = head, 10 << 30, 0

    def read(self, size: int) -> bytes:
        head, self.head = self.head[:size], self.head[size:]
        got = head or bytes(min(size, self.left))
        self.left -= len(got)
        self.given += len(got)
        return got


@pytest.mark.parametrize("head", [bundle.MAGIC, written([b"one"])[:-60]])
def test_a_sparse_file_is_given_up_soon(head: bytes) -> None:
    source = Zeros(head)
    faults = [part for part in BundleReader(source.read) if isinstance(part, Fault)]
    assert faults[-1].text == "too damaged to go on"
    assert source.given <= limits.MAX_BUNDLE_SKIPPED + limits.MAX_BUNDLE_CHUNK + len(head)


def test_damage_up_to_the_bound_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BUNDLE_SKIPPED", 1_000)
    pieces = list(bundle.write_bundle(HEADER, many(20)))
    for hole, count in ((1_000, 20), (1_001, 0)):
        data = b"".join([*pieces[:2], bytes(hole), *pieces[2:]])
        assert len(read(data)[1]) == count


def test_memory_and_work_are_bounded_whatever_comes() -> None:
    """Marks at every step, each with a length that asks for the hash of a whole frame."""
    mark = bundle.MARK + b"\x01" + limits.MAX_BUNDLE_CHUNK.to_bytes(4, "big")
    source = io.BytesIO(bundle.MAGIC + mark * 400_000)
    reader = BundleReader(source.read)
    largest = 0
    for part in reader:
        assert isinstance(part, Fault)
        largest = max(largest, len(reader._buffer))
    assert largest <= 3 * limits.MAX_BUNDLE_CHUNK
    assert part.text == "too damaged to go on"
    assert source.tell() < 2_000_000  # it gave up long before the end
