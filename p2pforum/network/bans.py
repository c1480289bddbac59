"""Peers that broke a protocol. Whatever they did, the node refuses connections with them for a while.

Kept in memory only, and bounded. Peer IDs are cheap, so a ban costs an attacker only a handshake.
"""

import trio

from p2pforum.core import limits
from p2pforum.core.bounded import BoundedDict


class Bans:
    """The bans of one network."""

    def __init__(self) -> None:
        self._until = BoundedDict[str, float](limits.BANS_REMEMBERED)

    def add(self, peer: str) -> None:
        self._until[peer] = trio.current_time() + limits.BAN_SECONDS

    def __contains__(self, peer: object) -> bool:
        return isinstance(peer, str) and self._until.get(peer, 0.0) > trio.current_time()
