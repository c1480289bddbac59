"""The part of CBOR (RFC 8949) that posts are made of: numbers, bytes, texts and arrays.

`check` walks over a stranger's bytes before any decoder sees them. An attacker could make a
plain decoder follow tags (one tag makes it compile a regular expression: 13 kB, 16 s), build
maps with colliding keys, and nest without end. Bytes that pass `check` have one encoding
only, so the node need not encode them again to compare.
"""

from typing import Any

import cbor2

from p2pforum.core.errors import InvalidPost

_LEAST = (24, 1 << 8, 1 << 16, 1 << 32)  # of a number that needs 1, 2, 4, 8 bytes behind its head
_BYTES, _ARRAY, _OTHERS = 0x40, 0x80, 0xA0  # heads: from here on byte strings and texts, arrays, the rest


def loads(raw: bytes, depth: int) -> Any:
    """Decode one value, with arrays at most `depth` deep. Raises InvalidPost for anything but
    its one encoding.
    """
    check(raw, depth)
    try:
        return cbor2.loads(raw)
    except Exception as error:  # a text that is not UTF-8
        raise InvalidPost("not CBOR") from error


def check(raw: bytes, depth: int) -> None:
    """Check that `raw` is the one encoding of one value. Raises InvalidPost. Takes a step for
    each value, and no memory: 0.3 microseconds a value. All bytes of strangers come through
    here, so it is one loop and calls nothing.
    """
    size, at = len(raw), 0
    left, above = 1, list[int]()  # values to come: in this array (first: in the whole), in those around it
    while left or above:
        if not left:
            left = above.pop()
            continue
        left -= 1
        if at >= size:
            raise InvalidPost("CBOR that ends too early")
        head = raw[at]
        number = head & 31
        at += 1
        if number >= 24 or head >= _OTHERS:
            number, at = _long_number(raw, at, head)
        if head >= _ARRAY:
            if len(above) >= depth or number > size - at:  # each value takes a byte at least
                raise InvalidPost("arrays nested too deep, or longer than the post")
            above.append(left)
            left = number
        elif head >= _BYTES:
            at += number
    if at != size:
        raise InvalidPost("CBOR that ends too early, or something behind its end")


def _long_number(raw: bytes, at: int, head: int) -> tuple[int, int]:
    """The number of 1, 2, 4 or 8 bytes at `at`, behind its head, and the offset behind it."""
    if head >= _OTHERS:
        raise InvalidPost("a map, a tag, a float or a simple value")
    low = head & 31
    if low > 27:
        raise InvalidPost("a length that is left open")
    end = at + (1 << low - 24)
    number = int.from_bytes(raw[at:end], "big")
    if end > len(raw) or number < _LEAST[low - 24]:
        raise InvalidPost("not the canonical encoding")
    return number, end
