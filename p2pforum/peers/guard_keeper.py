"""Keeps the guards connected that own posts use now, and draws new guards afresh from the address book.

New guards are not drawn from connected peers. Peers that never disconnect collect among those, and an
attacker's peers never disconnect.

The node dials a guard when its slot is used, and disconnects hours after. Guards are not among the eight
outbound peers. The node connects to few guards, because each connected peer can see when this node is online.
Dialling a guard leaves no trace in the book; otherwise a disk would show on which day.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from random import Random
from typing import Any, Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.network.interface import Network, PeerID
from p2pforum.peers.book import Book
from p2pforum.peers.slots import CurrentPeers, Slots

log = logging.getLogger(__name__)

_FIRST_SECONDS = 20.0  # on average until the first is drawn: the book of a new node fills meanwhile
_LOOK_SECONDS = 1.0  # between two looks at the stem's needs: an own post may wait for a guard


class GuardNeeds(Protocol):
    """What guards the stem needs; stem/recruits.py says what each method means."""

    def wanted(self) -> Sequence[Sequence[tuple[str, str]]]: ...
    def fails(self, peer: str) -> bool: ...
    def lacks(self, *, urgently: bool = False) -> bool: ...
    def taken(self) -> tuple[set[str], set[str]]: ...
    def found_none(self) -> None: ...
    async def adopt(self, peer: PeerID, where: tuple[str, str]) -> bool: ...


class GuardKeeper:
    """`held`: peers that are connected, or being dialled, only as guards."""

    def __init__(self, network: Network, rng: Random, book: Book, slots: Slots, needs: GuardNeeds) -> None:
        self._network = network
        self._rng = rng
        self._book = book
        self._slots = slots
        self._needs = needs
        self._dialling: set[str] = set()
        self.held: set[str] = set()
        self._due = trio.current_time() + rng.expovariate(1 / _FIRST_SECONDS)  # when the next is drawn

    def turns(
        self,
        nursery: trio.Nursery,
        current: Callable[[], CurrentPeers],
        dial: Callable[[str], Awaitable[PeerID]],
    ) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Coroutines for the caller to run again and again, each by itself. `dial` notes the result in the
        book."""
        return [partial(self.look, nursery, current), partial(self.recruit, current, dial)]

    # -- those that are kept -------------------------------------------------------------------------------

    async def look(self, nursery: trio.Nursery, current: Callable[[], CurrentPeers]) -> None:
        """Dial guards that are wanted, and disconnect from those that are not wanted any more. Waits a second
        first."""
        await trio.sleep(_LOOK_SECONDS)
        wanted, now = self._needs.wanted(), current()
        for guards in wanted:
            if (address := self._next(guards, now)) is not None:
                peer = address.rpartition("/p2p/")[2]
                self._dialling.add(peer)
                self.held.add(peer)
                nursery.start_soon(self._dial, peer, address)
        await self._let_go({peer for guards in wanted for peer, _ in guards}, now.connected)

    def _next(self, guards: Sequence[tuple[str, str]], current: CurrentPeers) -> str | None:
        """The address to dial for one slot, or None.

        A guard is dialled when those before it have not answered. It is dialled again while another stands in
        for it.
        """
        for peer, address in guards:
            if self._needs.fails(peer):
                continue
            if peer in current.connected or peer in self._dialling:
                return None
            if peer in current.named or peer in current.bans:  # dialled by another rule, or not to be dialled
                continue
            for known in self._addresses(peer, address):
                if not self._slots.rests(known, trio.current_time()):
                    return known
        return None

    def _is_lost(self, current: CurrentPeers) -> bool:
        """Whether a slot in use has no guard left to try. One that is being dialled may still answer."""
        return any(
            self._next(guards, current) is None
            and not any(
                peer in self._dialling or (peer in current.connected and not self._needs.fails(peer))
                for peer, _ in guards
            )
            for guards in self._needs.wanted()
        )

    def _addresses(self, peer: str, address: str) -> list[str]:
        """Addresses that the book has of the peer, then the one at which it was drawn."""
        known = [entry.address for entry in self._book.of_peer(peer)]
        return [*known, *([address] if address and address not in known else [])]

    async def _dial(self, peer: str, address: str) -> None:
        try:
            await self._network.dial(address)
            return
        except NetworkError:
            pass
        except Exception:  # a fault of this program
            log.exception("a fault in dialling")
        finally:
            self._dialling.discard(peer)
        self.held.discard(peer)
        self._slots.put_off(address, trio.current_time())

    async def _let_go(self, wanted: set[str], connected: frozenset[str]) -> None:
        self.held &= connected | self._dialling
        for peer in sorted(self.held - wanted - self._dialling):
            self.held.discard(peer)
            await self._network.disconnect(PeerID(peer))

    # -- those that are drawn ------------------------------------------------------------------------------

    async def recruit(
        self, current: Callable[[], CurrentPeers], dial: Callable[[str], Awaitable[PeerID]]
    ) -> None:
        """Draw a guard: at once if a post waits for one, else as rarely as a feeler is sent, even if none is
        used."""
        await trio.sleep(_LOOK_SECONDS)
        if self._needs.lacks(urgently=True) and self._is_lost(current()):
            await self._draw(current, dial)
        elif trio.current_time() >= self._due:
            self._due = trio.current_time() + self._rng.expovariate(1 / limits.FEELER_SECONDS)
            if self._needs.lacks():
                await self._draw(current, dial)

    async def _draw(
        self, current: Callable[[], CurrentPeers], dial: Callable[[str], Awaitable[PeerID]]
    ) -> None:
        """Try to recruit one, in a network group without a guard if there is one."""
        peers, groups = self._needs.taken()
        now = trio.current_time()
        entry = self._slots.applicant(now, current(), peers, groups)
        entry = entry or self._slots.applicant(now, current(), peers, set())
        if entry is None:
            self._needs.found_none()
            return
        if entry.peer not in current().outbound:
            self.held.add(entry.peer)
        self._dialling.add(entry.peer)
        try:
            peer = await dial(entry.address)
            took = await self._needs.adopt(peer, (entry.address, entry.group))
        except NetworkError:
            took = False
        finally:
            self._dialling.discard(entry.peer)
        if not took:
            self._slots.put_off(entry.address, trio.current_time())
