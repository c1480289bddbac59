"""What each frame of a sync session carries, field by field; each value has one encoding.

Numbers are Negentropy varints, so that a session has one kind of number. Parsing is strict: every `parse`
raises RemoteProtocolError for anything but a whole payload. Other files decide about the lengths around it,
and about when a frame may come.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post_id import ID_SIZE
from p2pforum.sync.wire.fields import Fields, encode_bound
from p2pforum.sync.wire.negentropy import FINGERPRINT_SIZE, Bound, encode_varint

NONCE_SIZE = 16
TAG_SIZE = 8


class FrameType(enum.IntEnum):
    HELLO = 0
    BOARDS = 1
    NEG = 2
    WANT = 3
    POSTS = 4
    GONE = 5
    PULL = 6
    CREDIT = 7
    END = 8
    LOOK = 9


class PostsReason(enum.IntEnum):
    """Why the posts of a POSTS frame come."""

    WANTED = 0  #: they answer WANT, in its order
    PULLED = 1  #: they answer the oldest PULL, more frames follow
    PULLED_PART = 2  #: the last frame of a PULL whose limit was reached
    PULLED_ALL = 3  #: the last frame of a PULL: its range holds no more
    PUSHED = 4  #: the responder lacks them


class Credit(enum.IntEnum):
    NEG = 0
    POSTS = 1


class Code(enum.IntEnum):
    """Why a session ends."""

    DONE = 0  #: the sender asks for nothing more; it answers until it gets DONE itself
    BUSY = 1  #: no slot for a session now, or no longer: others wait for it
    BUDGET = 2  #: one session may not cost more; another may go on
    TIME = 3  #: too long, or too long without progress
    PROTOCOL = 4  #: the receiver of this broke the protocol
    FAILED = 5  #: the sender can't go on, by its own fault
    SPENT = 6  #: the sessions that the receiver of this has opened have used up their work for now


@dataclass(frozen=True, slots=True)
class Hello:
    """Both sides' first frame. `hour`: now, since 1970. `horizon`: the sender neither keeps nor sends older
    posts."""

    type: ClassVar = FrameType.HELLO
    nonce: bytes
    hour: int
    horizon: int

    def payload(self) -> bytes:
        return self.nonce + encode_varint(self.hour) + encode_varint(self.horizon)

    @classmethod
    def parse(cls, fields: Fields) -> "Hello":
        return cls(fields.read(NONCE_SIZE), fields.hour(), fields.hour())


@dataclass(frozen=True, slots=True)
class Look:
    """What the sender has of all boards: a fingerprint for each stretch of hours, newest first (look.py)."""

    type: ClassVar = FrameType.LOOK
    seen: tuple[bytes, ...]

    def payload(self) -> bytes:
        return b"".join(self.seen)

    @classmethod
    def parse(cls, fields: Fields) -> "Look":
        seen = []
        while fields.more():
            seen.append(fields.read(FINGERPRINT_SIZE))
        return cls(tuple(seen))


@dataclass(frozen=True, slots=True)
class Board:
    """A board as named to a peer. `low` counts hours above the first that is compared."""

    tag: bytes
    low: int
    count: int
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Boards:
    """Boards that the sender has posts of, by ascending tag; `last`: there are no more."""

    type: ClassVar = FrameType.BOARDS
    last: bool
    boards: tuple[Board, ...]

    def payload(self) -> bytes:
        entries = [b.tag + encode_varint(b.low) + encode_varint(b.count) + b.fingerprint for b in self.boards]
        return encode_varint(self.last) + b"".join(entries)

    @classmethod
    def parse(cls, fields: Fields) -> "Boards":
        """Raises RemoteProtocolError for a board without posts, or no boards in a frame that is not the
        last."""
        last, boards = fields.flag(), []
        while fields.more():
            board = Board(
                fields.read(TAG_SIZE), fields.hour(), fields.number(), fields.read(FINGERPRINT_SIZE)
            )
            if not board.count:
                raise RemoteProtocolError("a board without posts")
            boards.append(board)
        if not boards and not last:
            raise RemoteProtocolError("a BOARDS frame without boards")
        return cls(last, tuple(boards))


@dataclass(frozen=True, slots=True)
class Neg:
    """A Negentropy message about one board; `last`: the answer to one message of the initiator ends."""

    type: ClassVar = FrameType.NEG
    board: int
    last: bool
    message: bytes

    def payload(self) -> bytes:
        return encode_varint(self.board) + encode_varint(self.last) + self.message

    @classmethod
    def parse(cls, fields: Fields) -> "Neg":
        return cls(fields.number(), fields.flag(), fields.rest())


@dataclass(frozen=True, slots=True)
class Want:
    """IDs of posts to be sent: the peer answers each, in this order, by a post or by GONE."""

    type: ClassVar = FrameType.WANT
    ids: tuple[bytes, ...]

    def payload(self) -> bytes:
        return b"".join(self.ids)

    @classmethod
    def parse(cls, fields: Fields) -> "Want":
        """Raises RemoteProtocolError for no IDs or a part of one."""
        ids = []
        while fields.more():
            ids.append(fields.read(ID_SIZE))
        if not ids:
            raise RemoteProtocolError("a WANT of nothing")
        return cls(tuple(ids))


@dataclass(frozen=True, slots=True)
class Posts:
    type: ClassVar = FrameType.POSTS
    how: PostsReason
    posts: tuple[bytes, ...]

    def payload(self) -> bytes:
        parts = [part for post in self.posts for part in (encode_varint(len(post)), post)]
        return encode_varint(self.how) + b"".join(parts)

    @classmethod
    def parse(cls, fields: Fields) -> "Posts":
        """Raises RemoteProtocolError for an unknown reason, a post of an impossible size, or no posts where
        some must be."""
        how, posts = fields.number(), []
        if how > PostsReason.PUSHED:
            raise RemoteProtocolError("posts for an unknown reason")
        while fields.more():
            size = fields.number()
            if not 0 < size <= limits.MAX_POST:
                raise RemoteProtocolError("a post of an impossible size")
            posts.append(fields.read(size))
        if not posts and how not in (PostsReason.PULLED_PART, PostsReason.PULLED_ALL):
            raise RemoteProtocolError("a POSTS frame without posts")
        return cls(PostsReason(how), tuple(posts))


@dataclass(frozen=True, slots=True)
class Gone:
    """The next `count` wanted posts are not here (any more)."""

    type: ClassVar = FrameType.GONE
    count: int

    def payload(self) -> bytes:
        return encode_varint(self.count)

    @classmethod
    def parse(cls, fields: Fields) -> "Gone":
        """Raises RemoteProtocolError for a count of 0."""
        gone = cls(fields.number())
        if not gone.count:
            raise RemoteProtocolError("a GONE of nothing")
        return gone


@dataclass(frozen=True, slots=True)
class Pull:
    """Asks for all posts of a board from `lo` to below `hi`, in order of (hour, ID), or newest first.

    At most `limit` of them; 0 for no limit.
    """

    type: ClassVar = FrameType.PULL
    board: int
    newest_first: bool
    lo: Bound
    hi: Bound
    limit: int

    def payload(self) -> bytes:
        head = encode_varint(self.board) + encode_varint(self.newest_first)
        return head + encode_bound(self.lo) + encode_bound(self.hi) + encode_varint(self.limit)

    @classmethod
    def parse(cls, fields: Fields) -> "Pull":
        return cls(fields.number(), fields.flag(), fields.bound(), fields.bound(), fields.number())


@dataclass(frozen=True, slots=True)
class Grant:
    """The peer may send so many more bytes of NEG or POSTS frames (type byte and payload)."""

    type: ClassVar = FrameType.CREDIT
    credit: Credit
    size: int

    def payload(self) -> bytes:
        return encode_varint(self.credit) + encode_varint(self.size)

    @classmethod
    def parse(cls, fields: Fields) -> "Grant":
        """Raises RemoteProtocolError for an unknown kind, or for 0 or too many bytes."""
        credit, size = fields.number(), fields.number()
        if credit > Credit.POSTS or not 0 < size <= limits.SYNC_POSTS_WINDOW:
            raise RemoteProtocolError("an impossible credit")
        return cls(Credit(credit), size)


@dataclass(frozen=True, slots=True)
class End:
    """An unknown code is kept as FAILED, because the session is over in any case."""

    type: ClassVar = FrameType.END
    code: Code

    def payload(self) -> bytes:
        return encode_varint(self.code)

    @classmethod
    def parse(cls, fields: Fields) -> "End":
        code = fields.number()
        return cls(Code(code) if code <= Code.SPENT else Code.FAILED)
