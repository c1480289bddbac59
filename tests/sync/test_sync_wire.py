"""Negentropy v1 messages: the golden vectors, one spelling, and nothing but RemoteProtocolError."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from negentropy_vectors import FOLDER, transcripts
from stock import write

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.negentropy import (
    HIGHEST,
    LOWEST,
    MessageWriter,
    Mode,
    Range,
    decode,
    encode_varint,
    read_varint,
)

hours = st.integers(0, 2**64 - 2)
bounds = st.tuples(hours, st.binary(max_size=32)) | st.just(HIGHEST)
ids = st.binary(min_size=32, max_size=32)
contents = st.one_of(
    st.just((Mode.SKIP, b"")),
    st.tuples(st.just(Mode.FINGERPRINT), st.binary(min_size=16, max_size=16)),
    st.tuples(st.just(Mode.ID_LIST), st.lists(ids, max_size=4).map(b"".join)),
)


@st.composite
def range_lists(draw: st.DrawFn) -> list[Range]:
    uppers = sorted(draw(st.sets(bounds, max_size=8)), key=lambda b: (b[0], b[1].ljust(32, b"\0")))
    ranges = [(upper, *draw(contents)) for upper in uppers]
    return [r for i, r in enumerate(ranges) if not i or {r[1], ranges[i - 1][1]} != {Mode.SKIP}]


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_numbers(n: int, rest: bytes) -> None:
    encoded = encode_varint(n)
    assert read_varint(encoded + rest, 0) == (n, len(encoded))
    with pytest.raises(RemoteProtocolError):
        read_varint(encoded[:-1], 0)


@pytest.mark.parametrize("spelled", ["8001", "808001", "82808080808080808000", "ffffffffffffffffff7f"])
def test_numbers_that_are_refused(spelled: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read_varint(bytes.fromhex(spelled), 0)


@given(range_lists())
def test_ranges_come_through(ranges: list[Range]) -> None:
    writer = MessageWriter()
    write(writer, LOWEST, ranges)
    assert decode(writer.message()) == ranges


@given(range_lists(), st.integers(0, 1000), st.binary(max_size=3), st.integers(0, 3))
def test_a_changed_message_is_another_message_or_a_fault(
    ranges: list[Range], at: int, put: bytes, cut: int
) -> None:
    writer = MessageWriter()
    write(writer, LOWEST, ranges)
    message = writer.message()
    at %= len(message)
    changed = message[:at] + put + message[at + cut :]
    try:
        found = decode(changed)
    except RemoteProtocolError:
        return
    again = MessageWriter()
    write(again, LOWEST, found)
    assert again.message() == changed  # one spelling


REFUSED = {
    "nothing": "",
    "version 2": "62",
    "a prefix of 33 bytes": "610121" + "00" * 33 + "00",
    "mode 3": "61000003",
    "a bound that ends early": "610105abcd",
    "half a fingerprint": "61000001" + "00" * 15,
    "a list that ends early": "61000002" + "02" + "00" * 63,
    "a count without end": "61000002" + "83ffffffffffffffff7f",
    "two skips": "61010000" + "020000",
    "an ID prefix that descends": "6102" + "01ff" + "00" + "01" + "01fe" + "0100",
    "infinity as a number": "6181ffffffffffffffff7f" + "0001" + "00" * 16 + "020000",
    "infinity with a prefix": "610001aa00",
    "an hour after infinity": "61000001" + "00" * 16 + "020000",
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_what_is_refused(message: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(bytes.fromhex(message))


@given(st.tuples(hours, ids), st.tuples(hours, ids))
def test_a_separator_separates(a: tuple[int, bytes], b: tuple[int, bytes]) -> None:
    before, after = sorted((a, b))
    if before == after:
        return
    bound = negentropy.separator(before, after)
    assert before < bound <= after
    shorter = (bound[0], bound[1][:-1])
    assert not bound[1] or not before < shorter <= after


@pytest.mark.parametrize("name", ["negentropy-stock.json", "negentropy-limited.json"])
def test_the_golden_vectors_are_what_the_code_says(name: str) -> None:
    """docs/vectors is for those who write another node; negentropy_vectors.py makes it."""
    assert json.loads((FOLDER / name).read_text()) == transcripts()[name]


def test_the_folder_of_the_vectors_is_in_the_documentation() -> None:
    assert Path(__file__).parents[2] / "docs" / "vectors" == FOLDER
