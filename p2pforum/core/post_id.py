"""The ID of a post (SHA-256 of its Sig_structure) and how people write it."""

import hashlib

ID_SIZE = 32  # bytes
SHORT = 8  # characters shown: unique for a million posts (median prefix 5, p99 7)
TEXT_LENGTH = 52  # characters of a whole ID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u
_VALUE = {c: i for i, c in enumerate(_ALPHABET)} | {"i": 1, "l": 1, "o": 0}


def post_id(sig_structure: bytes) -> bytes:
    """32 bytes. The ID commits to the stamp and not to the signature, so a second signature
    makes no second post.
    """
    return hashlib.sha256(sig_structure).digest()


def format_id(value: bytes) -> str:
    """32 bytes (an ID or a key) as 52 characters of lower-case Crockford base32."""
    number = int.from_bytes(value, "big") << 4  # 256 bits, padded to 260 = 52 * 5
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(255, -1, -5))


def short_id(value: bytes) -> str:
    return format_id(value)[:SHORT]


def parse_prefix(text: str) -> tuple[bytes, bytes]:
    """Give the lowest and the highest 32 bytes that the written prefix can mean.

    Raises ValueError for text that no ID begins with.
    """
    digits = text.strip().lower().replace("-", "")
    if not digits or len(digits) > TEXT_LENGTH or any(c not in _VALUE for c in digits):
        raise ValueError(f'"{text}" is not an ID')
    number = 0
    for c in digits:
        number = number << 5 | _VALUE[c]
    free = 260 - 5 * len(digits)  # bits that the prefix leaves open, 4 of padding included
    low, high = number << free, (number + 1 << free) - 1
    if len(digits) == TEXT_LENGTH and low & 15:
        raise ValueError(f'"{text}" is not an ID')
    return (low >> 4).to_bytes(ID_SIZE, "big"), (high >> 4).to_bytes(ID_SIZE, "big")


def parse_id(text: str) -> bytes:
    """A whole ID. Raises ValueError for a shorter one: an attacker can make a post whose ID
    has a given prefix.
    """
    low, high = parse_prefix(text)
    if low != high or len(text.strip().replace("-", "")) != TEXT_LENGTH:
        raise ValueError(f'"{text}" is not a whole ID')
    return low
