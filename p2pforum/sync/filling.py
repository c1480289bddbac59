"""Whether this node has caught up since it came online, or came back.

Until then, a session would show the peer which posts this node lacks, and so between which hours it was away.
An attacker who saw a node go at that time would recognise it, even under another peer ID and behind another
address. So the node first catches up with peers that it chose itself, guards and named ones before others.
Meanwhile it answers no peer.
"""

from collections.abc import Iterable, Sequence

import trio

from p2pforum.network.interface import Connection, Direction, PeerID
from p2pforum.sync import params
from p2pforum.sync.terms import KnownPeers


class Filling:
    """Without `known_peers` there is nothing to hide."""

    def __init__(self, known_peers: KnownPeers | None = None) -> None:
        self.known_peers = known_peers
        self._begin()

    def _begin(self) -> None:
        self._since = trio.current_time()
        self._full = trio.Event()
        self._asked: set[PeerID] = set()  # peers that were asked and did not bring this node up to date

    def gone(self, peer: PeerID, connections: Sequence[Connection]) -> None:
        """A peer has gone. If no dialled peer is left, this node may miss posts, and so it must catch up
        again.

        Strangers who come and go change nothing about this.
        """
        self._asked.discard(peer)
        if self._full.is_set() and not _dialled(connections):
            self._begin()

    def ended(self, peer: PeerID, *, is_whole: bool) -> None:
        """A session ended with a peer that this node dialled. `is_whole`: all that the peer has is here."""
        self._asked.add(peer)
        if is_whole:
            self._full.set()

    def answers(self, connections: Sequence[Connection]) -> bool:
        """Whether this node answers peers' sessions now.

        A node answers if it knows no peer but those connected, because it can't catch up first. It also
        answers if all peers that it dialled were busy: they may have come back at the same time, and wait for
        one another.
        """
        age = trio.current_time() - self._since
        if self.known_peers is None or self._full.is_set() or age >= params.FILL_SECONDS:
            return True
        if dialled := _dialled(connections):
            return age >= params.SETTLE_SECONDS and dialled <= self._asked
        return {c.peer for c in connections}.issuperset(self.known_peers.known())

    async def turn_of(self, peer: PeerID) -> None:
        """Wait until a first session with this peer is due: guards and named ones come before others."""
        trusted = self.known_peers.trusted() if self.known_peers else ()
        if trusted and peer not in trusted:
            with trio.move_on_at(self._since + params.SETTLE_SECONDS):
                await self._full.wait()


def _dialled(connections: Iterable[Connection]) -> set[PeerID]:
    return {c.peer for c in connections if c.direction is Direction.OUTBOUND}
