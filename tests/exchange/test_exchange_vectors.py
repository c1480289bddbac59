"""The published vectors are what this code says; and libp2p, cryptography and plain CBOR say so too."""

import json

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from peer_vectors import FILE, vectors
from strategies import TEST_NETWORK

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.exchange.record import decode, number_of
from p2pforum.exchange.wire import ANSWER_SIZE, ASK_SIZE, decode_frame

PUBLISHED = json.loads(FILE.read_text())
ACCEPT = pytest.mark.parametrize("case", PUBLISHED["accept"], ids=lambda case: case["name"])


def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == PUBLISHED


@ACCEPT
def test_accepted(case: dict[str, str]) -> None:
    record = decode(bytes.fromhex(case["raw"]), TEST_NETWORK)
    assert (record.peer, record.sequence) == (case["peer"], case["sequence"])
    assert list(record.addresses) == case["addresses"]
    assert number_of(record.raw) == case["sequence"]


@pytest.mark.parametrize("case", PUBLISHED["reject"], ids=lambda case: case["name"])
def test_refused(case: dict[str, str]) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(bytes.fromhex(case["raw"]), TEST_NETWORK)


@ACCEPT
def test_other_libraries_read_the_same(case: dict[str, str]) -> None:
    """By PROTOCOL's words alone, with nothing of this program."""
    seed, key = bytes.fromhex(case["seed"]), bytes.fromhex(case["key"])
    pair = create_new_key_pair(seed)
    assert pair.public_key.to_bytes() == key
    assert ID.from_pubkey(pair.public_key).to_base58() == case["peer"]
    message = cbor2.loads(bytes.fromhex(case["raw"]))
    protected, unprotected, payload, signature = message.value
    assert (message.tag, cbor2.loads(protected), unprotected) == (18, {1: -19, 4: key}, {})
    assert cbor2.loads(payload) == [1, case["sequence"], case["addresses"]]
    signed = cbor2.dumps(["Signature1", protected, b"test.net/peer/1", payload])
    assert signed == bytes.fromhex(case["signed"])
    Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    assert Ed25519PrivateKey.from_private_bytes(seed).sign(signed) == signature, "and the one that signs so"


@pytest.mark.parametrize("case", PUBLISHED["frames"], ids=lambda case: case["name"])
def test_frames(case: dict[str, object]) -> None:
    raw, most = bytes.fromhex(str(case["raw"])), int(str(case["most"]))
    if case["records"] is None:
        with pytest.raises(RemoteProtocolError):
            decode_frame(raw, most)
    else:
        assert len(raw) in (ASK_SIZE, ANSWER_SIZE)
        assert [record.hex() for record in decode_frame(raw, most)] == case["records"]


def test_what_is_no_record_has_no_number() -> None:
    assert number_of(b"no record") == 0
