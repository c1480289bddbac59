"""Nodes by number on a memory network, and the node between them that the tests watch."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import trio
from peers_tools import HOUR, a_book, a_peer, an_address, source

from p2pforum.network.interface import Connection, Direction, Network, PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book
from p2pforum.peers.entry import Row
from p2pforum.peers.service import PeerService
from p2pforum.peers.tables import Changes

ME = 9_999_999


@dataclass
class Needs:
    """What a stem would say of guards: `slots` in use, how many are to be drawn, and who would do."""

    slots: list[list[tuple[str, str]]] = field(default_factory=list)
    lacking: int = 0
    urgent: bool = False
    failing: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    adopted: list[tuple[str, str, str]] = field(default_factory=list)
    when: list[float] = field(default_factory=list)
    barren: int = 0  # times that nobody was found in the book

    def wanted(self) -> Sequence[Sequence[tuple[str, str]]]:
        return self.slots or ([[]] if self.urgent else [])

    def fails(self, peer: str) -> bool:
        return peer in self.failing

    def lacks(self, *, urgently: bool = False) -> bool:
        return len(self.adopted) < self.lacking and (self.urgent or not urgently)

    def taken(self) -> tuple[set[str], set[str]]:
        return {peer for peer, _, _ in self.adopted}, {group for _, _, group in self.adopted} - {""}

    def found_none(self) -> None:
        self.barren += 1

    async def adopt(self, peer: PeerID, where: tuple[str, str]) -> bool:
        await trio.lowlevel.checkpoint()
        if peer in self.refused:
            return False
        self.adopted.append((peer, *where))
        self.when.append(trio.current_time())
        return True


class WithBans:
    """A network that would dial whom it bans: that nobody dials them is then up to the peer service."""

    def __init__(self, network: Network, bans: set[str]) -> None:
        self._network = network
        self.bans = bans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


def a_service(network: Network, book: Book | None = None) -> PeerService:
    return PeerService(network, Random(2), book or a_book(), lambda: HOUR)


class World:
    """Nodes by number on a memory network, and what a node between them kept."""

    def __init__(self, hub: MemoryHub, stack: AsyncExitStack) -> None:
        self.hub = hub
        self._stack = stack
        self.kept: dict[str, Row] = {}
        self.opened: list[int] = []
        self.connections: list[Connection] = []
        self.banned: set[str] = set()
        self.guards: Needs | None = None

    async def start(self, *numbers: int, host: str | None = None) -> None:
        for number in numbers:
            where = an_address(number, host and host.format(number % 250)).rpartition("/p2p/")[0]
            await self._stack.enter_async_context(self.hub.network(a_peer(number), at=where))

    def hour(self) -> int:
        return HOUR + int(trio.current_time()) // 3600

    async def save(self, changes: Changes) -> None:
        await trio.lowlevel.checkpoint()
        for address in changes.gone:
            self.kept.pop(address, None)
        self.kept |= {row[0]: row for row in changes.rows}

    async def live(
        self,
        book: Book,
        seconds: float,
        *named: str,
        watch: Callable[[PeerService], Awaitable[None]] | None = None,
    ) -> None:
        """One run of the node in the middle, ended in good order."""
        async with self.hub.network(a_peer(ME), at="/ip4/19.1.1.1/tcp/4001") as network:
            watched: Any = WithBans(network, self.banned)
            peers = PeerService(watched, Random(2), book, self.hour, self.guards, self.save)
            peers.name(named)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(peers.run)
                await trio.sleep(seconds)
                if watch is not None:
                    await watch(peers)
                self.connections = list(network.connections())
                nursery.cancel_scope.cancel()

    def restored(self, seed: int = 7, policy: AddressPolicy | None = None) -> Book:
        book = a_book(seed, policy)
        book.restore(list(self.kept.values()))
        return book

    @property
    def outbound(self) -> set[str]:
        return {c.peer for c in self.connections if c.direction is Direction.OUTBOUND}


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(MemoryHub(Random(3), (0.01, 0.2)), stack)


def told(book: Book, *numbers: int, host: str | None = None) -> Book:
    """Each by somebody else."""
    for number in numbers:
        book.learn(an_address(number, host and host.format(number % 250)), source(number), HOUR)
    return book


def peers_of(*numbers: int) -> set[str]:
    return {a_peer(number) for number in numbers}
