"""Frames on a gossip stream: each RPC follows its length, an unsigned varint in its shortest form.

`FrameSplitter` splits what comes in. It is bounded, and does no I/O.
"""

from collections.abc import Iterator

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.gossip.wire.rpc import encode_uvarint

_MAX_PREFIX = len(encode_uvarint(limits.MAX_RPC))


def frame(body: bytes) -> bytes:
    return encode_uvarint(len(body)) + body


class FrameSplitter:
    """Holds at most one RPC, and what came with its end in one read."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes | bytearray) -> Iterator[bytes]:
        """The bodies that are complete now. Raises RemoteProtocolError as soon as a length is wrong."""
        self._buffer += chunk
        while (head := self._head()) is not None and head[1] <= len(self._buffer):
            start, end = head
            body = bytes(self._buffer[start:end])
            del self._buffer[:end]  # before the yield, because the caller may take long to come back
            yield body

    @property
    def held(self) -> int:
        """Bytes in the buffer."""
        return len(self._buffer)

    def _head(self) -> tuple[int, int] | None:
        """Where the first body starts and ends; None: not known yet."""
        size = 0
        for n, byte in enumerate(self._buffer[:_MAX_PREFIX]):
            size |= (byte & 0x7F) << 7 * n
            if byte < 0x80:
                if size > limits.MAX_RPC or (n and not byte):
                    raise RemoteProtocolError("an RPC that is too long, or its length in a long form")
                return n + 1, n + 1 + size
        if len(self._buffer) >= _MAX_PREFIX:
            raise RemoteProtocolError("an RPC that is too long")
        return None
