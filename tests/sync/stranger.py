"""A peer that says what it likes: frames into a session, frames out of it, no rules kept."""

import random
from collections.abc import Callable

from memory_posts import MemoryPosts
from stock import write
from strategies import HOUR
from sync_pair import TERMS, Side

from p2pforum.sync.boards import tag_of
from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.session import SyncSession
from p2pforum.sync.terms import Terms
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode
from p2pforum.sync.wire.payloads import NONCE_SIZE, Board, Boards, Hello, Look, Neg

_NONCE = bytes(range(NONCE_SIZE))


class Stranger:
    """Faces a session of `store`. It knows board names, so its tags are right.

    It says at once that all of its hours are others, unless it `looks` at the moment of its choice.
    """

    def __init__(
        self,
        store: MemoryPosts,
        *,
        initiator: bool,
        terms: Terms = TERMS,
        clock: Callable[[], float] = lambda: 0.0,
        looks: bool = True,
    ) -> None:
        self.is_initiator = initiator
        self.side = Side(store, terms=terms, clock=clock)
        self.side.begin(random.Random(1), initiator=not initiator)
        self._reader = SyncFrameReader()
        self.heard: list[Frame] = []
        self.listen()
        (hello,) = self.heard[:1]
        assert isinstance(hello, Hello)
        self.nonces = _NONCE + hello.nonce if initiator else hello.nonce + _NONCE
        self.fingerprint = Fingerprint(self.nonces)
        self.say(Hello(_NONCE, HOUR, 0))
        if looks:
            self.say(self.other_look())

    @property
    def session(self) -> SyncSession:
        return self.side.session

    @property
    def look(self) -> Look:
        """What the session said of all its boards."""
        (found,) = [frame for frame in self.heard if isinstance(frame, Look)]
        return found

    def other_look(self) -> Look:
        return Look(tuple(bytes(16) for _ in self.look.seen))

    def tag(self, name: str) -> bytes:
        return tag_of(name, self.nonces)

    def say(self, *frames: Frame) -> None:
        self.session.receive(b"".join(map(encode, frames)))
        self.listen()

    def listen(self) -> int:
        """Let the session work and land until it waits for us; the bytes it said."""
        said = 0
        while True:
            output = self.session.work(1.0)
            said += len(output)
            self.heard += [frame for frame, _ in self._reader.feed(output)]
            landed = self.side.land()
            if not output and not landed and not self.session.is_busy:
                return said

    def tell(self, *names: str, count: int = 1, last: bool = True) -> None:
        """Claim to have posts of these boards."""
        entries = sorted(self.tag(name) for name in names)
        self.say(Boards(last, tuple(Board(tag, 0, count, bytes(16)) for tag in entries)))

    def number(self, name: str) -> int:
        """What the session calls a board that it told us."""
        told = [b.tag for f in self.heard if isinstance(f, Boards) for b in f.boards]
        return told.index(self.tag(name))


def everything(number: int = 0) -> Neg:
    """Five bytes that ask for all IDs of a board."""
    return Neg(number, True, bytes.fromhex("6100000200"))


def fingerprints(cuts: list[tuple[int, bytes]]) -> bytes:
    """A message of fingerprints that match nothing."""
    writer = negentropy.MessageWriter()
    ranges = [(cut, negentropy.FINGERPRINT, bytes(16)) for cut in cuts]
    write(writer, negentropy.LOWEST, ranges)
    return writer.message()


def listed(ids: list[bytes], lower: negentropy.Bound = negentropy.LOWEST) -> bytes:
    """A message that lists IDs in a range from `lower` on."""
    writer = negentropy.MessageWriter()
    write(writer, lower, [(negentropy.HIGHEST, negentropy.ID_LIST, b"".join(ids))])
    return writer.message()
