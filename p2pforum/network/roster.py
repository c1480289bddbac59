"""Which connections there are, and which tasks watch them: shared by both kinds of network.

It opens and closes nothing.
"""

import math

import trio

from p2pforum.network.interface import Connected, Connection, ConnectionEvent, Direction, Ended, PeerID


class Roster:
    """Each connection has two events, Connected before Ended."""

    def __init__(self) -> None:
        self._by_peer: dict[PeerID, list[Connection]] = {}  # the oldest first
        self._watchers: list[trio.MemorySendChannel[ConnectionEvent]] = []

    def __contains__(self, peer: object) -> bool:
        return peer in self._by_peer

    def __len__(self) -> int:
        """Counts connections, not peers."""
        return sum(map(len, self._by_peer.values()))

    def connections(self) -> list[Connection]:
        """One of each peer: the newest that this node dialled, else the newest."""
        return [max(reversed(held), key=_is_outbound) for held in self._by_peer.values()]

    def outlived_by(self, connection: Connection) -> list[Connection]:
        """Older connections of the same peer that the same side dialled, to be ended at once.

        They are dead at that side, because a node does not dial a peer that it is connected to. A ping would
        show this only much later.
        """
        held = self._by_peer.get(connection.peer, [])
        return [c for c in held if c.direction is connection.direction and c is not connection]

    def add(self, connection: Connection) -> None:
        self._by_peer.setdefault(connection.peer, []).append(connection)
        self._tell(Connected(connection))

    def remove(self, connection: Connection) -> None:
        """A connection has ended. A second call does nothing."""
        held = self._by_peer.get(connection.peer, [])
        if connection in held:
            held.remove(connection)
            if not held:
                del self._by_peer[connection.peer]
            self._tell(Ended(connection))

    def watch(self) -> trio.MemoryReceiveChannel[ConnectionEvent]:
        """See `interface.Network.watch`."""
        # Unbounded, because a lost event would leave a watcher wrong for ever. What fills it is
        # handshakes: a watcher that sleeps for a minute finds some thousands of small objects.
        send, receive = trio.open_memory_channel[ConnectionEvent](math.inf)
        for held in self._by_peer.values():
            for connection in held:
                send.send_nowait(Connected(connection))
        self._watchers.append(send)
        return receive

    def close(self) -> None:
        """All connections have ended, and no event will come: watchers see the end of their channel."""
        for held in list(self._by_peer.values()):
            for connection in list(held):
                self.remove(connection)
        for watcher in self._watchers:
            watcher.close()
        self._watchers.clear()

    def _tell(self, event: ConnectionEvent) -> None:
        for watcher in list(self._watchers):
            try:
                watcher.send_nowait(event)
            except trio.BrokenResourceError:  # the watcher has closed its end
                self._watchers.remove(watcher)
                watcher.close()


def _is_outbound(connection: Connection) -> bool:
    return connection.direction is Direction.OUTBOUND
