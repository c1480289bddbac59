"""Who is connected, and who wants to be told: shared by both kinds of network.

It counts connections, so that watchers hear of a peer once however many connections there are.
It opens and closes nothing.
"""

import math
from collections.abc import Hashable

import trio

from p2pforum.network.interface import Connection, PeerConnected, PeerEvent, PeerGone, PeerID


class Roster:
    """A peer is on it while it has a connection; events come in pairs, connected before gone."""

    def __init__(self) -> None:
        self._by_peer: dict[PeerID, dict[Hashable, Connection]] = {}
        self._watchers: list[trio.MemorySendChannel[PeerEvent]] = []

    def __contains__(self, peer: object) -> bool:
        return peer in self._by_peer

    def __len__(self) -> int:
        """Connections, not peers."""
        return sum(map(len, self._by_peer.values()))

    def connections(self) -> list[Connection]:
        """The oldest connection of each peer."""
        return [next(iter(held.values())) for held in self._by_peer.values()]

    def add(self, key: Hashable, connection: Connection) -> None:
        """`key` names this connection when it ends."""
        held = self._by_peer.setdefault(connection.peer, {})
        held[key] = connection
        if len(held) == 1:
            self._tell(PeerConnected(connection))

    def remove(self, key: Hashable, peer: PeerID) -> None:
        held = self._by_peer.get(peer, {})
        if held.pop(key, None) is not None and not held:
            del self._by_peer[peer]
            self._tell(PeerGone(peer))

    def watch(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        # Unbounded, because a lost event would leave a watcher wrong for ever. What fills it is
        # handshakes: a watcher that sleeps for a minute finds some thousands of small objects.
        send, receive = trio.open_memory_channel[PeerEvent](math.inf)
        for connection in self.connections():
            send.send_nowait(PeerConnected(connection))
        self._watchers.append(send)
        return receive

    def close(self) -> None:
        """Everybody is gone, and no event will come: watchers see the end of their channel."""
        for peer in list(self._by_peer):
            del self._by_peer[peer]
            self._tell(PeerGone(peer))
        for watcher in self._watchers:
            watcher.close()
        self._watchers.clear()

    def _tell(self, event: PeerEvent) -> None:
        for watcher in list(self._watchers):
            try:
                watcher.send_nowait(event)
            except trio.BrokenResourceError:  # nobody listens any more
                self._watchers.remove(watcher)
                watcher.close()
