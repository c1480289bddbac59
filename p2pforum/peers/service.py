"""Keeps peers connected: those that the user named, and some from the address book.

A peer can make this node dial an address only by way of the book and its rules.
"""

import enum
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from random import Random

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, StoreError
from p2pforum.network.bell import Bell
from p2pforum.network.interface import Connected, Direction, Network, PeerID, connection_to
from p2pforum.peers.backoff import delay
from p2pforum.peers.book import Book
from p2pforum.peers.entry import Entry
from p2pforum.peers.guard_keeper import GuardKeeper, GuardNeeds
from p2pforum.peers.slots import CurrentPeers, Slots, set_anchors
from p2pforum.peers.tables import Changes

log = logging.getLogger(__name__)

_LOOK_SECONDS = 10.0  # between two looks into the book while no entry fits
_SAVE_SECONDS = 60.0  # between two writes of the book's changes
_PAUSE = (0.1, 0.5)  # seconds between two dials: observers would notice a burst, and it loads a small line


class Stage(enum.Enum):
    DIALLING = "dialling"
    CONNECTED = "connected"
    WAITING = "waiting"


@dataclass
class Named:
    """A peer that the user named: `error` is the last failure, as a text for a person."""

    address: str
    stage: Stage = Stage.DIALLING
    error: str = ""
    failures: int = 0
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    @property
    def peer(self) -> PeerID:
        return PeerID(self.address.rpartition("/p2p/")[2])


class PeerService:
    """`rng` draws the jitter. Addresses may be named before and while `run` runs."""

    def __init__(
        self,
        network: Network,
        rng: Random,
        book: Book,
        hour: Callable[[], int],
        guards: GuardNeeds | None = None,
        save: Callable[[Changes], Awaitable[None]] | None = None,
    ) -> None:
        """`hour` returns the hour since 1970. `save` writes the book's changes; without it the book is not
        kept. Without `guards` own posts pass no guard."""
        self._network = network
        self._rng = rng
        self._book = book
        self._hour = hour
        self._write = save
        self._slots = Slots(book, rng)
        self._guards = None if guards is None else GuardKeeper(network, rng, book, self._slots, guards)
        self._named: dict[str, Named] = {}
        self._nursery: trio.Nursery | None = None
        self._ended: dict[PeerID, trio.Event] = {}  # set when one of a peer's connections ends
        self._since: dict[PeerID, float] = {}
        self._freed = Bell()

    # -- for front ends ----------------------------------------------------------------------------------

    def named(self) -> list[Named]:
        return list(self._named.values())

    def dialling(self) -> list[str]:
        """Addresses of the book that the node is dialling."""
        return [held.entry.address for held in self._slots.held.values() if held.since is None]

    def outbound(self) -> int:
        """How many outbound connections there are, guards not counted."""
        current = self._current()
        return len(current.outbound.keys() - current.guards)

    def look(self) -> None:
        """The book has new entries: look into it now."""
        self._freed.ring()

    def name(self, addresses: Iterable[str]) -> None:
        """Keep connected to these peers from now on, not to those named before; existing connections stay."""
        wanted = dict.fromkeys(addresses)
        for address in [a for a in self._named if a not in wanted]:
            self._named.pop(address).scope.cancel()
        for address in wanted:
            if address not in self._named:
                self._named[address] = Named(address)
                if self._nursery is not None:
                    self._nursery.start_soon(self._keep, self._named[address])

    async def run(self) -> None:
        """Dial and redial until cancelled. Then the book is saved, with the connected peers as anchors."""
        try:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._watch)
                turns = [self._fill, self._feel, self._keep_book]
                if self._guards is not None:
                    turns += self._guards.turns(self._nursery, self._current, self._dial)
                for turn in turns:
                    self._nursery.start_soon(self._repeat, turn)
                for named in self._named.values():
                    self._nursery.start_soon(self._keep, named)
        finally:
            self._nursery = None
            with trio.CancelScope(shield=True):
                await self._save(lasting=0)

    async def _repeat(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Run a task for ever. A fault in it costs one turn, not the node."""
        while True:
            try:
                await turn()
            except Exception:
                log.exception("a fault in finding peers")
                await trio.sleep(_LOOK_SECONDS)

    # -- connected peers -----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        async for event in self._network.watch():
            peer = event.connection.peer
            if isinstance(event, Connected):
                self._since.setdefault(peer, trio.current_time())
                continue
            if not self._is_connected(peer):
                self._since.pop(peer, None)
            if peer in self._ended:
                self._ended.pop(peer).set()

    def _is_connected(self, peer: PeerID) -> bool:
        return connection_to(self._network, peer) is not None

    async def _until_gone(self, peer: PeerID) -> None:
        while self._is_connected(peer):
            await self._ended.setdefault(peer, trio.Event()).wait()

    async def _until_not_ours(self, peer: PeerID) -> None:
        """Until no connection that this node dialled is left. One that the peer dialled fills no slot."""
        while peer in self._current().outbound:
            await self._ended.setdefault(peer, trio.Event()).wait()

    def _current(self) -> CurrentPeers:
        connections = self._network.connections()
        return CurrentPeers(
            frozenset(c.peer for c in connections),
            {c.peer: c.address for c in connections if c.direction is Direction.OUTBOUND},
            frozenset(n.peer for n in self._named.values()),
            frozenset(n.peer for n in self._named.values() if n.stage is Stage.DIALLING),
            frozenset(self._guards.held if self._guards else ()),
            self._network.bans,
        )

    # -- dialling ------------------------------------------------------------------------------------------

    async def _dial(self, address: str, *, named: bool = False) -> PeerID:
        """Dial, and note in the book what the result shows of the address. Raises NetworkError."""
        try:
            return await self._try(address, named)
        except NetworkError:
            raise
        except Exception as error:  # a fault of this program, which does not speak against the address
            log.exception("a fault in dialling")
            raise NetworkError("a fault of this node; its log says more") from error

    async def _try(self, address: str, named: bool) -> PeerID:
        try:
            peer = await self._network.dial(address)
        except NetworkError:
            self._book.attempted(address, False, self._hour())
            raise
        if self._is_there(peer, address):
            self._book.attempted(address, True, self._hour(), named=named)
        return peer

    def _is_there(self, peer: PeerID, address: str) -> bool:
        """Whether the peer answered there, rather than dialled in or was reached at another address."""
        return self._current().outbound.get(peer) == address

    async def _keep(self, named: Named) -> None:
        with named.scope:
            while True:
                named.stage = Stage.DIALLING
                started = trio.current_time()
                if named.peer in self._network.bans:
                    named.error = "it broke the rules, and this node does not dial it for a while"
                else:
                    await self._stay(named)
                lasted = trio.current_time() - started >= limits.LASTING_SECONDS and not named.error
                named.failures = 1 if lasted else named.failures + 1
                named.stage = Stage.WAITING
                await trio.sleep(delay(named.failures, self._rng))

    async def _stay(self, named: Named) -> None:
        """Dial, and wait until the peer is gone."""
        try:
            peer = await self._dial(named.address, named=True)
        except NetworkError as error:
            named.error = str(error)
        else:
            named.error, named.stage = "", Stage.CONNECTED
            await self._until_gone(peer)

    async def _fill(self) -> None:
        """Dial one more if fewer are connected than wanted."""
        assert self._nursery is not None
        entry = self._slots.next(trio.current_time(), self._current())
        if entry is not None:
            self._slots.begin(entry)
            self._nursery.start_soon(self._hold, entry)
        else:
            with trio.move_on_after(_LOOK_SECONDS):
                await self._freed.heard()
        await trio.sleep(self._rng.uniform(*_PAUSE))

    async def _hold(self, entry: Entry) -> None:
        try:
            peer = await self._dial(entry.address)
        except NetworkError:
            pass
        else:
            if self._is_there(peer, entry.address):
                self._slots.connected(peer, trio.current_time())
                await self._until_not_ours(peer)
        self._slots.ended(entry.peer, trio.current_time())
        self._freed.ring()

    async def _feel(self) -> None:
        """Now and then, dial an address that was never tried, so that there are tried ones when needed."""
        self._slots.feeling = None
        await trio.sleep(self._rng.expovariate(1 / limits.FEELER_SECONDS))
        entry = self._slots.feeler(trio.current_time(), self._hour(), self._current())
        if entry is not None:
            self._slots.feeling = entry.peer
            await self._touch(entry)

    async def _touch(self, entry: Entry) -> None:
        assert self._nursery is not None
        try:
            peer = await self._dial(entry.address)
        except NetworkError:
            self._slots.put_off(entry.address, trio.current_time())
            return
        current = self._current()
        if current.outbound.get(peer) != entry.address or peer in current.named:
            return
        if self._slots.has_room(entry, current):
            self._slots.begin(entry)
            self._nursery.start_soon(self._hold, entry)  # its dial finds the existing connection
        else:
            await self._network.disconnect(peer)

    # -- the book ------------------------------------------------------------------------------------------

    async def _keep_book(self) -> None:
        await trio.sleep(_SAVE_SECONDS)
        hour = self._hour()
        current = self._current()
        for peer, address in current.outbound.items():
            if peer not in current.guards:
                self._book.attempted(address, True, hour)  # still there
        self._book.tidy(hour)
        await self._save(lasting=limits.ANCHOR_SECONDS)

    async def _save(self, *, lasting: float) -> None:
        set_anchors(self._book, self._longest(lasting))
        changes = self._book.take_changes()
        if self._write is None or not (changes.rows or changes.gone):
            return
        try:
            await self._write(changes)
        except StoreError as error:
            log.error("the address book could not be saved: %s", error)
            self._book.put_back(changes)

    def _longest(self, least: float) -> list[str]:
        """Outbound addresses connected for `least` seconds, the longest first; named ones come last."""
        current, now = self._current(), trio.current_time()
        since = {peer: self._since.get(PeerID(peer), now) for peer in current.outbound}
        kept = current.outbound.keys() - current.guards
        found = [peer for peer in current.outbound if peer in kept and now - since[peer] >= least]
        found.sort(key=lambda peer: (peer in current.named, since[peer]))
        return [current.outbound[peer] for peer in found]
