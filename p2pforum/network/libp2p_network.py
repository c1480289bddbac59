"""The real network: TCP, Noise and Yamux as libp2p speaks them.

The library provides keys, peer IDs and the Noise handshake (libp2p_noise.py). Connections and streams are our
own code, because any peer can stop the library's swarm with three bytes, and it goes deaf after 250
connections (docs/PROTOCOL.md). This file dials what its caller says, never what a peer says.
"""

import contextlib
import logging
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import trio

from p2pforum.config import Proxy
from p2pforum.core import limits
from p2pforum.core.address import parse_peer, socket_address
from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.network import multistream
from p2pforum.network.answering import open_background, run_handler
from p2pforum.network.bans import Bans
from p2pforum.network.inbound_slots import InboundConnection, InboundSlots, PendingConnections
from p2pforum.network.interface import Account, Connection, ConnectionEvent, Direction, PeerID, StreamHandler
from p2pforum.network.libp2p_connections import ConnectionTable, MuxedConnection
from p2pforum.network.libp2p_identify import AGENT, add_identify, add_ping
from p2pforum.network.libp2p_noise import Identity
from p2pforum.network.libp2p_upgrade import connect, open_listeners, turn_away, upgrade_inbound
from p2pforum.network.memory_budget import MemoryBudget
from p2pforum.network.roster import Roster
from p2pforum.network.yamux import YamuxConnection
from p2pforum.network.yamux_config import DEFAULT_CONFIG, YamuxConfig
from p2pforum.network.yamux_stream import YamuxStream

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_libp2p_network(
    listen: Sequence[str] = (),
    *,
    agent: str = AGENT,
    key_seed: bytes | None = None,
    max_connections: int = limits.MAX_CONNECTIONS,
    config: YamuxConfig = DEFAULT_CONFIG,
    proxy: Proxy | None = None,
) -> AsyncIterator["Libp2pNetwork"]:
    """Start a node that listens on each address, e.g. /ip4/127.0.0.1/tcp/0; none: it only dials.

    With a proxy, every dial goes through it or fails. Without `key_seed` (32 bytes) the peer ID is new at
    every start. When the block ends, peers are told. Raises NetworkError if an address can't be listened on.
    """
    identity = Identity.create(key_seed)
    listeners = await open_listeners(listen)
    async with open_background() as nursery:
        network = Libp2pNetwork(identity, nursery, max_connections, config, proxy)
        add_identify(network, identity, agent)
        add_ping(network)
        network.bind(listeners)
        try:
            yield network
        finally:
            with trio.CancelScope(shield=True):
                await network.close()


class Libp2pNetwork:
    """See `interface.Network` for what each method promises."""

    def __init__(
        self,
        identity: Identity,
        nursery: trio.Nursery,
        max_connections: int,
        config: YamuxConfig,
        proxy: Proxy | None = None,
    ) -> None:
        self._identity = identity
        self._nursery = nursery
        self._max_connections = max_connections
        self._max_inbound = max_connections - min(limits.OUTBOUND_RESERVE, max_connections // 2)
        self._config = config
        self._proxy = proxy
        self._addresses: list[str] = []
        self._handlers: dict[bytes, StreamHandler] = {}
        self._table = ConnectionTable()
        self._roster = Roster()
        self._pending = PendingConnections()
        self._memory = MemoryBudget(
            config.memory, self._table.drop, lambda peer: not self._table.has_dialled(peer)
        )
        self.bans = Bans()
        self._slots = InboundSlots()
        self._dialling: weakref.WeakValueDictionary[str, trio.Lock] = weakref.WeakValueDictionary()
        self._closing = False

    @property
    def peer_id(self) -> PeerID:
        return self._identity.peer_id

    @property
    def addresses(self) -> Sequence[str]:
        return tuple(self._addresses)

    @property
    def protocols(self) -> list[str]:
        """In a fixed order, which does not show how the parts of a node were joined."""
        return sorted(name.decode() for name in self._handlers)

    def sign(self, message: bytes) -> bytes:
        return self._identity.sign(message)

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol.encode()] = handler

    def set_worth(self, worth: Callable[[], Mapping[PeerID, float]]) -> None:
        self._slots.set_worth(worth)

    def connections(self) -> Sequence[Connection]:
        return self._roster.connections()

    def watch(self) -> trio.MemoryReceiveChannel[ConnectionEvent]:
        return self._roster.watch()

    # -- dialling --------------------------------------------------------------------------------

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        """See `interface.Network`. Raises NetworkError."""
        target = parse_peer(address)
        peer = PeerID(target.peer or "")
        if peer == self.peer_id:
            raise NetworkError(f"{address} is this node's own address")
        if peer in self.bans:
            raise NetworkError(f"{address} broke the rules, and this node does not dial it for a while")
        if self._proxy is not None:
            timeout = max(timeout, limits.PROXY_DIAL_SECONDS)
        with trio.move_on_after(timeout):
            # One dial to a peer at a time, so that the second finds the connection of the first.
            async with self._dialling.setdefault(peer, trio.Lock()):
                if peer not in self._roster:
                    self._check_room(address)
                    channel = await connect(target, self._identity, peer, self._proxy)
                    muxed = self._admit(channel, Connection(peer, Direction.OUTBOUND, address))
                    self._nursery.start_soon(self._run, muxed)
                return peer
        raise NetworkError(f"nothing answers at {address} within {timeout:g} seconds")

    def _check_room(self, address: str) -> None:
        """A peer that this node wants goes before peers that came, so that strangers can't keep it from a
        named peer."""
        is_full = len(self._table.alive()) >= self._max_connections
        if self._closing or (is_full and not self._slots.make_one(self._table.inbound())):
            raise NetworkError(f"can't dial {address}: this node has all the connections it may have")

    # -- listening -------------------------------------------------------------------------------

    def bind(self, listeners: list[trio.SocketListener]) -> None:
        for listener in listeners:
            host, port, *_ = listener.socket.getsockname()
            self._addresses.append(str(socket_address(host, port, self.peer_id)))
        if listeners:
            self._nursery.start_soon(trio.serve_listeners, self._serve, listeners)

    async def _serve(self, stream: trio.SocketStream) -> None:
        """One inbound TCP connection, from accept to end; trio closes it when this returns."""
        try:
            host, port, *_ = stream.socket.getpeername()
        except OSError:  # gone already
            return
        address = str(socket_address(host, port))
        if not self._lets_in(address, self._slots.could_make_one):
            return
        muxed = None
        with self._pending.wait(address):
            channel, peer = await upgrade_inbound(stream, self._identity) or (None, self.peer_id)
            # Only now has it proved to be a peer, and so may take a slot, even another peer's.
            if channel and self._welcomes(peer, address):
                muxed = self._admit(channel, Connection(peer, Direction.INBOUND, address))
            else:
                await turn_away(stream, channel)
        if muxed is None:
            log.debug("an inbound connection came to nothing")
        else:
            await self._run(muxed)

    def _welcomes(self, peer: PeerID, address: str) -> bool:
        is_wanted = peer != self.peer_id and peer not in self.bans
        return is_wanted and self._lets_in(address, self._slots.make_one)

    def _lets_in(self, address: str, make: Callable[[Sequence[InboundConnection]], bool]) -> bool:
        """Whether a connection from `address` may take a slot. `make` is called to free one if none is
        left."""
        inbound = self._table.inbound()
        if self._closing or self._slots.has_its_share(address, inbound):
            return False
        full = len(inbound) >= self._max_inbound or len(self._table.alive()) >= self._max_connections
        # When memory is tight, all slots count as taken. A peer that was cut for what it held, and comes back
        # at once, is then refused before its handshake, which would cost more than what it sends.
        return not (full or self._memory.is_tight) or make(inbound)

    # -- connections -----------------------------------------------------------------------------

    def _admit(self, channel: trio.abc.HalfCloseableStream, connection: Connection) -> MuxedConnection:
        muxed = MuxedConnection(
            connection,
            YamuxConnection(
                channel,
                initiator=connection.direction is Direction.OUTBOUND,
                on_stream=lambda stream: self._on_stream(muxed, stream),
                account=self._memory.open(connection.peer),
                config=self._config,
            ),
        )
        self._table.setdefault(connection.peer, []).append(muxed)
        self._roster.add(connection)
        dead = self._roster.outlived_by(connection)
        for old in self._table[connection.peer]:
            if old.connection in dead:
                old.yamux.kill()
        return muxed

    async def _run(self, muxed: MuxedConnection) -> None:
        try:
            await muxed.yamux.run()
        finally:
            self._table.discard(muxed)
            self._roster.remove(muxed.connection)
            muxed.gone.set()

    def account(self, peer: PeerID) -> Account:
        return self._memory.open(peer)

    async def disconnect(self, peer: PeerID) -> None:
        async with trio.open_nursery() as nursery:
            for muxed in self._table.get(peer, []):
                nursery.start_soon(self._close, muxed)

    async def ban(self, peer: PeerID) -> None:
        self.bans.add(peer)
        await self.disconnect(peer)

    async def _close(self, muxed: MuxedConnection) -> None:
        try:
            await muxed.yamux.close()
        except Exception:  # a fault of this program: the connection ends all the same, and the node goes on
            log.exception("a fault in closing a connection")
            muxed.yamux.kill()
        await muxed.gone.wait()

    async def close(self) -> None:
        """Say goodbye to all peers at once."""
        self._closing = True
        async with trio.open_nursery() as nursery:
            for peer in self._table:
                nursery.start_soon(self.disconnect, peer)
        self._roster.close()

    # -- streams ---------------------------------------------------------------------------------

    async def open_stream(
        self, peer: PeerID, protocol: str, *, timeout: float = 10.0
    ) -> trio.abc.HalfCloseableStream:
        """See `interface.Network`. Raises NetworkError, or ProtocolRefused."""
        held = self._table.get(peer)
        if not held:
            raise NetworkError("no connection to that peer")
        opened = contextlib.ExitStack()  # resets the stream if something fails
        with opened:
            try:
                with trio.fail_after(timeout):
                    stream = held[-1].yamux.open()
                    opened.callback(stream.reset)
                    await multistream.request(stream, protocol)
            except trio.TooSlowError as error:
                raise NetworkError(f"the peer says nothing about {protocol}") from error
            except (trio.BrokenResourceError, RemoteProtocolError) as error:
                raise NetworkError(f"the peer takes no stream for {protocol}: {error}") from error
            opened.pop_all()
            return stream

    def _on_stream(self, muxed: MuxedConnection, stream: YamuxStream) -> None:
        if muxed.handlers >= self._config.streams:
            muxed.yamux.refuse(stream)
        else:
            muxed.handlers += 1
            self._nursery.start_soon(self._answer, muxed, stream)

    async def _answer(self, muxed: MuxedConnection, stream: YamuxStream) -> None:
        protocol: str | None = None
        try:
            with trio.move_on_after(limits.NEGOTIATE_SECONDS):
                with contextlib.suppress(RemoteProtocolError, trio.BrokenResourceError):
                    protocol = await multistream.answer(stream, self._handlers)
            if protocol is not None:
                handler = self._handlers[protocol.encode()]
                await run_handler(handler, muxed.connection.peer, stream)
        finally:
            stream.reset()
            muxed.handlers -= 1
