"""For the code that dials: which guards to keep connected, when to draw one, and whether a peer can be
one."""

from collections.abc import Awaitable, Callable

import trio

from p2pforum.network.interface import PeerID
from p2pforum.stem.router import StemRouter


class Recruits:
    """`takes` sends a peer an empty frame: only a peer that takes it can be a guard."""

    def __init__(
        self, router: StemRouter, hour: Callable[[], int], takes: Callable[[PeerID], Awaitable[bool]]
    ) -> None:
        self._router = router
        self._hour = hour
        self._takes = takes

    def wanted(self) -> list[list[tuple[str, str]]]:
        """For each slot in use its guards, the one to use first, and the address of each ("": not known)."""
        guards = self._router.guards
        addresses = {(guard.slot, guard.peer): guard.address for guard in guards.kept}
        slots = guards.wanted(trio.current_time())
        return [[(peer, addresses[slot, peer]) for peer in guards.of(slot)] for slot in slots]

    def fails(self, peer: str) -> bool:
        """It is connected and did not take the last frame. An attacker's guard may do so, to prevent
        posts."""
        contact = self._router.contacts.get(peer)
        return contact is not None and contact.failed

    def lacks(self, *, urgently: bool = False) -> bool:
        """Whether to draw a guard. `urgently`: only for a slot in use that has no guard connected."""
        slot, guards, now = self._lacking(), self._router.guards, trio.current_time()
        if slot is None or not urgently:
            return slot is not None
        return slot in guards.wanted(now) and not guards.in_use(slot, self._router.contacts.there())

    def _lacking(self) -> int | None:
        self._router.fills = False
        there = self._router.contacts.there()
        return self._router.guards.lacking(self._hour(), trio.current_time(), there)

    def taken(self) -> tuple[set[str], set[str]]:
        """Peers, and network groups, that are guards."""
        kept = self._router.guards.kept
        return {guard.peer for guard in kept}, {guard.group for guard in kept} - {""}

    def found_none(self) -> None:
        """The address book has no peer to draw, so draw from connected peers for slots without a guard."""
        self._router.fill_guards(self._hour())

    async def adopt(self, peer: PeerID, where: tuple[str, str]) -> bool:
        """Make a peer that was drawn and is connected a guard. `where` is its address, and the group of that.

        False if it does not take a frame, or no slot lacks it.
        """
        if peer not in self._router.contacts.candidates() and not await self._takes(peer):
            return False
        slot = self._lacking()
        if slot is None or peer in self._router.guards.of(slot):
            return False
        self._router.adopt(slot, peer, where, self._hour())
        return True
