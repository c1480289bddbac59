"""Yamux frames: bytes in, frames out, no I/O.

A frame is a header of 12 bytes (version, type, flags, stream, length), and for DATA `length` bytes more. A
peer that sends an unknown type or version breaks the protocol.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from p2pforum.core.errors import RemoteProtocolError

HEADER = struct.Struct("!BBHII")

DATA, WINDOW_UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8

GO_AWAY_NORMAL, GO_AWAY_PROTOCOL_ERROR = 0, 1


class Frame(NamedTuple):
    """`length` is the size of `body` for DATA; for others a number: window, ping value, reason."""

    kind: int
    flags: int
    stream: int
    length: int
    body: bytes = b""


def header(kind: int, flags: int, stream: int, length: int) -> bytes:
    return HEADER.pack(0, kind, flags, stream, length)


class YamuxFrameReader:
    """Feed it what arrives; it yields all complete frames. It holds one frame at most."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """Bytes of the incomplete frame."""
        return len(self._buffer)

    def feed(self, arrived: bytes | bytearray) -> Iterator[Frame]:
        """Yield the frames that are complete now. Raises RemoteProtocolError for one that is not Yamux or too
        large."""
        self._buffer += arrived
        start = 0
        try:
            while len(self._buffer) - start >= HEADER.size:
                version, kind, flags, stream, length = HEADER.unpack_from(self._buffer, start)
                if version != 0 or kind > GO_AWAY:
                    raise RemoteProtocolError("not a Yamux frame")
                size = length if kind == DATA else 0
                if size > self._max_body:
                    raise RemoteProtocolError("a Yamux frame larger than any window")
                end = start + HEADER.size + size
                if len(self._buffer) < end:
                    return
                body = bytes(self._buffer[start + HEADER.size : end])
                start = end
                yield Frame(kind, flags, stream, length, body)
        finally:
            del self._buffer[:start]
