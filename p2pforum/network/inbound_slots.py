"""Peers that dial in: how many may wait, how many may stay, and which one is disconnected for another."""

import math
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from p2pforum.core import limits
from p2pforum.network.eviction import Candidate, to_evict
from p2pforum.network.groups import address_group, network_group
from p2pforum.network.interface import Connection, PeerID


class PendingConnections:
    """TCP connections that have not yet proved a peer ID.

    An attacker can't keep others out with silent connections: each new one pushes out the oldest, or the
    oldest of its own address if that has too many.
    """

    def __init__(self) -> None:
        self._origins: dict[trio.CancelScope, str] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._origins)

    @contextmanager
    def wait(self, address: str) -> Iterator[None]:
        """Count a connection from `address`. The block is cancelled when its time is over, or when it is
        pushed out."""
        origin = address_group(address)
        alike = [scope for scope, other in self._origins.items() if origin and other == origin]
        if len(alike) >= limits.MAX_PENDING_PER_ADDRESS:
            self._push_out(alike[0])
        while len(self._origins) >= limits.MAX_PENDING_INBOUND:
            self._push_out(next(iter(self._origins)))
        with trio.move_on_after(limits.UPGRADE_SECONDS) as scope:
            self._origins[scope] = origin
            try:
                yield
            finally:
                self._origins.pop(scope, None)

    def _push_out(self, scope: trio.CancelScope) -> None:
        del self._origins[scope]
        scope.cancel()


@dataclass(frozen=True, slots=True)
class InboundConnection:
    """An inbound connection with what decides on its slot. `since` is in seconds."""

    connection: Connection
    since: float
    leave: Callable[[], None]  #: ends it

    @property
    def peer(self) -> PeerID:
        return self.connection.peer


class InboundSlots:
    """Decides on the slots of peers that dialled in. `worth` counts what each has brought of late."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._last = -math.inf  # when the last peer was disconnected for another
        self._worth: Callable[[], Mapping[PeerID, float]] = dict

    def set_worth(self, worth: Callable[[], Mapping[PeerID, float]]) -> None:
        self._worth = worth

    def has_its_share(self, address: str, inbound: Sequence[InboundConnection]) -> bool:
        """Whether no more connections may come from this address."""
        origin = address_group(address)
        alike = sum(address_group(one.connection.address) == origin for one in inbound) if origin else 0
        return alike >= limits.MAX_INBOUND_PER_ADDRESS

    def could_make_one(self, inbound: Sequence[InboundConnection]) -> bool:
        """Whether a slot could be freed, so that a handshake with a new peer is worth its cost."""
        return self._is_time() and self._victim(inbound, {}) is not None

    def make_one(self, inbound: Sequence[InboundConnection]) -> bool:
        """End the connection that can best be spared. False if all are protected, or another was ended just
        now."""
        victim = self._victim(inbound, self._worth()) if self._is_time() else None
        if victim is not None:
            self._last = trio.current_time()
            victim.leave()
        return victim is not None

    def _is_time(self) -> bool:
        return trio.current_time() - self._last >= limits.EVICTION_SECONDS

    def _victim(
        self, inbound: Sequence[InboundConnection], worth: Mapping[PeerID, float]
    ) -> InboundConnection | None:
        candidates = [
            Candidate(number, one.since, network_group(one.connection.address), worth.get(one.peer, 0.0))
            for number, one in enumerate(inbound)
        ]
        victim = to_evict(candidates, self._secret)
        return None if victim is None else inbound[victim.number]
