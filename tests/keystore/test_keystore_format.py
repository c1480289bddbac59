"""The bytes of a keystore: one spelling, sizes that say little, and a clear word for each kind of damage."""

import hashlib
import struct
from dataclasses import replace

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keystore_samples import CHEAP, PASSPHRASE, contents, some_key

from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError, WrongPassphrase
from p2pforum.keystore.contents import VERSION, Contents, Draft, OutboxPost, decode, encode
from p2pforum.keystore.format import (
    MAGIC,
    KdfCost,
    Lock,
    derive,
    new_lock,
    parse,
    seal,
    unseal,
)

LOCKS = {"encrypted": new_lock(PASSPHRASE, CHEAP), "plain": Lock()}
modes = pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS.keys())


def with_checksum(raw: bytes) -> bytes:
    return raw + hashlib.sha256(raw).digest()


def with_header_field(raw: bytes, offset: int, value: bytes) -> bytes:
    """What someone makes who knows the format: the checksum is no secret."""
    return with_checksum((raw[:offset] + value + raw[offset + len(value) :])[:-32])


@pytest.mark.slow
@given(contents)
def test_contents_survive_and_have_one_encoding(value: Contents) -> None:
    encoded = encode(value)
    decoded = decode(encoded)
    assert decoded == value
    assert encode(decoded) == encoded


@given(contents, st.data())
def test_changed_contents_are_refused_or_mean_something_else(value: Contents, data: st.DataObject) -> None:
    """Never another exception, never a second spelling of the same in one version."""
    encoded = bytearray(encode(value))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode(bytes(encoded))
    except KeystoreError:
        return
    assert decoded != value or encoded[1] == 2  # without drafts the second version has the same rows


@given(st.binary(max_size=200))
@example(b"\x80")
@example(b"\x81\x20")
@example(cbor2.dumps([1, [], [], [], [], [[bytes(32), b"seven.."]], []]))
def test_bytes_that_are_no_contents_are_refused(raw: bytes) -> None:
    with pytest.raises(KeystoreError, match=r"damaged|newer"):
        decode(raw)


def test_contents_of_a_newer_version_are_not_touched() -> None:
    with pytest.raises(KeystoreError, match="newer version"):
        decode(cbor2.dumps([VERSION + 1, "whatever is there then"]))


@given(contents)
def test_contents_of_earlier_versions_are_read(value: Contents) -> None:
    """The first had no `sent`, both had drafts without IDs. With what is of another version they are
    damaged.
    """
    fields = cbor2.loads(encode(value))
    old = [*fields[1:4], [row[1:] for row in fields[4]], *fields[5:]]
    numbered = {f"{n:08}": draft for n, (_, draft) in enumerate(sorted(value.drafts.items()), 1)}
    value = replace(value, drafts=numbered)
    assert decode(cbor2.dumps([2, *old], canonical=True)) == value
    assert decode(cbor2.dumps([1, *old[:6]], canonical=True)) == replace(value, sent={})
    wrong = [[1, *old], [2, *old[:6]], [0, *old[:5]], [-1, *old[:4]], [3, *old[:6]]]
    if numbered:
        wrong += [[3, *old], [2, *fields[1:]]]
    for damaged in wrong:
        with pytest.raises(KeystoreError, match="damaged"):
            decode(cbor2.dumps(damaged, canonical=True))


@modes
@given(st.binary(max_size=3000))
def test_sealed_contents_open_again(lock: Lock, content: bytes) -> None:
    sealed = parse(seal(content, lock), CHEAP)
    assert sealed.is_encrypted == bool(lock.key)
    assert unseal(sealed, lock.key) == content


@modes
def test_each_rewrite_is_encrypted_anew(lock: Lock) -> None:
    first, second = seal(b"same", lock), seal(b"same", lock)
    assert (first != second) == bool(lock.key)


@modes
@given(st.data())
def test_any_changed_byte_is_called_damage(lock: Lock, data: st.DataObject) -> None:
    raw = bytearray(seal(b"contents", lock))
    raw[data.draw(st.integers(len(MAGIC) + 1, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeystoreError, match="damaged"):
        parse(bytes(raw), CHEAP)


@modes
@given(st.integers(0, limits.KEYSTORE_SMALLEST * 2 - 1))
def test_a_truncated_file_is_called_so(lock: Lock, length: int) -> None:
    raw = seal(bytes(limits.KEYSTORE_SMALLEST), lock)
    with pytest.raises(KeystoreError, match=r"truncated|damaged|not a keystore"):
        parse(raw[:length], CHEAP)


@modes
def test_other_files_and_newer_ones_are_told_apart(lock: Lock) -> None:
    raw = seal(b"contents", lock)
    with pytest.raises(KeystoreError, match="not a keystore"):
        parse(b"-----BEGIN OPENSSH PRIVATE KEY-----\n" * 2000, CHEAP)
    with pytest.raises(KeystoreError, match="not a keystore"):
        parse(b"", CHEAP)
    with pytest.raises(KeystoreError, match="newer version"):
        parse(with_header_field(raw, len(MAGIC), b"\2"), CHEAP)
    with pytest.raises(KeystoreError, match="damaged"):
        parse(with_header_field(raw, len(MAGIC) + 1, b"\7"), CHEAP)


@pytest.mark.parametrize(
    ("passes", "kib"),
    [
        (3, 4 * 1024 * 1024),  # 4 GiB: uses up the machine
        (2**32 - 1, 256 * 1024),  # for ever
        (17, 64 * 1024),
        (3, 63 * 1024),
        (0, 64 * 1024),
        (0, 0),
    ],
)
def test_an_absurd_cost_is_refused_before_it_is_paid(passes: int, kib: int) -> None:
    raw = with_header_field(seal(b"contents", LOCKS["encrypted"]), 12, struct.pack(">II", passes, kib))
    with pytest.raises(KeystoreError, match="no version of p2pforum writes that"):
        parse(raw, KdfCost(1, limits.KDF_LEAST_MEMORY))


def test_the_default_cost_is_accepted_and_is_256_mib() -> None:
    assert KdfCost() == KdfCost(3, 256 * 2**20)
    raw = seal(b"x", Lock(bytes(32), bytes(16), KdfCost()))
    assert parse(raw, KdfCost(1, limits.KDF_LEAST_MEMORY)).cost == KdfCost()


def test_a_wrong_passphrase_has_one_constant_text() -> None:
    lock = LOCKS["encrypted"]
    sealed = parse(seal(b"contents", lock), CHEAP)
    texts = set()
    for guess in (b"", b"correct hors", b"correct horse ", b"\0" * 100):
        with pytest.raises(WrongPassphrase) as caught:
            unseal(sealed, derive(guess, lock.salt, CHEAP))
        texts.add(str(caught.value))
    assert texts == {"the passphrase does not open this keystore"}


def test_the_header_is_part_of_what_is_sealed() -> None:
    lock = LOCKS["encrypted"]
    raw = seal(b"contents", lock)
    salted = parse(with_header_field(raw, 20, b"another salt...."), CHEAP)
    with pytest.raises(WrongPassphrase):
        unseal(salted, lock.key)


def test_padding_that_is_not_zero_is_damage() -> None:
    raw = with_header_field(seal(b"contents", Lock()), 5000, b"hidden")
    with pytest.raises(KeystoreError, match="damaged"):
        unseal(parse(raw, CHEAP), b"")


@modes
def test_the_size_does_not_tell_the_number_of_keys(lock: Lock) -> None:
    """Control: what is not padded does."""
    sizes, bare = set(), set()
    for count in (0, 1, 10, 100, 400):
        box = Contents(keys={key.public: key for key in map(some_key, range(count))})
        encoded = encode(box)
        bare.add(len(encoded))
        sizes.add(len(seal(encoded, lock)))
    assert sizes == {limits.KEYSTORE_SMALLEST}
    assert len(bare) == 5


@given(st.integers(0, 300_000))
def test_sizes_are_powers_of_two(length: int) -> None:
    size = len(seal(bytes(length), Lock()))
    assert size & (size - 1) == 0
    assert size >= max(length, limits.KEYSTORE_SMALLEST)


def test_a_keystore_too_large_to_read_is_not_written() -> None:
    with pytest.raises(KeystoreError, match="full"):
        seal(bytes(limits.KEYSTORE_LARGEST), Lock())


def test_no_repr_shows_a_secret() -> None:
    key = some_key(7, bytes(32), "fox")
    box = Contents(
        keys={key.public: key},
        outbox=[OutboxPost(bytes(32), "n", b"raw-secret")],
        drafts={"board x": Draft("board x", "s", "draft-secret", 1)},
        petnames={(b"", key.public): "petname-secret"},
    )
    shown = " ".join(map(repr, (key, box, *box.outbox, *box.drafts.values(), LOCKS["encrypted"])))
    assert "secret" not in shown
    assert "fox" not in shown
    assert repr(key.seed)[2:-1] not in shown
    assert repr(LOCKS["encrypted"].key)[2:-1] not in shown
