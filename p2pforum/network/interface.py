"""How bytes reach peers: what gossip and sync may ask of a network, whichever kind it is.

A peer is named by its peer ID as text, which is never stored beside a post or logged with one.
Errors from below are translated at the border: `NetworkError` when a peer can't be reached or a
stream can't be opened; on a stream, trio's own `BrokenResourceError` and `ClosedResourceError`.
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
"""Owns the stream until it returns, which closes it. It may raise anything: the network resets the
stream and goes on."""


class Direction(enum.Enum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One connection, equal to no other. `address` is what we dialled, or where an inbound one came from."""

    peer: PeerID
    direction: Direction
    address: str


@dataclass(frozen=True, slots=True)
class Connected:
    connection: Connection


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer may have another connection: `Network.connections` says so."""

    connection: Connection


ConnectionEvent = Connected | Ended

STREAM_LOST = (trio.BrokenResourceError, trio.ClosedResourceError)
"""What a stream raises when its peer, or the connection to it, is gone: nobody's fault."""

PEER_LOST = (NetworkError, *STREAM_LOST)
"""The same, or no stream could be opened."""


class Account(Protocol):
    """What is kept for one peer in one place, in bytes, as part of the budget that all peers share."""

    def set(self, held: int) -> None:
        """So much is kept now. It may cut peers, this one among them, before it returns."""
        ...

    def close(self) -> None:
        """Nothing is kept any more."""
        ...


class Network(Protocol):
    """A started network. Streams deliver bytes in order, both ways.

    `aclose` delivers what was sent before it; `trio.aclose_forcefully` resets: the peer's end then
    raises BrokenResourceError, as it does when the connection is lost. One task may send and one
    receive: read and write in two tasks, or two peers that both write will wait for each other.
    A send that is cancelled may have sent a part: close the stream then.

    The end of a stream (`receive_some() == b""`) proves nothing: a peer can end it where it likes,
    so every protocol above needs an end marker of its own.
    """

    @property
    def peer_id(self) -> PeerID: ...

    @property
    def bans(self) -> Bans:
        """Peers with whom no connection is made now."""
        ...

    @property
    def addresses(self) -> Sequence[str]:
        """Where this node listens, each with its peer ID; empty for a node that only dials."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature by the key of this node's peer ID.

        The same key signs libp2p's handshakes: a message must begin as none of those does.
        """
        ...

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        """Answer streams that peers open for `protocol`.

        Call it before the first await after the network has started: then no peer can have asked.
        A peer may have some streams open at once (limits.MAX_STREAMS_PER_PEER); more are reset.
        """
        ...

    def set_worth(self, worth: Callable[[], Mapping[PeerID, float]]) -> None:
        """`worth` says what each peer has brought of late: when all places are taken, others go first."""
        ...

    def connections(self) -> Sequence[Connection]:
        """One for each connected peer: if there are two, because both dialled, the one that we made."""
        ...

    def watch(self) -> trio.MemoryReceiveChannel[ConnectionEvent]:
        """A channel that gets every ConnectionEvent from now on, connections that exist first.

        Each connection is told of twice, and none is lost: the channel has no bound, so keep reading it,
        or close it. It ends when the network does. An event says that something changed; when it is read
        more may have changed. A peer that comes back before its old connection was found dead has two
        events of its own: whoever keeps something for a connection lets go of it then.
        """
        ...

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        """Connect to an address with a peer ID. Returns at once if that peer is connected.

        Two dials to one peer make one connection. Who dials again has lost the first connection, so the peer
        ends it when the second is there. Through a proxy it may take longer than `timeout`: Tor is slow, and
        callers do not know of it. Raises NetworkError, with a text fit for a person.
        """
        ...

    async def open_stream(
        self, peer: PeerID, protocol: str, *, timeout: float = 10.0
    ) -> trio.abc.HalfCloseableStream:
        """On the newest connection: an older one may be dead and not known to be.

        Raises ProtocolRefused if the peer says that it does not speak the protocol; NetworkError if it is
        gone or says nothing, which tells nothing about what it speaks.
        """
        ...

    def account(self, peer: PeerID) -> Account:
        """For what a protocol keeps for a peer while it waits. When all peers together hold more than the
        node can spare, the one that holds most is disconnected."""
        ...

    async def disconnect(self, peer: PeerID) -> None:
        """End all connections to a peer, even one that does not read, within a second. Never raises."""
        ...

    async def ban(self, peer: PeerID) -> None:
        """The same for one that broke a protocol; see `bans`."""
        ...


def connection_to(network: Network, peer: PeerID) -> Connection | None:
    """The one that `connections` names; None if this peer is gone."""
    return next((connection for connection in network.connections() if connection.peer == peer), None)
