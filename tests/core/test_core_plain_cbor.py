"""What strangers send is walked over before anything decodes it."""

import re

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import TEST_NETWORK, a_key

from p2pforum.core import envelope, plain_cbor
from p2pforum.core.errors import InvalidPost
from p2pforum.core.post import decode

plain = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=30),
    max_leaves=30,
)


def depth_of(value: object) -> int:
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(plain)
def test_what_is_plain_is_taken_at_its_depth_and_no_less(value: object) -> None:
    raw = cbor2.dumps(value, canonical=True)
    depth = depth_of(value)
    assert plain_cbor.loads(raw, depth) == value
    if depth:
        with pytest.raises(InvalidPost):
            plain_cbor.loads(raw, depth - 1)


@given(st.binary(max_size=60))
def test_what_passes_has_one_encoding(raw: bytes) -> None:
    try:
        value = plain_cbor.loads(raw, 5)
    except InvalidPost:
        return
    assert cbor2.dumps(value, canonical=True) == raw


@pytest.mark.slow
@given(plain, st.data())
def test_damaged_bytes_are_refused_or_have_one_encoding(value: object, data: st.DataObject) -> None:
    raw = bytearray(cbor2.dumps(value, canonical=True))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    test_what_passes_has_one_encoding.hypothesis.inner_test(bytes(raw))


REGEX = cbor2.dumps(cbor2.CBORTag(35, "(a|b)*" * 10))
HOSTILE = {
    "a regular expression": REGEX,
    "a tag": cbor2.dumps(cbor2.CBORTag(0, "2026-11-24T00:00:00Z")),
    "a map": b"\xa1\x01\x02",
    "many maps": b"\x99\x03\xe8" + b"\xa0" * 1000,
    "a float": cbor2.dumps(1.5),
    "null": b"\xf6",
    "a bignum": cbor2.dumps(2**70),
    "an open array": b"\x9f\x01\xff",
    "an open text": b"\x7f\x61a\xff",
    "a huge array": b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    "a huge byte string": b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    "nothing": b"",
    "a head cut short": b"\x19\x01",
    "a number too long": b"\x18\x17",
    "no UTF-8": b"\x61\xff",
    "two values": b"\x01\x02",
    "deep nesting": b"\x81" * 5000 + b"\x01",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_refused(name: str) -> None:
    with pytest.raises(InvalidPost):
        plain_cbor.loads(HOSTILE[name], 5)


def test_no_regular_expression_of_a_stranger_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """(?i) and a thousand classes in 13 kB took 16 s, before any signature or stamp was looked at."""
    compiled = []
    compile_ = re.compile
    monkeypatch.setattr(re, "compile", lambda *args, **more: compiled.append(args) or compile_(*args, **more))
    for payload in (REGEX, b"\x88" + REGEX * 8):
        raw = envelope.close(a_key(1), payload, bytes(64))
        with pytest.raises(InvalidPost):
            decode(raw, TEST_NETWORK)
    assert not compiled
    cbor2.loads(REGEX)  # the control: left to itself, the decoder does compile it
    assert compiled
