"""Proof of work on a post: Argon2id of its ID must begin with `bits` zero bits.

It puts a price on a post and orders posts in a queue. It does not stop an attacker with a
GPU, and the docs say so. Algorithm 1 is Argon2id (RFC 9106), t=1, m=256 KiB, p=1, 32 bytes
out: 0.14 ms to check. The salt binds it to one hour, so an attacker can't mint long ahead.
The wanted bits are inside the post, so luck does not count.
"""

import hashlib
from dataclasses import dataclass

NONCE_SIZE = 8  # bytes
ARGON2ID_256K = 1
_MEMORY = 256 * 1024  # bytes
_PASSES = 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """`bits` is the work the author committed to, `nonce` what was found by grinding."""

    algorithm: int
    bits: int
    nonce: bytes


def blank_stamp(bits: int) -> Stamp:
    """A stamp yet to be minted."""
    return Stamp(ARGON2ID_256K, bits, bytes(NONCE_SIZE))


def stamp_salt(hour: int) -> bytes:
    """16 bytes: SHA-256(hour as 4 bytes, big-endian), cut. The ID commits to the network and the board."""
    return hashlib.sha256(hour.to_bytes(4, "big")).digest()[:16]


def stamp_bits(post_id: bytes, salt: bytes) -> int:
    """The number of leading zero bits that this ID earns: 0.14 ms."""
    from nacl.pwhash import argon2id  # see signature.py

    digest = argon2id.kdf(32, post_id, salt, opslimit=_PASSES, memlimit=_MEMORY)
    return 256 - int.from_bytes(digest, "big").bit_length()


def is_stamped(post_id: bytes, stamp: Stamp, hour: int) -> bool:
    """Whether the stamp has the bits it claims. Stamps of unknown algorithms never have."""
    if stamp.algorithm != ARGON2ID_256K:
        return False
    return stamp.bits == 0 or stamp_bits(post_id, stamp_salt(hour)) >= stamp.bits


def grind(sig_structure: bytes, salt: bytes, bits: int, start: int, count: int) -> int | None:
    """Try `count` nonces from `start` on; give the first that earns `bits`, or None.

    `sig_structure` must end with the nonce (Payload.encode puts it there). One call is bounded, so the caller
    can spread the work over threads (libsodium releases the GIL), show progress and stop.
    """
    head = sig_structure[:-NONCE_SIZE]
    for nonce in range(start, start + count):
        candidate = hashlib.sha256(head + nonce.to_bytes(NONCE_SIZE, "big")).digest()
        if stamp_bits(candidate, salt) >= bits:
            return nonce
    return None
