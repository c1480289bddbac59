"""The envelope is read by the places of its bytes: it must accept what a CBOR library writes, and no more."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import TEST_NETWORK, a_key, a_post

from p2pforum.core import envelope
from p2pforum.core.errors import InvalidPost
from p2pforum.core.post import decode


def as_a_library_writes_it(payload: bytes, signature: bytes) -> bytes:
    header = cbor2.dumps({1: -19, 4: a_key(1)}, canonical=True)
    return cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature]), canonical=True)


@pytest.mark.parametrize("size", [0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 15_000])
def test_opens_what_a_cbor_library_writes(size: int) -> None:
    payload, signature = bytes(size), bytes(range(64))
    raw = as_a_library_writes_it(payload, signature)
    assert raw == envelope.close(a_key(1), payload, signature)
    assert envelope.open_up(raw) == (a_key(1), payload, signature)


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_what_is_signed_is_the_cbor_of_rfc_9052(size: int) -> None:
    header = cbor2.dumps({1: -19, 4: a_key(1)}, canonical=True)
    expected = cbor2.dumps(["Signature1", header, b"net/post/1", bytes(size)])
    assert envelope.to_be_signed(a_key(1), bytes(size), b"net/post/1") == expected


@given(data=st.data())
def test_another_byte_around_key_payload_and_signature_is_refused(data: st.DataObject) -> None:
    raw = bytearray(a_post("x" * data.draw(st.sampled_from([1, 60, 300]))).raw)
    outside = [*range(10), 42, 43, 44, len(raw) - 66, len(raw) - 65]
    place = data.draw(st.sampled_from(outside))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidPost):
        decode(bytes(raw), TEST_NETWORK)


def test_a_simple_value_does_not_pass_for_the_number_four() -> None:
    """cbor2 gives back a simple value that equals the number: a second spelling of the same post ID."""
    raw = bytearray(a_post().raw)
    assert raw[7] == 0x04
    raw[7] = 0xE4
    assert cbor2.loads(bytes(raw[4:42])).keys() == {1, 4}  # what a check of the decoded header would see
    with pytest.raises(InvalidPost):
        decode(bytes(raw), TEST_NETWORK)
