"""The stem's one frame and one answer. Every frame has the same size, whatever is in it.

Type (1 byte: 1 is a post, 0 nothing), length (2 bytes, big-endian), post, zeros. The size fits the largest
post, so that there is one size only, and leaves 381 bytes: a Sphinx packet (a later type) needs 274.
"""

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError

FRAME_SIZE = 16 * limits.KIB
ANSWER = b"\x00"  # taken, duplicate, invalid, looped, over the limit: whoever asks learns nothing
COVER, POST = 0, 1
_HEAD = 3


def encode_frame(raw: bytes) -> bytes:
    head = bytes((POST,)) + len(raw).to_bytes(2, "big")
    return (head + raw).ljust(FRAME_SIZE, b"\x00")


def encode_cover() -> bytes:
    """A frame that says nothing: who takes it speaks the protocol."""
    return bytes((COVER,)).ljust(FRAME_SIZE, b"\x00")


def decode_frame(frame: bytes) -> bytes | None:
    """The post; None for cover and later types. Raises RemoteProtocolError for what is no frame."""
    if len(frame) != FRAME_SIZE:
        raise RemoteProtocolError("a stem frame of another size")
    if frame[0] != POST:
        return None
    end = _HEAD + int.from_bytes(frame[1:_HEAD], "big")
    if not _HEAD < end <= _HEAD + limits.MAX_POST or frame[end:].strip(b"\x00"):
        raise RemoteProtocolError("a stem frame with a wrong length or filling")
    return frame[_HEAD:end]
