"""A bundle: posts in a file, for networks that are carried by hand. docs/PROTOCOL.md.

A bundle has no signature of its own, because each post is signed. The same posts make the
same bytes on every node. Not which posts go in, and not where they go (forum.bundling). Reads
from a callable, and trusts no length.
"""

import enum
import hashlib
import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.errors import InvalidPost, Refused
from p2pforum.core.text import is_valid_network

MAGIC = b"\x89p2pforum\r\n\x1a\n"  # as in PNG: not UTF-8, and a program that changes line ends is noticed
MARK = b"\xb7\x1ep2"
VERSION = 1
_FRAME = struct.Struct(">4sBI")  # mark, kind, bytes of payload
_HEADER = struct.Struct(">BIQ")  # version, boards, posts; the network's name follows
_SIZE = struct.Struct(">H")  # bytes of a post
_CHECK = 16  # bytes of SHA-256 behind a frame: against damage, not against an attacker
_READ = 64 * limits.KIB


class FrameKind(enum.IntEnum):
    HEADER = 0
    POSTS = 1
    END = 2  #: SHA-256 of all that is before this frame


@dataclass(frozen=True, slots=True)
class Header:
    """What the bundle says of itself; nothing proves it."""

    network: str
    boards: int
    posts: int


@dataclass(frozen=True, slots=True)
class RawPosts:
    """Posts that are not yet decoded and not yet verified."""

    raws: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """From byte `offset` on something is damaged or missing; `text` is for a person."""

    offset: int
    text: str


# --- writing ------------------------------------------------------------------------------------------------


def write_bundle(header: Header, raws: Iterable[bytes]) -> Iterator[bytes]:
    """Give the bytes of a bundle, piece by piece. `raws` are sorted by board, then by (hour, ID)."""
    whole = hashlib.sha256()
    fields = _HEADER.pack(VERSION, header.boards, header.posts) + header.network.encode("ascii")
    chunks = (_frame(FrameKind.POSTS, join_posts(chunk)) for chunk in chunked(raws))
    for piece in itertools.chain((MAGIC, _frame(FrameKind.HEADER, fields)), chunks):
        whole.update(piece)
        yield piece
    yield _frame(FrameKind.END, whole.digest())


def chunked(raws: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Group posts: as many as fit into MAX_BUNDLE_CHUNK bytes, and never fewer. Otherwise two bundles of the
    same posts would differ.
    """
    chunk: list[bytes] = []
    size = 0
    for raw in raws:
        if chunk and size + _SIZE.size + len(raw) > limits.MAX_BUNDLE_CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(raw)
        size += _SIZE.size + len(raw)
    if chunk:
        yield chunk


def join_posts(raws: Sequence[bytes]) -> bytes:
    return b"".join(_SIZE.pack(len(raw)) + raw for raw in raws)


def split_posts(payload: bytes) -> list[bytes]:
    """The inverse of `join_posts`. Raises InvalidPost at an impossible size. Then none of these posts counts:
    the hash of the frame was right, so its writer made it wrong on purpose or by a bug.
    """
    raws = []
    at = 0
    while at < len(payload):
        if at + _SIZE.size > len(payload):
            raise InvalidPost("posts that are cut off")
        (size,) = _SIZE.unpack_from(payload, at)
        at += _SIZE.size
        if not 0 < size <= limits.MAX_POST or at + size > len(payload):
            raise InvalidPost("posts whose sizes can't be")
        raws.append(payload[at : at + size])
        at += size
    return raws


def _frame(kind: FrameKind, payload: bytes) -> bytes:
    body = _FRAME.pack(MARK, kind, len(payload)) + payload
    return body + hashlib.sha256(body).digest()[:_CHECK]


# --- reading ------------------------------------------------------------------------------------------------


class BundleReader:
    """Iterate over it once: Header (if it is whole), RawPosts and Faults in the order of the file.

    `read(n)` gives at most n bytes, and none at the end. Holds at most one frame and one
    read. Raises Refused for a file that is no bundle, or a bundle of a newer version. Behind
    damage it goes on at the next whole frame.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = bytearray()
        self._whole = hashlib.sha256()
        self._faults = 0
        self._skipped = 0  #: bytes passed over in search of a mark
        self._is_lost = False  #: behind damage, and no whole frame was found since
        self._is_at_end = False
        self.offset = 0  #: bytes that were read and dealt with

    def __iter__(self) -> Iterator[Header | RawPosts | Fault]:
        if not self._fill(len(MAGIC)) or not self._buffer.startswith(MAGIC):
            raise Refused("not a bundle of p2pforum")
        self._take(len(MAGIC))
        while True:
            begin = self.offset
            frame = self._next_frame()
            if frame is None:
                if not self._is_lost:
                    yield Fault(begin, self._complaint())
                    self._is_lost = True
                if not self._skip_to_mark():
                    if self._has_enough():
                        yield Fault(self.offset, "too damaged to go on")
                    return
                continue
            self._is_lost = False
            yield self._open(begin, *frame)
            if frame[0] == FrameKind.END:
                if self._fill(1):
                    yield Fault(self.offset, "more bytes after its end")
                return

    def _complaint(self) -> str:
        return "cut off" if self._is_at_end and len(self._buffer) < _FRAME.size else "damaged"

    def _next_frame(self) -> tuple[int, bytes, bytes] | None:
        """Kind, payload, and the hash of all before it. If the frame is not whole: None, and
        no byte is taken.
        """
        if not self._fill(_FRAME.size):
            return None
        mark, kind, size = _FRAME.unpack_from(self._buffer)
        if mark != MARK or kind > FrameKind.END or size > limits.MAX_BUNDLE_CHUNK:
            return None
        end = _FRAME.size + size
        if not self._fill(end + _CHECK):
            return None
        check = hashlib.sha256(memoryview(self._buffer)[:end]).digest()[:_CHECK]
        if check != self._buffer[end : end + _CHECK]:
            return None
        before = self._whole.digest() if kind == FrameKind.END else b""
        return kind, self._take(end + _CHECK)[_FRAME.size : end], before

    def _open(self, begin: int, kind: int, payload: bytes, before: bytes) -> Header | RawPosts | Fault:
        """What a whole frame holds. An attacker can write anything into a frame with a right hash."""
        try:
            if kind == FrameKind.HEADER and begin == len(MAGIC):
                return _open_header(payload)
            if kind == FrameKind.POSTS:
                return RawPosts(tuple(split_posts(payload)))
        except InvalidPost as error:
            return Fault(begin, str(error))
        if kind == FrameKind.END and (self._faults or payload == before):
            return RawPosts(())  # with damage before it, the hash of the whole says nothing new
        return Fault(begin, "changed since it was written")

    def _skip_to_mark(self) -> bool:
        """Skip at least one byte, up to the next mark. False if there is none, or if too much
        was skipped already.
        """
        self._faults += 1
        self._skip(1)
        while not self._has_enough():
            at = self._buffer.find(MARK)
            if at >= 0:
                self._skip(at)
                return not self._has_enough()
            self._skip(max(0, len(self._buffer) - len(MARK) + 1))
            if not self._fill(len(MARK)):
                return False
        return False

    def _skip(self, size: int) -> None:
        self._skipped += len(self._take(size))

    def _has_enough(self) -> bool:
        """Whether enough was tried: marks that led nowhere, or bytes without any mark. An attacker can send a
        sparse file with terabytes of them.
        """
        return self._faults > limits.MAX_BUNDLE_FAULTS or self._skipped > limits.MAX_BUNDLE_SKIPPED

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size and not self._is_at_end:
            got = self._read(_READ)
            self._is_at_end = not got
            self._buffer += got
        return len(self._buffer) >= size

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._whole.update(taken)
        self.offset += len(taken)
        return taken


def _open_header(payload: bytes) -> Header:
    if payload[:1] > bytes([VERSION]):
        raise Refused("a bundle of a newer p2pforum: update to read it")
    name = payload[_HEADER.size :]
    if len(payload) < _HEADER.size or payload[0] != VERSION or not name.isascii():
        raise InvalidPost("not a header")
    if not is_valid_network(name.decode("ascii")):
        raise InvalidPost("a header without the name of a network")
    _, boards, posts = _HEADER.unpack_from(payload)
    return Header(name.decode("ascii"), boards, posts)
