"""The outside of a post: 18([ <<{1: -19, 4: key}>>, {}, <<payload>>, signature ]), and what is signed.

Opening it decodes nothing: the canonical encoding leaves no choice around key, payload and signature, so they
are found by their positions. Not what the payload says (post.py).
"""

from p2pforum.core import signature
from p2pforum.core.errors import InvalidPost

_KEY_HEAD = b"\x58\x26\xa2\x01\x32\x04\x58\x20"  # a byte string: {1: -19 (RFC 9864), 4: 32 bytes
_BEFORE_KEY = b"\xd2\x84" + _KEY_HEAD  # tag 18 (COSE_Sign1), an array of four
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
    """The bytes of a post as they travel."""
    return b"".join(
        (_BEFORE_KEY, author, _AFTER_KEY, _bytes_head(len(payload)), payload, _BEFORE_SIGNATURE, sig)
    )


def to_be_signed(author: bytes, payload: bytes, aad: bytes) -> bytes:
    """The Sig_structure of RFC 9052 §4.4: ["Signature1", protected headers, aad, payload]."""
    return b"".join(
        (_SIGNATURE1, _KEY_HEAD, author, _bytes_head(len(aad)), aad, _bytes_head(len(payload)), payload)
    )


def open_up(raw: bytes) -> Parts:
    """Key, payload and signature of a post's bytes. Raises InvalidPost for anything but the one encoding."""
    for head_size in (3, 2, 1):
        start = _PAYLOAD_HEAD + head_size
        end = len(raw) - _TAIL
        if end >= start and raw[_PAYLOAD_HEAD:start] == _bytes_head(end - start):
            break
    else:
        raise InvalidPost("not the envelope of a post")
    if not raw.startswith(_BEFORE_KEY) or raw[_KEY_END:_PAYLOAD_HEAD] != _AFTER_KEY:
        raise InvalidPost("other headers than the algorithm Ed25519 and a key")
    if not raw.startswith(_BEFORE_SIGNATURE, end):
        raise InvalidPost("not a signature of 64 bytes at the end")
    return raw[_KEY:_KEY_END], raw[start:end], raw[-signature.SIGNATURE_SIZE :]


def _bytes_head(size: int) -> bytes:
    """The head that CBOR puts before a byte string of `size` bytes."""
    if size < 24:
        return bytes((0x40 | size,))
    if size < 2**8:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big") if size < 2**16 else b"\x5a" + size.to_bytes(4, "big")
