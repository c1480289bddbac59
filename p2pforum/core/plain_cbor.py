"""The part of CBOR (RFC 8949) that posts are made of: numbers, bytes, texts and arrays.

Bytes of strangers are walked over before anything decodes them. A decoder left to itself follows tags
(one makes it compile a regular expression: 13 kB, 16 s), builds maps with colliding keys, and nests.
What passes here has one encoding only, so nothing has to be encoded again to see that it was that one.
"""

from typing import Any

import cbor2

from p2pforum.core.errors import InvalidPost

_LEAST = (24, 1 << 8, 1 << 16, 1 << 32)  # of a number that needs 1, 2, 4, 8 bytes behind its head
_BYTES, _TEXT, _ARRAY = 2, 3, 4  # major types; 0 and 1 are numbers, 5 to 7 have no place in a post


def loads(raw: bytes, depth: int) -> Any:
    """One value, with arrays at most `depth` deep. Raises InvalidPost for anything but its one encoding."""
    check(raw, depth)
    try:
        return cbor2.loads(raw)
    except Exception as error:  # a text that is not UTF-8
        raise InvalidPost("not CBOR") from error


def check(raw: bytes, depth: int) -> None:
    """Raises InvalidPost. Takes a step for each value, and no memory."""
    size = len(raw)
    place = 0
    left = [1]  # values to come: in the whole, in the array, in the array within
    while left:
        if not left[-1]:
            left.pop()
            continue
        left[-1] -= 1
        major, number, place = _head(raw, place, size)
        if major in (_BYTES, _TEXT):
            place += number
            if place > size:
                raise InvalidPost("CBOR that ends too early")
        elif major == _ARRAY:
            if len(left) > depth or number > size - place:  # each value takes a byte at least
                raise InvalidPost("arrays nested too deep, or longer than the post")
            left.append(number)
    if place != size:
        raise InvalidPost("something behind the end")


def _head(raw: bytes, place: int, size: int) -> tuple[int, int, int]:
    """Major type, number, and the place behind both."""
    if place >= size:
        raise InvalidPost("CBOR that ends too early")
    major, low = raw[place] >> 5, raw[place] & 31
    if major > _ARRAY:
        raise InvalidPost("a map, a tag, a float or a simple value")
    place += 1
    if low < 24:
        return major, low, place
    if low > 27:
        raise InvalidPost("a length that is left open")
    end = place + (1 << low - 24)
    number = int.from_bytes(raw[place:end], "big")
    if end > size or number < _LEAST[low - 24]:
        raise InvalidPost("not the canonical encoding")
    return major, number, end
