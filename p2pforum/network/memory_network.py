"""A network in one process: for tests and simulation, under a real or a virtual clock.

Nodes have names. A node's peer ID is its name, or that of an Ed25519 key made from it (`keyed`). Its address
is /memory/NAME/p2p/PEER, or one as on the internet. Links have a delay from a seeded generator. A test can
partition and heal the network, and kill nodes. It imitates the conditions that protocols must bear, not TCP:
while a link is up, all bytes arrive.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

import trio
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from p2pforum.core.errors import NetworkError, ProtocolRefused
from p2pforum.core.limits import CONNECTION_MEMORY, KIB, MAX_CONNECTIONS, MAX_STREAMS_PER_PEER
from p2pforum.core.peer_id import peer_id_of
from p2pforum.core.signature import SIGNATURE_SIZE
from p2pforum.network.answering import hold_nursery, open_background, run_handler
from p2pforum.network.bans import Bans
from p2pforum.network.interface import Account, Connection, ConnectionEvent, Direction, PeerID, StreamHandler
from p2pforum.network.memory_address import parse_memory_address
from p2pforum.network.memory_budget import MemoryBudget
from p2pforum.network.memory_link import MemoryLink
from p2pforum.network.memory_stream import MemoryStream, memory_stream_pair
from p2pforum.network.roster import Roster


class MemoryHub:
    """Joins the nodes. `latency`: least and greatest delay of a send, in seconds. `buffer`: bytes that a
    stream holds in each direction, 0 for lockstep."""

    def __init__(
        self, rng: Random, latency: tuple[float, float] = (0.0, 0.0), *, buffer: int = 64 * KIB
    ) -> None:
        self._rng = rng
        self._latency = latency
        self.buffer = buffer
        self._nodes: dict[str, MemoryNetwork] = {}
        self._by_address: dict[str, MemoryNetwork] = {}
        self._group: dict[str, int] = {}  # nodes in no group form one of their own

    @asynccontextmanager
    async def network(
        self,
        name: str,
        *,
        listening: bool = True,
        max_connections: int = MAX_CONNECTIONS,
        at: str | None = None,
        keyed: bool = False,
    ) -> AsyncIterator["MemoryNetwork"]:
        """Start a node. The name is free again when the block ends or the node is killed. `at`: its address,
        as /ip4/8.8.4.4/tcp/4001, for code that goes by addresses; then its name must look like a peer ID, if
        it is not `keyed`. Raises NetworkError if the name is taken."""
        if name in self._nodes:
            raise NetworkError(f"a node named {name} is running")
        async with open_background() as nursery:
            handlers = await nursery.start(hold_nursery)
            where = at or f"/memory/{name}"
            node = MemoryNetwork(self, name, where, handlers, listening, max_connections)
            if keyed:
                node.peer_id = PeerID(peer_id_of(node.public_key))
            self._nodes[name] = self._by_address[where] = node
            try:
                yield node
            finally:
                self._remove(node)

    def kill(self, name: str) -> None:
        """End a node without a word, as SIGKILL or a lost socket does. All that it tries afterwards fails."""
        node = self._nodes.get(name)
        if node is not None:
            self._remove(node)
            node.cancel_handlers()  # but not the block that started the node: its owner decides

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Cut every connection between groups, and refuse new ones until `heal`."""
        self._group = {name: number for number, group in enumerate(groups) for name in group}
        for node in list(self._nodes.values()):
            node.cut(lambda name, other: not self.reachable(name, other))

    def lose_connections(self, name: str, notice: float) -> None:
        """End all connections of a node at its own end only, as when a router forgets them. For `notice`
        seconds its peers see connections on which nothing comes."""
        for link in list(self._nodes[name].links()):
            link.lose(self._nodes[name], notice)

    def heal(self) -> None:
        """Allow connections again; none comes back by itself."""
        self._group = {}

    def reachable(self, name: str, other: str) -> bool:
        return self._group.get(name) == self._group.get(other)

    def find(self, name: str) -> "MemoryNetwork | None":
        return self._nodes.get(name)

    def find_at(self, where: str) -> "MemoryNetwork | None":
        """The node at an address without peer ID."""
        return self._by_address.get(where)

    def delay(self) -> float:
        return self._rng.uniform(*self._latency)

    def _remove(self, node: "MemoryNetwork") -> None:
        if self._nodes.get(node.name) is node:
            del self._nodes[node.name]
            del self._by_address[node.where]
        node.shut()


class MemoryNetwork:
    """One node's view. See `interface.Network` for what each method promises."""

    def __init__(
        self,
        hub: MemoryHub,
        name: str,
        where: str,
        nursery: trio.Nursery,
        listening: bool,
        max_connections: int,
    ) -> None:
        self.name = name
        self.where = where
        self._source = where.replace("/tcp/", "/tcp/5")  # a node dials from another port
        self._hub = hub
        self._nursery = nursery
        self._listening = listening
        self._max_connections = max_connections
        self._roster = Roster()
        self._memory = MemoryBudget(CONNECTION_MEMORY, self._drop, lambda peer: not self._has_dialled(peer))
        self._links: dict[PeerID, dict[MemoryLink, Connection]] = {}  # the oldest first
        self.bans = Bans()
        self._handlers: dict[str, StreamHandler] = {}
        self._inbound: Counter[PeerID] = Counter()
        self._up = True
        self.peer_id = PeerID(name)
        self.public_key, self._key = crypto_sign_seed_keypair(hashlib.sha256(name.encode()).digest())

    @property
    def addresses(self) -> Sequence[str]:
        return (f"{self.where}/p2p/{self.peer_id}",) if self._listening else ()

    def sign(self, message: bytes) -> bytes:
        return crypto_sign(message, self._key)[:SIGNATURE_SIZE]

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol] = handler

    def set_worth(self, worth: Callable[[], Mapping[PeerID, float]]) -> None:
        self.worth = worth  # not used: this network disconnects no peer for another

    def connections(self) -> Sequence[Connection]:
        return self._roster.connections()

    def watch(self) -> trio.MemoryReceiveChannel[ConnectionEvent]:
        return self._roster.watch()

    # -- connecting ------------------------------------------------------------------------------

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        """See `interface.Network`. Raises NetworkError."""
        where, peer = parse_memory_address(address)
        await self._travel(timeout, f"nothing answers at {address}")
        if peer in self._links:
            return peer
        target = self._hub.find_at(where)
        if not self._up:
            raise NetworkError("this node is down")
        if peer in self.bans:
            raise NetworkError(f"{address} broke the rules, and this node does not dial it for a while")
        if target is None or not target.accepts(self.name, self.peer_id):
            raise NetworkError(f"nothing answers at {address}")
        if target.peer_id != peer:
            raise NetworkError(f"another peer answers at {address}")
        if target is self:
            raise NetworkError(f"{address} is this node's own address")
        link = MemoryLink(self, target)
        self._admit(link, Direction.OUTBOUND, address)
        target._admit(link, Direction.INBOUND, self._source)
        return peer

    async def _travel(self, timeout: float, complaint: str) -> None:
        """Wait as long as a message takes there and back."""
        with trio.move_on_after(timeout) as scope:
            await trio.sleep(self._hub.delay() + self._hub.delay())
        if scope.cancelled_caught:
            raise NetworkError(complaint)

    def accepts(self, name: str, peer: PeerID) -> bool:
        room = len(self._links) < self._max_connections and peer not in self.bans
        return self._up and self._listening and room and self._hub.reachable(name, self.name)

    def _admit(self, link: MemoryLink, direction: Direction, address: str) -> None:
        peer = link.other(self).peer_id
        connection = Connection(peer, direction, address)
        held = self._links.setdefault(peer, {})
        held[link] = connection
        self._roster.add(connection)
        dead = self._roster.outlived_by(connection)
        for old in [other for other, known in held.items() if known in dead]:
            old.cut()

    def account(self, peer: PeerID) -> Account:
        return self._memory.open(peer)

    def _has_dialled(self, peer: PeerID) -> bool:
        return any(c.direction is Direction.OUTBOUND for c in self._links.get(peer, {}).values())

    def _drop(self, peer: PeerID) -> None:
        for link in list(self._links.get(peer, ())):
            link.cut()

    async def disconnect(self, peer: PeerID) -> None:
        self._drop(peer)
        await trio.lowlevel.checkpoint()

    async def ban(self, peer: PeerID) -> None:
        self.bans.add(peer)
        await self.disconnect(peer)

    # -- streams ---------------------------------------------------------------------------------

    async def open_stream(
        self, peer: PeerID, protocol: str, *, timeout: float = 10.0
    ) -> trio.abc.HalfCloseableStream:
        """See `interface.Network`. Raises NetworkError or ProtocolRefused."""
        await self._travel(timeout, "the peer says nothing")
        links = self._links.get(peer)
        if not links:
            raise NetworkError("no connection to that peer")
        *_, link = links  # the newest
        if link.is_lost:
            await trio.sleep(timeout)
            raise NetworkError("the peer says nothing")
        here, there = memory_stream_pair(self._hub.buffer, self._hub.delay)
        other = link.other(self)
        if not other.speaks(protocol):
            raise ProtocolRefused(f"the peer does not speak {protocol}")
        if not other.accept_stream(self.peer_id, protocol, there):
            raise NetworkError(f"the peer does not take a stream for {protocol}")
        link.streams.update({here: self, there: link.other(self)})
        return here

    def speaks(self, protocol: str) -> bool:
        return protocol in self._handlers

    def accept_stream(self, peer: PeerID, protocol: str, stream: MemoryStream) -> bool:
        if self._inbound[peer] >= MAX_STREAMS_PER_PEER:
            return False
        self._inbound[peer] += 1
        self._nursery.start_soon(self._handle, self._handlers[protocol], peer, stream)
        return True

    async def _handle(self, handler: StreamHandler, peer: PeerID, stream: MemoryStream) -> None:
        try:
            await run_handler(handler, peer, stream)
        finally:
            self._inbound[peer] -= 1

    # -- for the hub -----------------------------------------------------------------------------

    def cut(self, unreachable: Callable[[str, str], bool]) -> None:
        for link in self.links():
            if unreachable(self.name, link.other(self).name):
                link.cut()

    def links(self) -> list[MemoryLink]:
        return [link for held in self._links.values() for link in held]

    def drop(self, link: MemoryLink) -> None:
        """Forget a link that has ended at this node."""
        peer = link.other(self).peer_id
        held = self._links.get(peer, {})
        if link in held:
            self._roster.remove(held.pop(link))
            if not held:
                del self._links[peer]

    def notice_later(self, link: MemoryLink, notice: float) -> None:
        self._nursery.start_soon(link.cut_later, notice)

    def shut(self) -> None:
        self._up = False
        for link in self.links():
            link.cut()
        self._roster.close()

    def cancel_handlers(self) -> None:
        self._nursery.cancel_scope.cancel()
