"""The network of the real world: TCP, Noise and Yamux as libp2p speaks them.

Keys, peer IDs and the Noise handshake are the library's (libp2p_noise.py); connections and streams
are ours, because its swarm can be stopped by any peer with three bytes and goes deaf after 250
connections (docs/PROTOCOL.d/network.md). Dials what it is told to, never what a peer says.
"""

import contextlib
import errno
import logging
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.network import multistream
from p2pforum.network.address import Address, parse_address, socket_address
from p2pforum.network.answering import run_handler
from p2pforum.network.interface import Connection, Direction, PeerEvent, PeerID, StreamHandler
from p2pforum.network.libp2p_identify import AGENT, add_identify, add_ping
from p2pforum.network.libp2p_noise import NOISE, AnotherPeer, Identity, secure
from p2pforum.network.roster import Roster
from p2pforum.network.yamux import DEFAULT_RULES, Rules, YamuxConnection
from p2pforum.network.yamux_stream import YamuxStream

log = logging.getLogger(__name__)

YAMUX = "/yamux/1.0.0"


@asynccontextmanager
async def open_libp2p_network(
    listen: Sequence[str] = (),
    *,
    agent: str = AGENT,
    key_seed: bytes | None = None,
    max_connections: int = limits.MAX_CONNECTIONS,
    rules: Rules = DEFAULT_RULES,
) -> AsyncIterator["Libp2pNetwork"]:
    """Start a node that listens on each address, e.g. /ip4/127.0.0.1/tcp/0; none: it only dials.

    Without `key_seed` (32 bytes) its peer ID is new at every start. Raises NetworkError if an
    address can't be listened on. When the block ends, peers are told.
    """
    identity = Identity.create(key_seed)
    listeners = await _open_listeners(listen)
    async with trio.open_nursery() as nursery:
        network = Libp2pNetwork(identity, nursery, max_connections, rules)
        network.bind(listeners)
        add_identify(network, identity, agent)
        add_ping(network)
        try:
            yield network
        finally:
            with trio.CancelScope(shield=True):
                await network.close()
            nursery.cancel_scope.cancel()


async def _open_listeners(listen: Sequence[str]) -> list[trio.SocketListener]:
    listeners: list[trio.SocketListener] = []
    try:
        for text in listen:
            address = parse_address(text)
            if address.kind not in ("ip4", "ip6") or address.peer is not None:
                raise NetworkError(f"can't listen on {text}: expected /ip4/ADDRESS/tcp/PORT")
            listeners += await _listen(text, address)
    except BaseException:
        for listener in listeners:
            listener.socket.close()
        raise
    return listeners


async def _listen(text: str, address: Address) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(address.port, host=address.host)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: "another program listens there",
            errno.EACCES: "this user may not (ports below 1024 need root)",
            errno.EADDRNOTAVAIL: "this machine does not have that address",
        }
        reason = reasons.get(error.errno or 0, error.strerror or str(error))
        raise NetworkError(f"can't listen on {text}: {reason}") from error


@dataclass(eq=False)
class _Link:
    """One connection to a peer."""

    peer: PeerID
    direction: Direction
    address: str
    yamux: YamuxConnection = field(init=False)
    handlers: int = 0  # running: streams that the peer opened


class Libp2pNetwork:
    """See `interface.Network` for what each method promises."""

    def __init__(self, identity: Identity, nursery: trio.Nursery, max_connections: int, rules: Rules) -> None:
        self._identity = identity
        self._nursery = nursery
        self._max_connections = max_connections
        self._max_inbound = max_connections - min(limits.OUTBOUND_RESERVE, max_connections // 2)
        self._rules = rules
        self._addresses: list[str] = []
        self._handlers: dict[bytes, StreamHandler] = {}
        self._links: dict[PeerID, list[_Link]] = {}
        self._roster = Roster()
        self._pending: dict[int, trio.CancelScope] = {}  # inbound, not yet secured, oldest first
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
        """In a fixed order: what a node speaks must not show in which order it was wired."""
        return sorted(name.decode() for name in self._handlers)

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
        with trio.move_on_after(timeout):
            # one dial to a peer at a time: the second finds the connection of the first
            async with self._dialling.setdefault(peer, trio.Lock()):
                if peer not in self._roster:
                    await self._connect(target, peer)
                return peer
        raise NetworkError(f"nothing answers at {address} within {timeout:g} seconds")

    async def _connect(self, target: Address, peer: PeerID) -> None:
        if len(self._roster) >= self._max_connections or self._closing:
            raise NetworkError(f"can't dial {target}: this node has as many connections as it may")
        try:
            stream = await trio.open_tcp_stream(target.host, target.port)
        except OSError as error:
            raise NetworkError(f"nothing answers at {target}") from error
        link = _Link(peer, Direction.OUTBOUND, str(target))
        try:
            await self._upgrade(link, stream, expected=peer)
        except AnotherPeer as error:
            raise NetworkError(f"another peer answers at {target}") from error
        except (NetworkError, RemoteProtocolError, trio.BrokenResourceError) as error:
            raise NetworkError(f"what answers at {target} is no node like this one") from error
        self._admit(link)
        self._nursery.start_soon(self._run, link)

    async def _upgrade(self, link: _Link, stream: trio.SocketStream, expected: PeerID | None) -> None:
        """From TCP to Yamux. Closes the stream if that fails."""
        try:
            if expected is not None:
                await multistream.request(stream, NOISE)
            else:
                await multistream.answer(stream, {NOISE.encode()})
            channel, link.peer = await secure(stream, self._identity, expected)
            if expected is not None:
                await multistream.request(channel, YAMUX)
            else:
                await multistream.answer(channel, {YAMUX.encode()})
        except BaseException:
            stream.socket.close()
            raise

        def on_stream(opened: YamuxStream) -> None:
            self._on_stream(link, opened)

        link.yamux = YamuxConnection(
            channel, initiator=expected is not None, on_stream=on_stream, rules=self._rules
        )

    # -- listening -------------------------------------------------------------------------------

    def bind(self, listeners: list[trio.SocketListener]) -> None:
        for listener in listeners:
            host, port, *_ = listener.socket.getsockname()
            self._addresses.append(str(socket_address(host, port, self.peer_id)))
        if listeners:
            self._nursery.start_soon(trio.serve_listeners, self._serve, listeners)

    async def _serve(self, stream: trio.SocketStream) -> None:
        """One inbound TCP connection, from accept to end."""
        if self._is_full() or self._closing:
            return
        try:
            host, port, *_ = stream.socket.getpeername()
        except OSError:  # gone already
            return
        link = _Link(self.peer_id, Direction.INBOUND, str(socket_address(host, port)))
        if not await self._upgrade_inbound(link, stream):
            return
        if link.peer == self.peer_id or self._is_full():
            await link.yamux.close()
            return
        self._admit(link)
        await self._run(link)

    async def _upgrade_inbound(self, link: _Link, stream: trio.SocketStream) -> bool:
        # Strangers that say nothing must not keep others out: each new one pushes the oldest out.
        while len(self._pending) >= limits.MAX_PENDING_INBOUND:
            self._pending.pop(next(iter(self._pending))).cancel()
        with trio.move_on_after(limits.UPGRADE_SECONDS) as scope:
            self._pending[id(link)] = scope
            try:
                await self._upgrade(link, stream, expected=None)
                return True
            except (NetworkError, RemoteProtocolError, trio.BrokenResourceError) as error:
                log.debug("an inbound connection came to nothing: %s", error)
            finally:
                self._pending.pop(id(link), None)
        return False

    def _is_full(self) -> bool:
        inbound = sum(link.direction is Direction.INBOUND for links in self._links.values() for link in links)
        return inbound >= self._max_inbound or len(self._roster) >= self._max_connections

    # -- connections -----------------------------------------------------------------------------

    def _admit(self, link: _Link) -> None:
        links = self._links.setdefault(link.peer, [])
        if len(links) >= limits.MAX_CONNECTIONS_PER_PEER:
            links[0].yamux.kill()  # the newest is known to live
        links.append(link)
        self._roster.add(link, Connection(link.peer, link.direction, link.address))

    async def _run(self, link: _Link) -> None:
        try:
            await link.yamux.run()
        finally:
            links = self._links[link.peer]
            links.remove(link)
            if not links:
                del self._links[link.peer]
            self._roster.remove(link, link.peer)

    async def disconnect(self, peer: PeerID) -> None:
        async with trio.open_nursery() as nursery:
            for link in self._links.get(peer, []):
                nursery.start_soon(link.yamux.close)

    async def close(self) -> None:
        """Tell every peer, all at once."""
        self._closing = True
        async with trio.open_nursery() as nursery:
            for peer in self._links:
                nursery.start_soon(self.disconnect, peer)
        self._roster.close()

    # -- streams ---------------------------------------------------------------------------------

    async def open_stream(self, peer: PeerID, protocol: str, *, timeout: float = 10.0) -> trio.abc.Stream:
        links = self._links.get(peer)
        if not links:
            raise NetworkError("no connection to that peer")
        stream: YamuxStream | None = None
        try:
            with trio.fail_after(timeout):
                stream = links[-1].yamux.open()
                await multistream.request(stream, protocol)
                return stream
        except BaseException as error:
            if stream is not None:
                stream.reset()
            if isinstance(error, trio.TooSlowError):
                raise NetworkError(f"the peer says nothing about {protocol}") from error
            if isinstance(error, trio.BrokenResourceError | RemoteProtocolError):
                raise NetworkError(f"the peer does not take a stream for {protocol}: {error}") from error
            raise

    def _on_stream(self, link: _Link, stream: YamuxStream) -> None:
        if link.handlers >= self._rules.streams:
            stream.reset()
        else:
            link.handlers += 1
            self._nursery.start_soon(self._answer, link, stream)

    async def _answer(self, link: _Link, stream: YamuxStream) -> None:
        try:
            protocol: str | None = None
            with trio.move_on_after(limits.NEGOTIATE_SECONDS):
                with contextlib.suppress(RemoteProtocolError, trio.BrokenResourceError):
                    protocol = await multistream.answer(stream, self._handlers)
            if protocol is not None:
                await run_handler(self._handlers[protocol.encode()], link.peer, stream)
        finally:
            stream.reset()
            link.handlers -= 1
