"""The stem's frames and their one answer. All frames of a class have one size, whatever is in them.

The first byte is the type, and its two highest bits are the class. A frame of class 0 fits the largest post,
so that no size shows which posts are long: type 0 holds nothing; type 1 a length (2 bytes, big-endian), a
post, zeros. Class 1 is reserved for cells of a mix: 4 KiB of text and 512 bytes of headers. Unknown types of
both classes are taken and dropped, so that a later version can speak to this one.
"""

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError

FRAME_SIZE = 16 * limits.KIB  # of class 0: types 0 to 63
CELL_SIZE = 4 * limits.KIB + 512  # of class 1: types 64 to 127
ANSWER = b"\x00"  # the same for taken, duplicate, invalid, looped, over the limit: it tells a prober nothing
COVER, POST = 0, 1
_HEAD = 3
_SIZES = (FRAME_SIZE, CELL_SIZE)


def size_of(kind: int) -> int:
    """Bytes of a frame with this first byte. Raises RemoteProtocolError for an unknown class."""
    if (number := kind >> 6) >= len(_SIZES):
        raise RemoteProtocolError("a stem frame of an unknown class")
    return _SIZES[number]


def encode_frame(raw: bytes) -> bytes:
    head = bytes((POST,)) + len(raw).to_bytes(2, "big")
    return (head + raw).ljust(FRAME_SIZE, b"\x00")


def encode_cover() -> bytes:
    """An empty frame. A peer that takes it speaks the protocol."""
    return bytes((COVER,)).ljust(FRAME_SIZE, b"\x00")


def decode_frame(frame: bytes) -> bytes | None:
    """The post; None for cover and later types. Raises RemoteProtocolError for bytes that are no frame."""
    if not frame or len(frame) != size_of(frame[0]):
        raise RemoteProtocolError("a stem frame of another size")
    if frame[0] != POST:
        return None
    end = _HEAD + int.from_bytes(frame[1:_HEAD], "big")
    if not _HEAD < end <= _HEAD + limits.MAX_POST or frame[end:].strip(b"\x00"):
        raise RemoteProtocolError("a stem frame with a wrong length or filling")
    return frame[_HEAD:end]
