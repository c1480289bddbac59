"""What one session may cost, how much of a window is left, and what a session did.

The node never relies on a peer to stop: every loop that a peer can lengthen is counted here. A session over
its budget is not a broken protocol (a big honest difference looks the same). It ends cleanly, and the next
session goes on where it stopped.
"""

from dataclasses import dataclass, field

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError, RemoteProtocolError
from p2pforum.sync.wire.payloads import Code


class SessionOver(P2PForumError):
    """The session has to end now, and the peer did not break the protocol."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


class PeerEnded(SessionOver):
    """The peer ended the session."""


def code_of(error: Exception) -> Code:
    """The code to send to the peer when this error ends a session."""
    if isinstance(error, SessionOver):
        return error.code
    return Code.PROTOCOL if isinstance(error, RemoteProtocolError) else Code.FAILED


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one session may cost. Bytes are each way."""

    neg_bytes: int = limits.SYNC_NEG_BYTES
    posts_bytes: int = limits.SYNC_POSTS_BYTES
    ranges: int = limits.SYNC_RANGES
    rounds: int = limits.SYNC_ROUNDS
    wants: int = limits.MAX_WANTS
    duplicates: int = limits.SYNC_DUPLICATES
    refused: int = limits.SYNC_REFUSED
    cpu: float = limits.SYNC_CPU_SECONDS


@dataclass(slots=True)
class Report:
    """What a session did so far. Only counts; none of them names a post."""

    boards: int = 0  #: boards that both sides hold, or one of them fetched
    differing: int = 0  #: boards of these whose posts were not the same
    wanted: int = 0  #: posts asked for; for a PULL, as many as the peer said it has
    received: int = 0  #: posts that came
    new: int = 0  #: posts that came and were kept
    duplicate: int = 0
    refused: int = 0  #: valid, but not for this node
    early: int = 0  #: dated in the future: they may come again
    gone: int = 0  #: wanted posts that the peer no longer had
    sent: int = 0  #: posts that went out
    rounds: int = 0  #: round trips of ranges, on the board that took most
    ranges: int = 0  #: ranges of the peer that were compared
    bytes_in: int = 0
    bytes_out: int = 0
    neg_in: int = 0  #: of bytes_in, those that compared sets
    neg_out: int = 0
    posts_in: int = 0  #: of bytes_in, those that carried posts
    posts_out: int = 0
    cpu: float = 0.0  #: seconds of work on messages, the store's not counted
    left: int = 0  #: things left for another session: beyond a budget, or being fetched from another peer
    peer_hour: int = 0  #: the hour since 1970 that the peer told
    code: Code = Code.FAILED  #: DONE only when both sides have sent END 0

    @property
    def moved(self) -> int:
        return self.bytes_in + self.bytes_out

    @property
    def complete(self) -> bool:
        """Whether each side now holds all that the other held and that it keeps."""
        return self.code is Code.DONE and not self.left and not self.early

    @property
    def wants_more(self) -> bool:
        """Whether another session with the same peer would go on where this one stopped."""
        stopped = self.left or self.code in (Code.BUDGET, Code.TIME, Code.BUSY)
        return bool(stopped and (self.new or self.sent))

    def check(self, budget: Budget) -> None:
        """Raises SessionOver when a budget is used up."""
        used = (
            (max(self.neg_in, self.neg_out), budget.neg_bytes, "bytes of comparing"),
            (max(self.posts_in, self.posts_out), budget.posts_bytes, "bytes of posts"),
            (self.ranges, budget.ranges, "ranges"),
            (self.rounds, budget.rounds, "rounds"),
            (self.cpu, budget.cpu, "seconds of work"),
        )
        for amount, most, what in used:
            if amount > most:
                raise SessionOver(Code.BUDGET, f"more than {most} {what} in one session")


@dataclass(slots=True)
class SendWindow:
    """How many bytes of one kind of frame the peer lets this node send."""

    size: int
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.size

    @property
    def is_whole(self) -> bool:
        """Whether the peer has processed all that was sent."""
        return self.left == self.size

    def fits(self, size: int) -> bool:
        return size <= self.left

    def spend(self, size: int) -> None:
        self.left -= size

    def add(self, size: int) -> None:
        """The peer grants more bytes. Raises RemoteProtocolError for credit beyond the window."""
        self.left += size
        if self.left > self.size:
            raise RemoteProtocolError("more credit than the window is wide")


@dataclass(slots=True)
class ReceiveWindow:
    """How many bytes of one kind of frame the peer may still send before this node has processed some."""

    size: int
    left: int = field(init=False)
    owed: int = 0

    def __post_init__(self) -> None:
        self.left = self.size

    def arrived(self, size: int) -> None:
        """Raises RemoteProtocolError if the peer sent more than its credit."""
        self.left -= size
        if self.left < 0:
            raise RemoteProtocolError("more bytes than there was credit for")

    def worked_off(self, size: int) -> None:
        self.owed += size

    def grant(self, *, at_once: bool = False) -> int:
        """Bytes to grant now: without `at_once`, 0 until a quarter of the window waits.

        The other three quarters hold a frame of the largest size, so the peer can always go on.
        """
        if self.owed * 4 < self.size and not at_once:
            return 0
        owed, self.owed = self.owed, 0
        self.left += owed
        return owed
