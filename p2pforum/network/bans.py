"""Peers that broke a protocol. What they broke it by does not matter: the connection is refused.

In memory only, and bounded: peer IDs are cheap, so a ban costs an attacker a handshake and no more.
"""

import trio

from p2pforum.core import limits
from p2pforum.core.bounded import BoundedDict


class Bans:
    """One for a network."""

    def __init__(self) -> None:
        self._until = BoundedDict[str, float](limits.BANS_REMEMBERED)

    def add(self, peer: str) -> None:
        self._until[peer] = trio.current_time() + limits.BAN_SECONDS

    def __contains__(self, peer: object) -> bool:
        return isinstance(peer, str) and self._until.get(peer, 0.0) > trio.current_time()
