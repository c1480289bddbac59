"""Peers that broke a protocol. What they broke it by does not matter: the connection is refused.

In memory only, and bounded: peer IDs are cheap, so a ban costs an attacker a handshake and no more.
"""

from collections import OrderedDict

import trio

from p2pforum.core import limits


class Bans:
    """One for a network."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()  # the longest banned first

    def add(self, peer: str) -> None:
        self._until[peer] = trio.current_time() + limits.BAN_SECONDS
        self._until.move_to_end(peer)
        if len(self._until) > limits.BANS_REMEMBERED:
            self._until.popitem(last=False)

    def __contains__(self, peer: object) -> bool:
        return isinstance(peer, str) and self._until.get(peer, 0.0) > trio.current_time()
