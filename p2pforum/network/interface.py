"""How bytes reach peers: what gossip and sync may ask of a network, whichever kind it is.

A peer is named by its peer ID as text, which is never stored beside a post or logged with one.
Errors from below are translated at the border: `NetworkError` when a peer can't be reached or a
stream can't be opened; on a stream, trio's own `BrokenResourceError` and `ClosedResourceError`.
"""

import enum
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

import trio

PeerID = NewType("PeerID", str)

StreamHandler = Callable[[PeerID, trio.abc.Stream], Awaitable[None]]
"""Owns the stream until it returns; may raise anything: the network closes the stream and goes on."""


class Direction(enum.Enum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected peer. `address` is what we dialled, or where an inbound connection came from."""

    peer: PeerID
    direction: Direction
    address: str


@dataclass(frozen=True, slots=True)
class PeerConnected:
    connection: Connection


@dataclass(frozen=True, slots=True)
class PeerGone:
    """The last connection to this peer has ended."""

    peer: PeerID


PeerEvent = PeerConnected | PeerGone


class Network(Protocol):
    """A started network. Streams deliver bytes in order, both ways.

    The end of a stream (`receive_some() == b""`) proves nothing: a peer's reset looks the same, so
    every protocol above needs an end marker of its own.
    """

    @property
    def peer_id(self) -> PeerID: ...

    @property
    def addresses(self) -> Sequence[str]:
        """Where this node listens, each with its peer ID; empty for a node that only dials."""
        ...

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        """Answer streams that peers open for `protocol`. Call before peers connect."""
        ...

    def connections(self) -> Sequence[Connection]:
        """One for each connected peer."""
        ...

    def watch(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """A channel that gets every PeerEvent from now on, peers already connected first.

        Events come in pairs, connected before gone, and none is lost: the channel is as long as it
        must be (two events for each connection at most).
        """
        ...

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        """Connect to an address with a peer ID. Returns at once if that peer is connected.

        Raises NetworkError, with a text fit for a person.
        """
        ...

    async def open_stream(self, peer: PeerID, protocol: str, *, timeout: float = 10.0) -> trio.abc.Stream:
        """Raises NetworkError if the peer is gone, does not speak the protocol, or says nothing."""
        ...

    async def disconnect(self, peer: PeerID) -> None:
        """End all connections to a peer, even one that does not read. Never raises."""
        ...
