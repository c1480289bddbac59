"""Whether this node has caught up since it came, or came back.

Until then a session would tell which posts it lacks, so between which two it was away: whoever saw a node
go at that time knows it again, under whatever peer ID and behind whatever address. So it first catches up
with peers that it chose itself, guards and named ones before others, and answers nobody meanwhile.
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
        self._asked: set[PeerID] = set()  # in vain: peers that did not fill this node

    def gone(self, peer: PeerID, connections: Sequence[Connection]) -> None:
        """Without any peer that it dialled, posts may pass this node by: then all begins anew.

        Strangers who come and go neither begin it nor keep it from beginning.
        """
        self._asked.discard(peer)
        if self._full.is_set() and not _dialled(connections):
            self._begin()

    def ended(self, peer: PeerID, *, is_whole: bool) -> None:
        """A session with a peer that this node dialled. `is_whole`: all that the peer has is here."""
        self._asked.add(peer)
        if is_whole:
            self._full.set()

    def answers(self, connections: Sequence[Connection]) -> bool:
        """Whether a peer's session is answered now.

        Who knows nobody but those who are here can't catch up first, nor can one whose peers were all busy:
        they may have come back at the same time, and wait for one another.
        """
        age = trio.current_time() - self._since
        if self.known_peers is None or self._full.is_set() or age >= params.FILL_SECONDS:
            return True
        if dialled := _dialled(connections):
            return age >= params.SETTLE_SECONDS and dialled <= self._asked
        return {c.peer for c in connections}.issuperset(self.known_peers.known())

    async def turn_of(self, peer: PeerID) -> None:
        """Until a first session with this peer is due: guards and named ones come before others."""
        trusted = self.known_peers.trusted() if self.known_peers else ()
        if trusted and peer not in trusted:
            with trio.move_on_at(self._since + params.SETTLE_SECONDS):
                await self._full.wait()


def _dialled(connections: Iterable[Connection]) -> set[PeerID]:
    return {c.peer for c in connections if c.direction is Direction.OUTBOUND}
