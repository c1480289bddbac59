"""The connections of the real network, by peer. It opens nothing and waits for nothing."""

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import trio

from p2pforum.network.inbound import Guest
from p2pforum.network.interface import Connection, Direction, PeerID
from p2pforum.network.yamux import YamuxConnection


@dataclass(eq=False)
class Link:
    """One connection to a peer."""

    connection: Connection
    yamux: YamuxConnection
    since: float = field(default_factory=trio.current_time)
    handlers: int = 0  # running for streams that the peer opened
    gone: trio.Event = field(default_factory=trio.Event)


class Links(dict[PeerID, list[Link]]):
    """Of each connected peer, the oldest connection first."""

    def __init__(self) -> None:
        super().__init__()
        self._gone: WeakKeyDictionary[YamuxConnection, PeerID] = WeakKeyDictionary()

    def discard(self, link: Link) -> None:
        peer = link.connection.peer
        self[peer].remove(link)
        self._gone[link.yamux] = peer
        if not self[peer]:
            del self[peer]

    def alive(self) -> list[Link]:
        """Without those that were ended and have not gone yet: their places are free."""
        return [link for links in self.values() for link in links if not link.yamux.ended]

    def guests(self) -> list[Guest]:
        alive = ((link, link.connection) for link in self.alive())
        return [
            Guest(connection, link.since, link.yamux.kill)
            for link, connection in alive
            if connection.direction is Direction.INBOUND
        ]

    def has_dialled(self, peer: PeerID) -> bool:
        """Whether this node made a connection to it."""
        return any(link.connection.direction is Direction.OUTBOUND for link in self.get(peer, ()))

    def drop(self, peer: PeerID) -> None:
        """End its connections, and throw away what is unread: there was no room left for it. Of a connection
        that ended a while ago, too, what a handler has not read yet."""
        for link in self.get(peer, ()):
            link.yamux.drop()
        for yamux in [yamux for yamux, whose in self._gone.items() if whose == peer]:
            yamux.drop()
