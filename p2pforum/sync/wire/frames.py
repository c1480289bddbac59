"""The framing of a sync session: varint length, type byte, payload.

The length counts the type byte and the payload, and is checked before anything is kept. payloads.py says what
a payload holds; the session decides when a frame may come.
"""

from collections.abc import Iterator

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.wire.fields import Fields
from p2pforum.sync.wire.negentropy import encode_varint, read_varint
from p2pforum.sync.wire.payloads import (
    Boards,
    End,
    FrameType,
    Gone,
    Grant,
    Hello,
    Look,
    Neg,
    Posts,
    Pull,
    Want,
)

Frame = Hello | Look | Boards | Neg | Want | Posts | Gone | Pull | Grant | End

_FRAMES: dict[int, type[Frame]] = {
    frame.type: frame for frame in (Hello, Look, Boards, Neg, Want, Posts, Gone, Pull, Grant, End)
}
_MAX_LENGTH_BYTES = 3  # a varint of MAX_POSTS_FRAME


def encode(frame: Frame) -> bytes:
    payload = frame.payload()
    return encode_varint(len(payload) + 1) + bytes([frame.type]) + payload


def parse(body: bytes) -> Frame:
    """A frame from its type byte and payload. Raises RemoteProtocolError for anything else."""
    fields = Fields(body)
    found = _parse(fields.read(1)[0], fields)
    if fields.more():
        raise RemoteProtocolError("a frame with bytes left over")
    return found


def _parse(kind: int, fields: Fields) -> Frame:
    found = _FRAMES.get(kind)
    if found is None:
        raise RemoteProtocolError(f"a frame of the unknown type {kind}")
    return found.parse(fields)


class SyncFrameReader:
    """Splits a stream of bytes into frames, in whatever pieces the bytes come. Keeps at most one frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, received: bytes) -> Iterator[tuple[Frame, int]]:
        """The frames that are complete now, each with its size on the wire. Take them all. Raises
        RemoteProtocolError."""
        self._buffer += received
        at = 0
        while (span := self._next(at)) is not None:
            begin, (start, at) = at, span
            yield parse(bytes(self._buffer[start:at])), at - begin
        del self._buffer[:at]

    def _next(self, at: int) -> tuple[int, int] | None:
        """Start and end of the body of the frame whose length begins at `at`, if it is complete."""
        head = bytes(self._buffer[at : at + _MAX_LENGTH_BYTES])
        if len(head) < _MAX_LENGTH_BYTES and all(byte & 0x80 for byte in head):
            return None
        length, size = read_varint(head, 0)
        start = at + size
        is_posts = self._buffer[start : start + 1] in (b"", bytes([FrameType.POSTS]))
        if not 0 < length <= (limits.MAX_POSTS_FRAME if is_posts else limits.MAX_FRAME):
            raise RemoteProtocolError(f"a frame of {length} bytes")
        return (start, start + length) if start + length <= len(self._buffer) else None
