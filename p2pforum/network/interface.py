"""What gossip, sync and other protocols may ask of a network, real or in memory.

A peer is named by its peer ID as text, which is never stored beside a post or logged with one. Errors from
below are translated at this border: `NetworkError` when a peer can't be reached or a stream can't be opened;
on a stream, trio's own `BrokenResourceError` and `ClosedResourceError`.
"""

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

import trio

from p2pforum.core.errors import NetworkError
from p2pforum.network.bans import Bans

PeerID = NewType("PeerID", str)

StreamHandler = Callable[[PeerID, trio.abc.HalfCloseableStream], Awaitable[None]]
"""Owns the stream until it returns; then the network closes the stream. It may raise anything: the network
resets the stream and goes on."""


class Direction(enum.Enum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One connection, equal to no other. `address` is what this node dialled, or where an inbound one came
    from."""

    peer: PeerID
    direction: Direction
    address: str


@dataclass(frozen=True, slots=True)
class Connected:
    connection: Connection


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer may still have another connection: `Network.connections` says so."""

    connection: Connection


ConnectionEvent = Connected | Ended

STREAM_LOST = (trio.BrokenResourceError, trio.ClosedResourceError)
"""What a stream raises when its peer, or the connection to it, is gone. The peer is not to blame."""

PEER_LOST = (NetworkError, *STREAM_LOST)
"""`STREAM_LOST`, or what is raised when no stream could be opened."""


class Account(Protocol):
    """What one part of the node keeps for one peer, in bytes; part of the budget that all peers share."""

    def set(self, held: int) -> None:
        """So many bytes are kept now. The call may disconnect peers, this one among them."""
        ...

    def close(self) -> None:
        """No byte is kept any more."""
        ...


class Network(Protocol):
    """A started network. Streams deliver bytes in order, both ways.

    `aclose` delivers what was sent before it; `trio.aclose_forcefully` resets: the peer's end then raises
    BrokenResourceError, as it does when the connection is lost. One task may send and one receive. Read and
    write in two tasks; otherwise two peers that both write will wait for each other. A send that is cancelled
    may have sent a part: close the stream then.

    The end of a stream (`receive_some() == b""`) proves nothing, because a peer can end it where it likes. So
    every protocol above needs an end marker of its own.
    """

    @property
    def peer_id(self) -> PeerID: ...

    @property
    def bans(self) -> Bans:
        """Peers with which this node makes no connection now."""
        ...

    @property
    def addresses(self) -> Sequence[str]:
        """Where this node listens, each with its peer ID; empty for a node that only dials."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature by the key of this node's peer ID.

        The same key signs libp2p's handshakes. So a message must begin differently from all of those.
        """
        ...

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        """Answer streams that peers open for `protocol`.

        Call it before the first await after the network has started, so that no peer asks before. A peer may
        have some streams open at once (limits.MAX_STREAMS_PER_PEER); more are reset.
        """
        ...

    def set_worth(self, worth: Callable[[], Mapping[PeerID, float]]) -> None:
        """`worth` counts what each peer has brought of late. When all slots are taken, peers of little worth
        go first."""
        ...

    def connections(self) -> Sequence[Connection]:
        """One for each connected peer: if there are two, because both sides dialled, the one that this node
        dialled."""
        ...

    def watch(self) -> trio.MemoryReceiveChannel[ConnectionEvent]:
        """A channel that gets every ConnectionEvent from now on, those of existing connections first.

        Each connection has two events, and none is lost: the channel has no bound, so keep reading it, or
        close it. It ends when the network does. An event says that something changed; when it is read, more
        may have changed. A peer that comes back before its old connection was found dead has two events of
        its own. So code that keeps state for a connection must drop it at the event of that connection.
        """
        ...

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        """Connect to an address with a peer ID. Returns at once if that peer is connected. `timeout` in
        seconds.

        Two dials to one peer make one connection. A peer that dials again has lost its first connection, so
        the other side ends that one when the second is there. Through a proxy it may take longer than
        `timeout`: Tor is slow, and callers do not know about it. Raises NetworkError, with a text for a
        person.
        """
        ...

    async def open_stream(
        self, peer: PeerID, protocol: str, *, timeout: float = 10.0
    ) -> trio.abc.HalfCloseableStream:
        """Open a stream on the newest connection; an older one may be dead without this node knowing.

        Raises ProtocolRefused if the peer says that it does not speak the protocol. Raises NetworkError if it
        is gone or silent, which tells nothing about what it speaks.
        """
        ...

    def account(self, peer: PeerID) -> Account:
        """Counts what a protocol keeps for a peer while it waits.

        When all peers together hold more than the node can spare, the one that holds most is disconnected.
        """
        ...

    async def disconnect(self, peer: PeerID) -> None:
        """End all connections to a peer, even one that does not read, within a second. Never raises."""
        ...

    async def ban(self, peer: PeerID) -> None:
        """As `disconnect`, for a peer that broke a protocol; see `bans`."""
        ...


def connection_to(network: Network, peer: PeerID) -> Connection | None:
    """The connection that `connections` names; None if this peer is gone."""
    return next((connection for connection in network.connections() if connection.peer == peer), None)
