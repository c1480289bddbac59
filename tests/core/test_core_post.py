"""One post, one encoding; nothing but InvalidPost for anything else."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign
from strategies import HOUR, TEST_NETWORK, a_key, a_post, a_seed, posts

from p2pforum.core import limits, post
from p2pforum.core.errors import InvalidPost
from p2pforum.core.kinds import Kind, Meaning
from p2pforum.core.network_params import DEFAULT_NETWORK, params_for
from p2pforum.core.post import Payload, decode, sign
from p2pforum.core.stamp import Stamp, blank_stamp


def raw_with(payload_fields: object, *, key: int = 1, encode: object = None, **parts: object) -> bytes:
    """A post put together by hand, correctly signed unless `parts` says otherwise."""
    payload = encode if isinstance(encode, bytes) else cbor2.dumps(payload_fields, canonical=True)
    protected = parts.get("protected", cbor2.dumps({1: -19, 4: a_key(key)}, canonical=True))
    to_sign = cbor2.dumps(["Signature1", protected, TEST_NETWORK.post_aad, payload])
    sig = crypto_sign(to_sign, a_seed(key) + a_key(key))[:64]
    value = [protected, parts.get("unprotected", {}), payload, parts.get("sig", sig)]
    return cbor2.dumps(cbor2.CBORTag(int(str(parts.get("tag", 18))), value), canonical=True)


GOOD = [1, 0, "general", b"", [], HOUR, ["Hi", "A body."], [1, 0, bytes(8)]]
ID1, ID2 = b"\x01" * 32, b"\x02" * 32


def but(index: int, value: object) -> list[object]:
    return [*GOOD[:index], value, *GOOD[index + 1 :]]


REPLY = [1, 0, "general", ID1, [ID1], HOUR, ["A reply."], [1, 0, bytes(8)]]


@given(posts())
def test_decode_gives_back_what_was_signed(signed: post.Post) -> None:
    again = decode(signed.raw, TEST_NETWORK)
    again.verify_signature()
    again.verify_stamp(TEST_NETWORK)
    assert (again.raw, again.id, again.payload) == (signed.raw, signed.id, signed.payload)
    assert again.payload.encode() == signed.payload.encode()


@pytest.mark.slow
@given(posts(), st.data())
@settings(max_examples=300)
def test_one_flipped_bit_is_another_post_or_none(signed: post.Post, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(signed.raw) * 8 - 1))
    flipped = bytearray(signed.raw)
    flipped[position // 8] ^= 1 << position % 8
    with pytest.raises(InvalidPost):
        decode(bytes(flipped), TEST_NETWORK).verify_signature()


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_and_never_crash(raw: bytes) -> None:
    with pytest.raises(InvalidPost):
        decode(raw, TEST_NETWORK)


def test_every_bit_of_one_post() -> None:
    raw = a_post("x" * 40).raw
    for position in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(InvalidPost):
            decode(bytes(flipped), TEST_NETWORK).verify_signature()


def test_another_library_verifies_it() -> None:
    signed = a_post("Checked by code of other people.")
    tag = cbor2.loads(signed.raw)
    protected, _, payload, sig = tag.value
    head = b"\x84\x6aSignature1" + b"\x58" + bytes([len(protected)]) + protected
    aad = b"test.net/post/1"
    structure = head + bytes([0x40 + len(aad)]) + aad + b"\x58" + bytes([len(payload)]) + payload
    Ed25519PublicKey.from_public_bytes(signed.author).verify(sig, structure)


def test_two_signatures_make_one_post() -> None:
    """The ID does not cover the signature, so re-signing is no way to flood."""
    first = a_post()
    tag = cbor2.loads(first.raw)
    other = cbor2.dumps(cbor2.CBORTag(18, [tag.value[0], {}, tag.value[2], bytes(64)]), canonical=True)
    assert decode(other, TEST_NETWORK).id == first.id
    with pytest.raises(InvalidPost):
        decode(other, TEST_NETWORK).verify_signature()


def test_a_post_of_one_network_is_none_in_another() -> None:
    with pytest.raises(InvalidPost, match="signature"):
        decode(a_post().raw, params_for("test.other")).verify_signature()


def test_good_ones_are_good() -> None:
    for fields in (GOOD, REPLY, but(6, ["", ""]), but(5, 0), but(5, 2**31 - 1), but(2, "a" * 64)):
        decode(raw_with(fields), TEST_NETWORK).verify_signature()


@pytest.mark.parametrize("kind", [3, 4, 6, 99, 2**16 - 1])
def test_unknown_kinds_and_versions_pass_the_outer_rules(kind: int) -> None:
    content = [1, b"x", "text", [[], ["deep"]], -5]
    for fields in (but(1, kind)[:6], [7, *GOOD[1:6]]):
        decoded = decode(raw_with([*fields, content, [1, 0, bytes(8)]]), TEST_NETWORK)
        decoded.verify_signature()
        assert decoded.meaning is None
        assert (decoded.subject, decoded.body, decoded.target) == ("", "", b"")


BAD = {
    "not an array": {"a": 1},
    "seven fields": GOOD[:7],
    "nine fields": [*GOOD, 0],
    "version 0": but(0, 0),
    "version too large": but(0, 2**16),
    "version a boolean": but(0, True),
    "version a float": but(0, 1.0),
    "kind negative": but(1, -1),
    "kind too large": but(1, 2**16),
    "board empty": but(2, ""),
    "board too long": but(2, "a" * 65),
    "board in capitals": but(2, "General"),
    "board not ASCII": but(2, "g\u00e9n"),
    "board with a newline": but(2, "a\n"),
    "board as bytes": but(2, b"general"),
    "root without parents": but(3, ID1),
    "root of 31 bytes": [1, 0, "general", ID1[:31], [ID1], HOUR, ["x"], [1, 0, bytes(8)]],
    "parents without root": but(4, [ID1]),
    "parents not sorted": [*REPLY[:4], [ID2, ID1], *REPLY[5:]],
    "a parent twice": [*REPLY[:4], [ID1, ID1], *REPLY[5:]],
    "five parents": [*REPLY[:4], [bytes([n]) * 32 for n in range(1, 6)], *REPLY[5:]],
    "a short parent": [*REPLY[:4], [b"x"], *REPLY[5:]],
    "hour negative": but(5, -1),
    "hour too large": but(5, 2**31),
    "hour a float": but(5, float(HOUR)),
    "hour a bignum": but(5, 2**70),
    "content a text": but(6, "x"),
    "content with a float": [1, 9, *GOOD[2:6], [1.5], [1, 0, bytes(8)]],
    "content with a map": [1, 9, *GOOD[2:6], [{}], [1, 0, bytes(8)]],
    "content with null": [1, 9, *GOOD[2:6], [None], [1, 0, bytes(8)]],
    "content with true": [1, 9, *GOOD[2:6], [True], [1, 0, bytes(8)]],
    "content with a tag": [1, 9, *GOOD[2:6], [cbor2.CBORTag(4711, 1)], [1, 0, bytes(8)]],
    "content nested too deep": [1, 9, *GOOD[2:6], [[[[[1]]]]], [1, 0, bytes(8)]],
    "a root with a body alone": but(6, ["x"]),
    "a reply with a subject": [*REPLY[:6], ["s", "b"], REPLY[7]],
    "subject too long": but(6, ["x" * 201, "b"]),
    "subject of two lines": but(6, ["a\nb", "b"]),
    "body too long": but(6, ["s", "x" * (limits.MAX_BODY + 1)]),
    "body with ESC": but(6, ["s", "\x1b[2J"]),
    "body with CR": but(6, ["s", "a\r\nb"]),
    "body with a tab": but(6, ["s", "a\tb"]),
    "body with C1": but(6, ["s", "\x9b2J"]),
    "body with a bidi override": but(6, ["s", "\u202e"]),
    "body with a bidi isolate": but(6, ["s", "\u2066"]),
    "body with tag characters": but(6, ["s", "\U000e0041"]),
    "body as bytes": but(6, ["s", b"b"]),
    "retract as a root": [1, 1, "general", b"", [], HOUR, [ID1], [1, 0, bytes(8)]],
    "retract of no ID": [1, 1, "general", ID1, [ID1], HOUR, [b"x"], [1, 0, bytes(8)]],
    "supersede without a body": [1, 2, "general", ID1, [ID1], HOUR, [ID2], [1, 0, bytes(8)]],
    "reveal as a root": [1, 5, "general", b"", [], HOUR, [a_seed(1)], [1, 0, bytes(8)]],
    "reveal of another's seed": [1, 5, "general", ID1, [ID1], HOUR, [a_seed(2)], [1, 0, bytes(8)]],
    "reveal of the public key": [1, 5, "general", ID1, [ID1], HOUR, [a_key(1)], [1, 0, bytes(8)]],
    "reveal of 31 bytes": [1, 5, "general", ID1, [ID1], HOUR, [a_seed(1)[:31]], [1, 0, bytes(8)]],
    "reveal of 64 bytes": [1, 5, "general", ID1, [ID1], HOUR, [a_seed(1) + a_key(1)], [1, 0, bytes(8)]],
    "reveal in letters": [1, 5, "general", ID1, [ID1], HOUR, ["0" * 32], [1, 0, bytes(8)]],
    "reveal with a text": [1, 5, "general", ID1, [ID1], HOUR, [a_seed(1), "bye"], [1, 0, bytes(8)]],
    "reveal of nothing": [1, 5, "general", ID1, [ID1], HOUR, [], [1, 0, bytes(8)]],
    "stamp of two": but(7, [1, 0]),
    "stamp with a short nonce": but(7, [1, 0, bytes(7)]),
    "stamp with too many bits": but(7, [1, 65, bytes(8)]),
    "stamp with a negative algorithm": but(7, [-1, 0, bytes(8)]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_fields_are_refused_though_well_signed(name: str) -> None:
    with pytest.raises(InvalidPost):
        decode(raw_with(BAD[name]), TEST_NETWORK)


SPELLINGS = {
    "non-minimal version": b"\x88\x18\x01" + cbor2.dumps(GOOD, canonical=True)[2:],
    "indefinite array": b"\x9f" + cbor2.dumps(GOOD, canonical=True)[1:] + b"\xff",
    "trailing byte in the payload": cbor2.dumps(GOOD, canonical=True) + b"\x00",
    "long array header": b"\x98\x08" + cbor2.dumps(GOOD, canonical=True)[1:],
    "empty payload": b"",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_second_spelling_of_the_payload_is_refused(name: str) -> None:
    with pytest.raises(InvalidPost):
        decode(raw_with(None, encode=SPELLINGS[name]), TEST_NETWORK)


def test_a_second_spelling_of_the_envelope_is_refused() -> None:
    raw = raw_with(GOOD)
    decode(raw, TEST_NETWORK)
    envelopes = [
        raw + b"\x00",
        b"\xd8\x12" + raw[1:],
        raw[1:],
        raw_with(GOOD, tag=17),
        raw_with(GOOD, unprotected={4: b"x"}),
        raw_with(GOOD, sig=bytes(63)),
        raw_with(GOOD, sig="x" * 64),
        raw_with(GOOD, protected=b""),
        raw_with(GOOD, protected=cbor2.dumps({1: -8, 4: a_key(1)})),
        raw_with(GOOD, protected=cbor2.dumps({4: a_key(1), 1: -19})),
        raw_with(GOOD, protected=cbor2.dumps({1: -19, 4: a_key(1)[:31]})),
        raw_with(GOOD, protected=cbor2.dumps({1: -19, 4: a_key(1), 5: 1}, canonical=True)),
        raw_with(GOOD, protected=cbor2.dumps({1: -19.0, 4: a_key(1)})),
        b"\xd2\x84" + raw[2:] + bytes(limits.MAX_POST),
    ]
    for envelope in envelopes:
        with pytest.raises(InvalidPost):
            decode(envelope, TEST_NETWORK)


def test_the_size_cap_comes_first() -> None:
    with pytest.raises(InvalidPost, match="at most"):
        decode(bytes(limits.MAX_POST + 1), TEST_NETWORK)


def test_a_hostile_nest_of_arrays_is_refused() -> None:
    with pytest.raises(InvalidPost):
        decode(b"\x81" * 15_000, TEST_NETWORK)


def test_the_largest_post_fits() -> None:
    body = "\u00e9" * (limits.MAX_BODY // 2)
    big = a_post(body, board="b" * 64, root=ID1, parents=[bytes([n]) * 32 for n in range(1, 5)])
    assert len(big.raw) < limits.MAX_POST
    assert decode(big.raw, TEST_NETWORK).body == body


def test_a_stamp_below_the_floor_is_refused() -> None:
    weak = sign(
        Payload(Kind.POST, "general", b"", (), HOUR, ("s", "b"), blank_stamp(9)),
        a_seed(1),
        a_key(1),
        DEFAULT_NETWORK,
    )
    with pytest.raises(InvalidPost, match="asks for 10"):
        weak.verify_stamp(DEFAULT_NETWORK)


def test_a_stamp_must_be_worth_what_it_claims() -> None:
    claimed = Payload(Kind.POST, "general", b"", (), HOUR, ("s", "b"), Stamp(1, 40, bytes(8)))
    with pytest.raises(InvalidPost, match="worth"):
        sign(claimed, a_seed(1), a_key(1), DEFAULT_NETWORK).verify_stamp(DEFAULT_NETWORK)


def test_an_unknown_stamp_algorithm_is_worth_nothing() -> None:
    claimed = Payload(Kind.POST, "general", b"", (), HOUR, ("s", "b"), Stamp(2, 0, bytes(8)))
    with pytest.raises(InvalidPost):
        sign(claimed, a_seed(1), a_key(1), TEST_NETWORK).verify_stamp(TEST_NETWORK)


def test_fields_of_a_post() -> None:
    root = a_post("body", subject="subject")
    assert (root.is_root, root.thread, root.subject, root.body) == (True, root.id, "subject", "body")
    reply = a_post("answer", root=root.id)
    assert (reply.is_root, reply.thread, reply.subject, reply.body) == (False, root.id, "", "answer")
    edit = a_post(root=root.id, kind=Kind.SUPERSEDE, content=(reply.id, "better"))
    assert (edit.target, edit.body) == (reply.id, "better")
    gone = a_post(root=root.id, kind=Kind.RETRACT, content=(reply.id,))
    assert (gone.target, gone.body) == (reply.id, "")
    reveal = a_post(key=7, root=root.id, kind=Kind.REVEAL, content=(a_seed(7),))
    assert reveal.meaning is Meaning.REVEALS
    assert (reveal.subject, reveal.body, reveal.target) == ("", "", b"")


def test_a_reveal_of_a_newer_version_is_kept_unread() -> None:
    newer = a_post(root=ID1, kind=Kind.REVEAL, version=2, content=("another rule",))
    assert newer.meaning is None
