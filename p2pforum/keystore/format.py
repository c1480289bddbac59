"""The bytes of a keystore file: header, sealed and padded contents, checksum (docs/KEYSTORE.md).

    header (64) | length (4) contents zeros | tag (16) | SHA-256 of all before (32)

Pure but for the random salt and nonce. The size of a file is always a power of two, so that it shows the
number of keys only within a factor of two. The checksum protects from no attacker: it tells a damaged file
from a wrong passphrase before half a second is spent on the passphrase.
"""

import hashlib
import struct
from dataclasses import dataclass, field

from nacl import bindings, pwhash
from nacl.exceptions import CryptoError
from nacl.utils import random

from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError, WrongPassphrase

MAGIC = b"p2pfkeys"
VERSION = 1
PLAIN = 0
ARGON2ID_XCHACHA20 = 1

_HEADER = struct.Struct(">8sBBHII16s24s4x")  # magic, version, mode, 0, passes, memory in KiB, salt, nonce
_MARK_SIZE = 36
_LENGTH = struct.Struct(">I")
_TAG_SIZE = 16
_SUM_SIZE = 32
_OVERHEAD = _HEADER.size + _LENGTH.size + _TAG_SIZE + _SUM_SIZE
_DAMAGED = "the keystore file is damaged; restore a backup"


@dataclass(frozen=True, slots=True)
class KdfCost:
    """The cost of trying one passphrase: Argon2id passes over `memory` bytes."""

    passes: int = limits.KDF_PASSES
    memory: int = limits.KDF_MEMORY


def least_cost(asked: KdfCost | None) -> KdfCost:
    """The cheapest KDF that this program accepts in a file. Tests make cheaper files, and ask for them."""
    memory = limits.KDF_LEAST_MEMORY if asked is None else min(asked.memory, limits.KDF_LEAST_MEMORY)
    return KdfCost(1, memory)


@dataclass(frozen=True, slots=True)
class Lock:
    """How a file is locked: the key and what it was derived from. `key` is empty in plain mode."""

    key: bytes = field(default=b"", repr=False)
    salt: bytes = bytes(16)
    cost: KdfCost = field(default=KdfCost(0, 0))

    @property
    def mode(self) -> int:
        return ARGON2ID_XCHACHA20 if self.key else PLAIN


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file whose outer form is right. Its key is needed to open it."""

    mode: int
    cost: KdfCost
    salt: bytes
    nonce: bytes
    header: bytes
    body: bytes

    @property
    def is_encrypted(self) -> bool:
        return self.mode == ARGON2ID_XCHACHA20

    @property
    def mark(self) -> bytes:
        """How the file begins as long as its passphrase stays the same: all of the header
        before the nonce.
        """
        return self.header[:_MARK_SIZE]


def new_lock(passphrase: bytes, cost: KdfCost) -> Lock:
    salt = random(16)
    return Lock(derive(passphrase, salt, cost), salt, cost)


def derive(passphrase: bytes, salt: bytes, cost: KdfCost) -> bytes:
    """The 32-byte key. Takes half a second at the default cost, so that guessing is expensive. Raises
    KeystoreError for a passphrase that is too long, and if memory is short.
    """
    if len(passphrase) > limits.MAX_PASSPHRASE:
        raise KeystoreError(f"a passphrase has at most {limits.MAX_PASSPHRASE} bytes")
    try:
        return bytes(pwhash.argon2id.kdf(32, passphrase, salt, opslimit=cost.passes, memlimit=cost.memory))
    except (CryptoError, MemoryError) as error:
        mib = cost.memory // limits.KIB**2
        raise KeystoreError(f"not enough memory to open the keystore: it takes {mib} MiB") from error


def seal(contents: bytes, lock: Lock) -> bytes:
    """The bytes of the whole file, encrypted under a new random nonce each time. Raises
    KeystoreError if it is full.
    """
    size = _padded_size(len(contents))
    nonce = random(24) if lock.key else bytes(24)
    kib = lock.cost.memory // limits.KIB
    header = _HEADER.pack(MAGIC, VERSION, lock.mode, 0, lock.cost.passes, kib, lock.salt, nonce)
    plain = (_LENGTH.pack(len(contents)) + contents).ljust(size - _OVERHEAD + _LENGTH.size, b"\0")
    if lock.key:
        body = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, header, nonce, lock.key)
    else:
        body = plain + bytes(_TAG_SIZE)
    return header + body + hashlib.sha256(header + body).digest()


def is_whole(raw: bytes) -> bool:
    """Whether the checksum fits. It does if nothing was lost or changed by accident."""
    return hashlib.sha256(raw[:-_SUM_SIZE]).digest() == raw[-_SUM_SIZE:]


def parse(raw: bytes, least: KdfCost) -> Sealed:
    """Check the outer form. Raises KeystoreError. An attacker's file can't make this call expensive.

    `least` is the cheapest KDF that is accepted.
    """
    if not raw.startswith(MAGIC[: len(raw)]) or not raw:
        raise KeystoreError("this is not a keystore file")
    if len(raw) > _HEADER.size and raw[len(MAGIC)] > VERSION:
        raise KeystoreError("the keystore was written by a newer version of p2pforum; update this one")
    if len(raw) < limits.KEYSTORE_SMALLEST or len(raw) & (len(raw) - 1):
        raise KeystoreError("the keystore file is truncated; restore a backup")
    if not is_whole(raw):
        raise KeystoreError(_DAMAGED)
    header, body = raw[: _HEADER.size], raw[_HEADER.size : -_SUM_SIZE]
    _, version, mode, zero, passes, kib, salt, nonce = _HEADER.unpack(header)
    if version != VERSION or mode not in (PLAIN, ARGON2ID_XCHACHA20) or zero or any(header[-4:]):
        raise KeystoreError(_DAMAGED)
    cost = KdfCost(passes, kib * limits.KIB)
    if mode == ARGON2ID_XCHACHA20:
        _check_cost(cost, least)
    return Sealed(mode, cost, salt, nonce, header, body)


def _check_cost(cost: KdfCost, least: KdfCost) -> None:
    too_dear = cost.memory > limits.KDF_MOST_MEMORY or cost.passes > limits.KDF_MOST_PASSES
    if too_dear or cost.memory < least.memory or cost.passes < least.passes:
        mib = cost.memory / limits.KIB**2
        raise KeystoreError(
            f"the keystore file asks for {cost.passes} passes over {mib:g} MiB to check a passphrase: "
            "no version of p2pforum writes that, so it is damaged or not yours"
        )


def unseal(sealed: Sealed, key: bytes) -> bytes:
    """The contents. Raises WrongPassphrase if the key is not the file's, KeystoreError if
    they are damaged.
    """
    if sealed.is_encrypted:
        try:
            plain = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed.body, sealed.header, sealed.nonce, key
            )
        except CryptoError:
            raise WrongPassphrase from None
    else:
        plain = sealed.body[:-_TAG_SIZE]
    (length,) = _LENGTH.unpack_from(plain)
    end = _LENGTH.size + length
    if end > len(plain) or plain.count(0, end) != len(plain) - end:
        raise KeystoreError(_DAMAGED)
    return bytes(plain[_LENGTH.size : end])


def _padded_size(length: int) -> int:
    size = max(limits.KEYSTORE_SMALLEST, 1 << (length + _OVERHEAD - 1).bit_length())
    if size > limits.KEYSTORE_LARGEST:
        raise KeystoreError("the keystore is full: burn old keys and drafts, or forget old read marks")
    return size
