"""Keeps the guards connected through whom own posts go now, and draws others: afresh, from the address book.

Not from peers that are connected: these are the ones that never go, and an attacker's never do. A guard is
dialled when its slot is used, and let go hours after; it is none of the eight. The more peers see when this
node is there, the worse. Dialling it leaves no trace in the book, which would say on which day.
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
_LOOK_SECONDS = 1.0  # between two looks at what is wanted: an own post waits for it


class GuardNeeds(Protocol):
    """What the stem says of guards; see stem/recruits.py."""

    def wanted(self) -> Sequence[Sequence[tuple[str, str]]]: ...
    def fails(self, peer: str) -> bool: ...
    def lacks(self, *, urgently: bool = False) -> bool: ...
    def taken(self) -> tuple[set[str], set[str]]: ...
    def found_none(self) -> None: ...
    async def adopt(self, peer: PeerID, where: tuple[str, str]) -> bool: ...


class GuardKeeper:
    """`held`: peers that are connected, or being dialled, as guards alone."""

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
        """To be taken again and again, each by itself. `dial` notes in the book what comes of it."""
        return [partial(self.look, nursery, current), partial(self.recruit, current, dial)]

    # -- those that are kept -------------------------------------------------------------------------------

    async def look(self, nursery: trio.Nursery, current: Callable[[], CurrentPeers]) -> None:
        """Dial who is wanted, and part with who no longer is."""
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
        """A guard is dialled when those before it have not answered; and again, while another stands in."""
        for peer, address in guards:
            if self._needs.fails(peer):
                continue
            if peer in current.connected or peer in self._dialling:
                return None
            if peer in current.named or peer in current.bans:  # dialled anyway, or left alone
                continue
            for known in self._addresses(peer, address):
                if not self._slots.rests(known, trio.current_time()):
                    return known
        return None

    def _is_lost(self, current: CurrentPeers) -> bool:
        """Whether a slot in use has nobody left to try: one that is being dialled is not lost yet."""
        return any(
            self._next(guards, current) is None
            and not any(
                peer in self._dialling or (peer in current.connected and not self._needs.fails(peer))
                for peer, _ in guards
            )
            for guards in self._needs.wanted()
        )

    def _addresses(self, peer: str, address: str) -> list[str]:
        """Where the book knows it, then where it was drawn."""
        known = [entry.address for entry in self._book.of_peer(peer)]
        return [*known, *([address] if address and address not in known else [])]

    async def _dial(self, peer: str, address: str) -> None:
        try:
            await self._network.dial(address)
            return
        except NetworkError:
            pass
        except Exception:  # ours
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
        """Draw one: at once for a post that waits, else as rarely as a feeler is sent, used or not."""
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
        """In a group of its own if there is one."""
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
