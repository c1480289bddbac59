"""Negentropy v1 messages: ranges over (hour, post ID), each skipped, fingerprinted or listed.

Bytes as in hoytech/negentropy's specification, so that three independent implementations can check ours; only
the fingerprints in them differ (fingerprint.py). Decoding is strict: one encoding of a number and of a bound,
and bounds that never descend. (An empty range is legal: a reference with a frame limit can end a message with
one.) Other files decide what a range means.
"""

import enum

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post_id import ID_SIZE

VERSION = 0x61
FINGERPRINT_SIZE = 16
INFINITY = 2**64 - 1  # not an hour, but above all hours
_MAX_VARINT = 2**64
_CUT = "a message that ends inside a range"

Bound = tuple[int, bytes]
"""(hour, prefix of an ID); missing bytes count as zeros. Compares with keys as tuples do."""

LOWEST: Bound = (0, b"")
HIGHEST: Bound = (INFINITY, b"")


class Mode(enum.IntEnum):
    SKIP = 0
    FINGERPRINT = 1
    ID_LIST = 2


SKIP, FINGERPRINT, ID_LIST = Mode  # names for speed, because each range needs one

Range = tuple[Bound, Mode, bytes]
"""(upper, mode, payload): from the upper bound of the range before (the first: LOWEST) to below `upper`.

`payload` is empty, 16 bytes, or IDs one after another. A plain tuple: sessions make tens of thousands.
"""

_DIGITS = [bytes([n]) for n in range(0x80)]


def encode_varint(n: int) -> bytes:
    """Base 128, most significant digit first, as few digits as possible (Negentropy v1)."""
    if n < 0x80:
        return _DIGITS[n]
    if n < 0x4000:
        return bytes((0x80 | n >> 7, n & 0x7F))
    digits = bytearray([n & 0x7F])
    n >>= 7
    while n:
        digits.append(0x80 | (n & 0x7F))
        n >>= 7
    digits.reverse()
    return bytes(digits)


def read_varint(buffer: bytes, at: int) -> tuple[int, int]:
    """The number that starts at `at`, and where the next field starts. Raises RemoteProtocolError."""
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


def separator(before: tuple[int, bytes], after: tuple[int, bytes]) -> Bound:
    """The shortest bound above the key `before` and not above the key `after`."""
    if before[0] != after[0]:
        return (after[0], b"")
    shared, one, other = 0, before[1], after[1]
    while one[shared] == other[shared]:
        shared += 1
    return (after[0], other[: shared + 1])


class MessageWriter:
    """Builds one message, range after range upwards. Hours are written as differences."""

    def __init__(self) -> None:
        self._out = bytearray([VERSION])
        self.reached = LOWEST  #: the upper bound of the last range

    def __len__(self) -> int:
        return len(self._out)

    @property
    def is_empty(self) -> bool:
        return len(self._out) == 1

    def add(self, lower: Bound, found: Range, limit: int = 0) -> bool:
        """Append a range from `lower` on, with a skip up to there if need be.

        False, and nothing is added, if the message would be longer than `limit` and is not empty.
        """
        piece = _encode(lower[0], found)
        if self.reached != lower:
            piece = _encode(self.reached[0], (lower, SKIP, b"")) + piece
        out = self._out
        if limit and len(out) + len(piece) > limit and len(out) > 1:
            return False
        out += piece
        self.reached = found[0]
        return True

    def message(self) -> bytes:
        return bytes(self._out)


def _encode(hour: int, found: Range) -> bytes:
    """A range whose lower bound, or the skip before it, has this hour."""
    (upper, prefix), mode, payload = found
    step = b"\0" if upper == INFINITY else encode_varint(upper - hour + 1)
    if mode is ID_LIST:
        payload = encode_varint(len(payload) // ID_SIZE) + payload
    return step + _DIGITS[len(prefix)] + prefix + _DIGITS[mode] + payload


def decode(message: bytes) -> list[Range]:
    """All ranges of a message. Raises RemoteProtocolError for anything but a whole v1 message.

    Two skips in a row are refused. No honest peer needs them, and for an attacker they would be the cheapest
    way to make this node work. The caller bounds the length of `message`, and so the work and the memory.
    """
    if not message or message[0] != VERSION:
        raise RemoteProtocolError("not a message of protocol version 1")
    ranges: list[Range] = []
    upper, before, at = LOWEST, FINGERPRINT, 1
    while at < len(message):
        try:
            upper, at = _read_bound(message, at, upper)
            mode, payload, at = _read_payload(message, at)
        except IndexError:
            raise RemoteProtocolError("the bytes end inside a number") from None
        if mode is SKIP and before is SKIP:
            raise RemoteProtocolError("two skips in a row")
        before = mode
        ranges.append((upper, mode, payload))
    return ranges


def _read_bound(message: bytes, at: int, last: Bound) -> tuple[Bound, int]:
    """The bound that starts at `at`, not below `last`, and where the next field starts."""
    step, size = message[at], message[at + 1]  # mostly numbers of one digit
    at += 2
    if step >= 0x80 or size >= 0x80:
        step, at = read_varint(message, at - 2)
        size, at = read_varint(message, at)
    if size > ID_SIZE:
        raise RemoteProtocolError("a bound longer than an ID")
    prefix = message[at : at + size]
    if len(prefix) < size:
        raise RemoteProtocolError(_CUT)
    hour = last[0] + step - 1 if step else INFINITY
    if hour >= INFINITY and (hour > INFINITY or step or prefix):
        raise RemoteProtocolError("a bound at infinity that is not spelled as infinity")
    if hour == last[0] and prefix < last[1] and prefix.ljust(ID_SIZE, b"\0") < last[1].ljust(ID_SIZE, b"\0"):
        raise RemoteProtocolError("bounds that descend")
    return (hour, prefix), at + size


def _read_payload(message: bytes, at: int) -> tuple[Mode, bytes, int]:
    """The mode that starts at `at`, its payload, and where the next field starts."""
    number = message[at]
    at += 1
    if number >= 0x80:
        number, at = read_varint(message, at - 1)
    if number == SKIP:
        return SKIP, b"", at
    if number == FINGERPRINT:
        mode, size = FINGERPRINT, FINGERPRINT_SIZE
    elif number == ID_LIST:
        count, at = read_varint(message, at)
        mode, size = ID_LIST, count * ID_SIZE
    else:
        raise RemoteProtocolError(f"a range of the unknown mode {number}")
    payload = message[at : at + size]
    if len(payload) < size:
        raise RemoteProtocolError(_CUT)
    return mode, payload, at + size
