"""The outside of a post: 18([ <<{1: -19, 4: key}>>, {}, <<payload>>, signature ]), and what is signed.

Nothing is decoded to be opened: the canonical encoding leaves no choice around key, payload and signature,
so they are found by their places. Not what the payload says (post.py).
"""

from collections.abc import Mapping
from typing import Any

import cbor2

from p2pforum.core import signature
from p2pforum.core.errors import InvalidPost

_ALG_ED25519 = -19  # RFC 9864
_COSE_SIGN1 = 18

_KEY_HEAD = b"\x58\x26\xa2\x01\x32\x04\x58\x20"  # a byte string that holds {1: -19, 4: 32 bytes
_BEFORE_KEY = b"\xd2\x84" + _KEY_HEAD  # tag 18, an array of four
_AFTER_KEY = b"\xa0"  # no unprotected headers
_BEFORE_SIGNATURE = b"\x58\x40"
_SIGNATURE1 = b"\x84\x6aSignature1"  # an array of four, its first text

_KEY = len(_BEFORE_KEY)
_KEY_END = _KEY + signature.PUBLIC_KEY_SIZE
_PAYLOAD_HEAD = _KEY_END + len(_AFTER_KEY)
_TAIL = len(_BEFORE_SIGNATURE) + signature.SIGNATURE_SIZE

Parts = tuple[bytes, bytes, bytes]
"""Key, payload, signature."""


def close(author: bytes, payload: bytes, sig: bytes) -> bytes:
    """The bytes that travel."""
    return b"".join(
        (_BEFORE_KEY, author, _AFTER_KEY, _bytes_head(len(payload)), payload, _BEFORE_SIGNATURE, sig)
    )


def to_be_signed(author: bytes, payload: bytes, aad: bytes) -> bytes:
    """The Sig_structure of RFC 9052 §4.4: ["Signature1", protected headers, aad, payload]."""
    return b"".join(
        (_SIGNATURE1, _KEY_HEAD, author, _bytes_head(len(aad)), aad, _bytes_head(len(payload)), payload)
    )


def open_up(raw: bytes) -> Parts:
    """Raises InvalidPost for anything but the one encoding."""
    parts = _by_place(raw)
    if parts is None:
        _explain(raw)
        raise InvalidPost("not the canonical encoding")
    return parts


def loads_canonical(raw: bytes) -> Any:
    """Decode CBOR and refuse every encoding but the canonical one: no second spelling of a post."""
    try:
        value = cbor2.loads(raw)
        canonical = cbor2.dumps(value, canonical=True)
    except Exception as error:  # cbor2 raises many kinds on hostile input; none may pass
        raise InvalidPost("not CBOR") from error
    if canonical != raw:
        raise InvalidPost("not the canonical encoding")
    return value


def _by_place(raw: bytes) -> Parts | None:
    for head_size in (3, 2, 1):
        start = _PAYLOAD_HEAD + head_size
        end = len(raw) - _TAIL
        if end >= start and raw[_PAYLOAD_HEAD:start] == _bytes_head(end - start):
            break
    else:
        return None
    if not raw.startswith(_BEFORE_KEY) or raw[_KEY_END:_PAYLOAD_HEAD] != _AFTER_KEY:
        return None
    if not raw.startswith(_BEFORE_SIGNATURE, end):
        return None
    return raw[_KEY:_KEY_END], raw[start:end], raw[-signature.SIGNATURE_SIZE :]


def _bytes_head(size: int) -> bytes:
    """What CBOR puts before a byte string."""
    if size < 24:
        return bytes((0x40 | size,))
    if size < 2**8:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big") if size < 2**16 else b"\x5a" + size.to_bytes(4, "big")


def _explain(raw: bytes) -> None:
    """Raises InvalidPost with what is wrong."""
    tag = loads_canonical(raw)
    if type(tag) is not cbor2.CBORTag or tag.tag != _COSE_SIGN1:
        raise InvalidPost("not a COSE_Sign1 message")
    if type(tag.value) is not tuple or len(tag.value) != 4:  # cbor2 freezes what is inside a tag
        raise InvalidPost("not a COSE_Sign1 message of four parts")
    protected, unprotected, encoded, sig = tag.value
    if type(protected) is not bytes or type(encoded) is not bytes or type(sig) is not bytes:
        raise InvalidPost("not a COSE_Sign1 message with an attached payload")
    if not isinstance(unprotected, Mapping) or unprotected or len(sig) != signature.SIGNATURE_SIZE:
        raise InvalidPost("unprotected headers or a signature of the wrong size")
    header = loads_canonical(protected)
    if type(header) is not dict or header.keys() != {1, 4} or header[1] != _ALG_ED25519:
        raise InvalidPost("protected headers other than the algorithm Ed25519 and a key")
    if type(header[4]) is not bytes or len(header[4]) != signature.PUBLIC_KEY_SIZE:
        raise InvalidPost("the key has not 32 bytes")
