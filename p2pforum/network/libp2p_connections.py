"""The connections of the real network, by peer. No I/O."""

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import trio

from p2pforum.network.inbound_slots import InboundConnection
from p2pforum.network.interface import Connection, Direction, PeerID
from p2pforum.network.yamux import YamuxConnection


@dataclass(eq=False)
class MuxedConnection:
    """One connection to a peer."""

    connection: Connection
    yamux: YamuxConnection
    since: float = field(default_factory=trio.current_time)
    handlers: int = 0  # running now, for streams that the peer opened
    gone: trio.Event = field(default_factory=trio.Event)


class ConnectionTable(dict[PeerID, list[MuxedConnection]]):
    """Connections by peer, the oldest of each first."""

    def __init__(self) -> None:
        super().__init__()
        self._gone: WeakKeyDictionary[YamuxConnection, PeerID] = WeakKeyDictionary()

    def discard(self, muxed: MuxedConnection) -> None:
        peer = muxed.connection.peer
        self[peer].remove(muxed)
        self._gone[muxed.yamux] = peer
        if not self[peer]:
            del self[peer]

    def alive(self) -> list[MuxedConnection]:
        """Connections that were not ended. One that was ended but is not gone yet takes no slot."""
        return [muxed for held in self.values() for muxed in held if not muxed.yamux.ended]

    def inbound(self) -> list[InboundConnection]:
        alive = ((muxed, muxed.connection) for muxed in self.alive())
        return [
            InboundConnection(connection, muxed.since, muxed.yamux.kill)
            for muxed, connection in alive
            if connection.direction is Direction.INBOUND
        ]

    def has_dialled(self, peer: PeerID) -> bool:
        """Whether this node made a connection to it."""
        return any(muxed.connection.direction is Direction.OUTBOUND for muxed in self.get(peer, ()))

    def drop(self, peer: PeerID) -> None:
        """End a peer's connections, and throw away what is unread, because there was no memory left for it.

        This includes what a handler has not read of a connection that ended a while ago.
        """
        for muxed in self.get(peer, ()):
            muxed.yamux.drop()
        for yamux in [yamux for yamux, whose in self._gone.items() if whose == peer]:
            yamux.drop()
