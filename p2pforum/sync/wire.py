"""Negentropy v1 messages: ranges over (hour, post ID), each skipped, fingerprinted or listed.

Bytes as in hoytech/negentropy's specification, so that three independent implementations can check
ours. Decoding is strict: one spelling of a number and of a bound, and bounds that never descend (an
empty range is legal: a reference with a frame limit can end a message with one). What a range means
is not decided here.
"""

import enum
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post_id import ID_SIZE

VERSION = 0x61
FINGERPRINT_SIZE = 16
INFINITY = 2**64 - 1  # not an hour: above all of them
_MAX_VARINT = 2**64

Bound = tuple[int, bytes]
"""(hour, prefix of an ID); missing bytes count as zeros. Compares with keys as tuples do."""

LOWEST: Bound = (0, b"")
HIGHEST: Bound = (INFINITY, b"")


class Mode(enum.IntEnum):
    SKIP = 0
    FINGERPRINT = 1
    ID_LIST = 2


class Range(NamedTuple):
    """From the upper bound of the range before (the first: LOWEST) to below `upper`.

    `payload` is empty, 16 bytes, or IDs one after another.
    """

    upper: Bound
    mode: Mode
    payload: bytes


def encode_varint(n: int) -> bytes:
    """Base 128, most significant digit first, as few digits as possible."""
    if n < 0x80:
        return n.to_bytes(1, "big")
    digits = bytearray([n & 0x7F])
    n >>= 7
    while n:
        digits.append(0x80 | (n & 0x7F))
        n >>= 7
    digits.reverse()
    return bytes(digits)


def read_varint(buffer: bytes, at: int) -> tuple[int, int]:
    """The number that starts at `at`, and where the next thing starts."""
    try:
        byte = buffer[at]
        if byte < 0x80:
            return byte, at + 1
        if byte == 0x80:
            raise RemoteProtocolError("a number with a leading zero digit")
        n = 0
        while byte & 0x80:
            n = n << 7 | byte & 0x7F
            if n >= _MAX_VARINT >> 7:
                raise RemoteProtocolError("a number of more than 64 bits")
            at += 1
            byte = buffer[at]
    except IndexError:
        raise RemoteProtocolError("the bytes end inside a number") from None
    return n << 7 | byte, at + 1


def fingerprint(total: int, count: int) -> bytes:
    """16 bytes for `count` IDs whose sum as little-endian numbers, mod 2^256, is `total`."""
    return hashlib.sha256(total.to_bytes(32, "little") + encode_varint(count)).digest()[:FINGERPRINT_SIZE]


def separator(before: tuple[int, bytes], after: tuple[int, bytes]) -> Bound:
    """The shortest bound above the key `before` and not above the key `after`."""
    if before[0] != after[0]:
        return (after[0], b"")
    shared = 0
    for a, b in zip(before[1], after[1], strict=True):
        if a != b:
            break
        shared += 1
    return (after[0], after[1][: shared + 1])


class Writer:
    """Builds one message, range after range upwards. Hours are written as differences."""

    def __init__(self) -> None:
        self._out = bytearray([VERSION])
        self.reached = LOWEST  #: the upper bound of the last range

    def __len__(self) -> int:
        return len(self._out)

    @property
    def is_empty(self) -> bool:
        return len(self._out) == 1

    def encode(self, lower: Bound, found: Range) -> bytes:
        """How a range from `lower` on would be written here, with a skip up to there if need be."""
        if self.reached == lower:
            return _encode(self.reached[0], found)
        return _encode(self.reached[0], Range(lower, Mode.SKIP, b"")) + _encode(lower[0], found)

    def add(self, encoded: bytes, upper: Bound) -> None:
        """Append what `encode` gave, with nothing added in between."""
        self._out += encoded
        self.reached = upper

    def write(self, lower: Bound, ranges: Iterable[Range]) -> None:
        """Append ranges that follow each other, the first from `lower` on."""
        for found in ranges:
            self.add(self.encode(lower, found), found.upper)
            lower = found.upper

    def copy(self) -> "Writer":
        twin = Writer()
        twin._out[:] = self._out
        twin.reached = self.reached
        return twin

    def message(self) -> bytes:
        return bytes(self._out)


def _encode(hour: int, found: Range) -> bytes:
    """A range whose lower bound, or whose skip before it, has this hour."""
    upper, mode, payload = found
    step = b"\0" if upper[0] == INFINITY else encode_varint(upper[0] - hour + 1)
    if mode is Mode.ID_LIST:
        payload = encode_varint(len(payload) // ID_SIZE) + payload
    return b"%b%c%b%c%b" % (step, len(upper[1]), upper[1], mode, payload)


class _Reader:
    """Walks over one message; every fault is a RemoteProtocolError."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 1
        self._hour = 0
        self._padded = bytes(ID_SIZE)  # the prefix of the last bound, as a whole ID

    def more(self) -> bool:
        return self._at < len(self._message)

    def range(self) -> Range:
        upper = self._bound()
        mode, self._at = read_varint(self._message, self._at)
        if mode == Mode.SKIP:
            return Range(upper, Mode.SKIP, b"")
        if mode == Mode.FINGERPRINT:
            return Range(upper, Mode.FINGERPRINT, self._bytes(FINGERPRINT_SIZE))
        if mode == Mode.ID_LIST:
            count, self._at = read_varint(self._message, self._at)
            return Range(upper, Mode.ID_LIST, self._bytes(count * ID_SIZE))
        raise RemoteProtocolError(f"a range of the unknown mode {mode}")

    def _bound(self) -> Bound:
        step, self._at = read_varint(self._message, self._at)
        size, self._at = read_varint(self._message, self._at)
        if size > ID_SIZE:
            raise RemoteProtocolError("a bound longer than an ID")
        prefix = self._bytes(size)
        hour = INFINITY if step == 0 else self._hour + step - 1
        if hour > INFINITY or (hour == INFINITY and (step or prefix)):
            raise RemoteProtocolError("a bound at infinity that is not spelled as infinity")
        padded = prefix.ljust(ID_SIZE, b"\0")
        if hour == self._hour and padded < self._padded:
            raise RemoteProtocolError("bounds that descend")
        self._hour, self._padded = hour, padded
        return (hour, prefix)

    def _bytes(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._message):
            raise RemoteProtocolError("a message that ends inside a range")
        taken = self._message[self._at : end]
        self._at = end
        return taken


def decode(message: bytes) -> list[Range]:
    """All ranges of a message. Raises RemoteProtocolError for anything but a whole v1 message.

    Two skips in a row are refused: nobody needs them, and they would be the cheapest way to make
    us work. The caller bounds the length of `message`, and with it the work and the memory.
    """
    if not message or message[0] != VERSION:
        raise RemoteProtocolError("not a message of protocol version 1")
    reader = _Reader(message)
    ranges: list[Range] = []
    skipped = False
    while reader.more():
        found = reader.range()
        if skipped and found.mode is Mode.SKIP:
            raise RemoteProtocolError("two skips in a row")
        skipped = found.mode is Mode.SKIP
        ranges.append(found)
    return ranges
