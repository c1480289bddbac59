"""Protobuf fields of one RPC, one after the other, counted. rpc.py says what they mean."""

from collections.abc import Iterator

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5


def require(rule: bool, complaint: str) -> None:
    """Raises RemoteProtocolError if `rule` is false."""
    if not rule:
        raise RemoteProtocolError(f"an RPC with {complaint}")


class Body:
    """The bytes of one RPC, and how many fields have been read in it.

    Python takes about 1 us for each field, and an attacker can write a field without meaning in 2 bytes.
    Without a bound, one such RPC would stall the event loop for 0.1 s.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def len_fields(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(number, start, end) of each length-delimited field. Raises RemoteProtocolError."""
        for number, wire, a, b in self.fields(start, end):
            if wire == LEN:
                yield number, a, b

    def fields(self, pos: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """(number, wire type, a, b): a is the value of a varint; for other types, bytes a to b hold the
        value. Raises RemoteProtocolError for what is not protobuf, or for too many fields."""
        data = self.data
        while pos < end:
            self.count += 1
            require(self.count <= limits.MAX_RPC_FIELDS, "too many fields")
            tag, pos = _varint(data, pos, end)
            number, wire = tag >> 3, tag & 7
            require(0 < number < 2**29, "a field number out of range")
            if wire == VARINT:
                value, pos = _varint(data, pos, end)
                yield number, wire, value, 0
                continue
            if wire == LEN:
                size, pos = _varint(data, pos, end)
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
            else:
                raise RemoteProtocolError("an RPC with a wire type that is not in use")
            require(size <= end - pos, "a field that ends behind its place")
            yield number, wire, pos, pos + size
            pos += size


def _varint(body: bytes, pos: int, end: int) -> tuple[int, int]:
    value = shift = 0
    if pos < end and body[pos] < 0x80:  # nearly all
        return body[pos], pos + 1
    while pos < end:
        byte = body[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            require(value < 2**64, "a number above 64 bits")
            return value, pos
        shift += 7
        require(shift < 70, "a number that does not end")
    raise RemoteProtocolError("an RPC that is cut short")
