"""The network of the real world: TCP, Noise and Yamux as libp2p speaks them.

Keys, peer IDs and the Noise handshake are the library's (libp2p_noise.py); connections and streams
are ours, because its swarm can be stopped by any peer with three bytes and goes deaf after 250
connections (docs/PROTOCOL.md). Dials what it is told to, never what a peer says.
"""

import contextlib
import logging
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from p2pforum.config import Proxy
from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.network import multistream
from p2pforum.network.address import parse_address, socket_address
from p2pforum.network.answering import open_background, run_handler
from p2pforum.network.bans import Bans
from p2pforum.network.inbound import Guest, Pending, Places
from p2pforum.network.interface import Connection, Direction, PeerEvent, PeerID, StreamHandler
from p2pforum.network.libp2p_identify import AGENT, add_identify, add_ping
from p2pforum.network.libp2p_noise import Identity
from p2pforum.network.libp2p_upgrade import connect, open_listeners, upgrade_inbound
from p2pforum.network.roster import Roster
from p2pforum.network.yamux import DEFAULT_RULES, Rules, YamuxConnection
from p2pforum.network.yamux_stream import YamuxStream

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_libp2p_network(
    listen: Sequence[str] = (),
    *,
    agent: str = AGENT,
    key_seed: bytes | None = None,
    max_connections: int = limits.MAX_CONNECTIONS,
    rules: Rules = DEFAULT_RULES,
    proxy: Proxy | None = None,
) -> AsyncIterator["Libp2pNetwork"]:
    """Start a node that listens on each address, e.g. /ip4/127.0.0.1/tcp/0; none: it only dials.

    With a proxy, all that it dials goes through it or fails. Without `key_seed` (32 bytes) its peer ID is new
    at every start. Raises NetworkError if an address can't be listened on. When the block ends, peers are
    told.
    """
    identity = Identity.create(key_seed)
    listeners = await open_listeners(listen)
    async with open_background() as nursery:
        network = Libp2pNetwork(identity, nursery, max_connections, rules, proxy)
        add_identify(network, identity, agent)
        add_ping(network)
        network.bind(listeners)
        try:
            yield network
        finally:
            with trio.CancelScope(shield=True):
                await network.close()


@dataclass(eq=False)
class _Link:
    """One connection to a peer."""

    connection: Connection
    yamux: YamuxConnection
    since: float = field(default_factory=trio.current_time)
    handlers: int = 0  # running for streams that the peer opened
    gone: trio.Event = field(default_factory=trio.Event)


class Libp2pNetwork:
    """See `interface.Network` for what each method promises."""

    def __init__(
        self,
        identity: Identity,
        nursery: trio.Nursery,
        max_connections: int,
        rules: Rules,
        proxy: Proxy | None = None,
    ) -> None:
        self._identity = identity
        self._nursery = nursery
        self._max_connections = max_connections
        self._max_inbound = max_connections - min(limits.OUTBOUND_RESERVE, max_connections // 2)
        self._rules = rules
        self._proxy = proxy
        self._addresses: list[str] = []
        self._handlers: dict[bytes, StreamHandler] = {}
        self._links: dict[PeerID, list[_Link]] = {}
        self._roster = Roster()
        self._pending = Pending()
        self.bans = Bans()
        self.places = Places()  #: of peers that dialled in
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
        """In a fixed order, which does not show how a node was wired."""
        return sorted(name.decode() for name in self._handlers)

    def sign(self, message: bytes) -> bytes:
        return self._identity.sign(message)

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        self._handlers[protocol.encode()] = handler

    def connections(self) -> Sequence[Connection]:
        return self._roster.connections()

    def watch(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        return self._roster.watch()

    # -- dialling --------------------------------------------------------------------------------

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        target = parse_address(address)
        if target.peer is None:
            raise NetworkError(f"not a peer's address: {address} (it must end in /p2p/ and the peer ID)")
        peer = PeerID(target.peer)
        if peer == self.peer_id:
            raise NetworkError(f"{address} is this node's own address")
        if peer in self.bans:
            raise NetworkError(f"{address} broke the rules, and is left alone for a while")
        if self._proxy is not None:
            timeout = max(timeout, limits.PROXY_DIAL_SECONDS)
        with trio.move_on_after(timeout):
            # one dial to a peer at a time: the second finds the connection of the first
            async with self._dialling.setdefault(peer, trio.Lock()):
                if peer not in self._roster:
                    self._check_room(address)
                    channel = await connect(target, self._identity, peer, self._proxy)
                    link = self._admit(channel, Connection(peer, Direction.OUTBOUND, address))
                    self._nursery.start_soon(self._run, link)
                return peer
        raise NetworkError(f"nothing answers at {address} within {timeout:g} seconds")

    def _check_room(self, address: str) -> None:
        """Whom this node wants goes before who came: strangers must not keep it from a named peer."""
        is_full = len(self._alive()) >= self._max_connections
        if self._closing or (is_full and not self.places.make_one(self._guests())):
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
        if not self._lets_in(address, self.places.could_make_one):
            return
        secured = None
        with self._pending.wait(address):
            secured = await upgrade_inbound(stream, self._identity)
        # Only now, as a peer and not as a mere socket, does it take a place, or another's.
        if secured is not None and self._welcomes(secured[1], address):
            channel, peer = secured
            await self._run(self._admit(channel, Connection(peer, Direction.INBOUND, address)))

    def _welcomes(self, peer: PeerID, address: str) -> bool:
        is_wanted = peer != self.peer_id and peer not in self.bans
        return is_wanted and self._lets_in(address, self.places.make_one)

    def _lets_in(self, address: str, make: Callable[[Sequence[Guest]], bool]) -> bool:
        """`make` is asked for a place when none is free."""
        guests = self._guests()
        if self._closing or self.places.has_its_share(address, guests):
            return False
        full = len(guests) >= self._max_inbound or len(self._alive()) >= self._max_connections
        return not full or make(guests)

    def _guests(self) -> list[Guest]:
        alive = ((link, link.connection) for link in self._alive())
        return [
            Guest(connection, link.since, link.yamux.kill)
            for link, connection in alive
            if connection.direction is Direction.INBOUND
        ]

    def _alive(self) -> list[_Link]:
        """Without those that were ended and have not gone yet: their places are free."""
        return [link for links in self._links.values() for link in links if not link.yamux.ended]

    # -- connections -----------------------------------------------------------------------------

    def _admit(self, channel: trio.abc.Stream, connection: Connection) -> _Link:
        link = _Link(
            connection,
            YamuxConnection(
                channel,
                initiator=connection.direction is Direction.OUTBOUND,
                on_stream=lambda stream: self._on_stream(link, stream),
                rules=self._rules,
            ),
        )
        links = self._links.setdefault(connection.peer, [])
        if len(links) >= limits.MAX_CONNECTIONS_PER_PEER:
            links[0].yamux.kill()  # the newest is known to live
        links.append(link)
        self._roster.add(link, connection)
        return link

    async def _run(self, link: _Link) -> None:
        peer = link.connection.peer
        try:
            await link.yamux.run()
        finally:
            self._links[peer].remove(link)
            if not self._links[peer]:
                del self._links[peer]
            self._roster.remove(link, peer)
            link.gone.set()

    async def disconnect(self, peer: PeerID) -> None:
        async with trio.open_nursery() as nursery:
            for link in self._links.get(peer, []):
                nursery.start_soon(self._close, link)

    async def ban(self, peer: PeerID) -> None:
        self.bans.add(peer)
        await self.disconnect(peer)

    async def _close(self, link: _Link) -> None:
        await link.yamux.close()
        await link.gone.wait()

    async def close(self) -> None:
        """Tell every peer, all at once."""
        self._closing = True
        async with trio.open_nursery() as nursery:
            for peer in self._links:
                nursery.start_soon(self.disconnect, peer)
        self._roster.close()

    # -- streams ---------------------------------------------------------------------------------

    async def open_stream(
        self, peer: PeerID, protocol: str, *, timeout: float = 10.0
    ) -> trio.abc.HalfCloseableStream:
        links = self._links.get(peer)
        if not links:
            raise NetworkError("no connection to that peer")
        opened = contextlib.ExitStack()  # resets the stream unless all goes well
        with opened:
            try:
                with trio.fail_after(timeout):
                    stream = links[-1].yamux.open()
                    opened.callback(stream.reset)
                    await multistream.request(stream, protocol)
            except trio.TooSlowError as error:
                raise NetworkError(f"the peer says nothing about {protocol}") from error
            except (trio.BrokenResourceError, RemoteProtocolError) as error:
                raise NetworkError(f"the peer takes no stream for {protocol}: {error}") from error
            opened.pop_all()
            return stream

    def _on_stream(self, link: _Link, stream: YamuxStream) -> None:
        if link.handlers >= self._rules.streams:
            link.yamux.refuse(stream)
        else:
            link.handlers += 1
            self._nursery.start_soon(self._answer, link, stream)

    async def _answer(self, link: _Link, stream: YamuxStream) -> None:
        protocol: str | None = None
        try:
            with trio.move_on_after(limits.NEGOTIATE_SECONDS):
                with contextlib.suppress(RemoteProtocolError, trio.BrokenResourceError):
                    protocol = await multistream.answer(stream, self._handlers)
            if protocol is not None:
                handler = self._handlers[protocol.encode()]
                await run_handler(handler, link.connection.peer, stream)
        finally:
            stream.reset()
            link.handlers -= 1
