"""Turns a TCP connection into a secured one that is ready for Yamux; and listens.

Noise only: if a peer proposes anything else (plaintext, TLS), the answer is "na". The caller sets the
timeout, because a peer may fall silent at any step.
"""

import errno
from collections.abc import Sequence
from contextlib import suppress

import trio

from p2pforum.config import Proxy
from p2pforum.core import limits
from p2pforum.core.address import ONION, Address, parse_listen
from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.network import multistream, socks
from p2pforum.network.interface import PeerID
from p2pforum.network.libp2p_noise import AnotherPeer, Identity, secure
from p2pforum.network.yamux_frames import GO_AWAY, GO_AWAY_NORMAL, header

NOISE = "/noise"
YAMUX = "/yamux/1.0.0"


async def upgrade_outbound(
    stream: trio.SocketStream, identity: Identity, peer: PeerID
) -> trio.abc.HalfCloseableStream:
    """Secure a connection that this node dialled. Closes the stream if that fails.

    Raises AnotherPeer, or NetworkError if the other side does not speak these protocols.
    """
    try:
        await multistream.request(stream, NOISE)
        channel, _ = await secure(stream, identity, peer)
        await multistream.request(channel, YAMUX)
        return channel
    except (trio.BrokenResourceError, RemoteProtocolError) as error:
        stream.socket.close()
        raise NetworkError("it is not a node of p2pforum") from error
    except BaseException:
        stream.socket.close()
        raise


async def upgrade_inbound(
    stream: trio.SocketStream, identity: Identity
) -> tuple[trio.abc.HalfCloseableStream, PeerID] | None:
    """Secure a connection from a stranger. None if it turns out to be no peer."""
    try:
        await multistream.answer(stream, {NOISE.encode()})
        channel, peer = await secure(stream, identity, None)
        await multistream.answer(channel, {YAMUX.encode()})
        return channel, peer
    except (trio.BrokenResourceError, RemoteProtocolError, NetworkError):
        return None


async def turn_away(stream: trio.SocketStream, channel: trio.abc.Stream | None) -> None:
    """End a connection that gets no slot or failed, in such a way that the last message arrives.

    Closing a socket with bytes unread would reset the connection. So this reads on until the peer closes.
    """
    with trio.move_on_after(limits.GRACE_SECONDS), suppress(trio.BrokenResourceError):
        if channel is not None:
            await channel.send_all(header(GO_AWAY, 0, 0, GO_AWAY_NORMAL))
        await stream.send_eof()
        while await stream.receive_some():
            pass


async def connect(
    target: Address, identity: Identity, peer: PeerID, proxy: Proxy | None = None
) -> trio.abc.HalfCloseableStream:
    """Dial and upgrade. Raises NetworkError with a text fit for a person."""
    stream = await _open(target, proxy)
    try:
        return await upgrade_outbound(stream, identity, peer)
    except AnotherPeer as error:
        raise NetworkError(f"another peer answers at {target}") from error
    except NetworkError as error:
        raise NetworkError(f"what answers at {target} is not a node of p2pforum") from error


async def _open(target: Address, proxy: Proxy | None) -> trio.SocketStream:
    """The only place from which a connection goes out, or a name is looked up.

    With a proxy, neither happens here for any address: not if the proxy is down, and not for this machine's
    own addresses.
    """
    if proxy is not None:
        return await socks.connect(proxy, target)
    if target.kind == ONION:
        raise NetworkError(f"{target} is an onion service: set `proxy` in the config file (Tor) to dial it")
    try:
        return await trio.open_tcp_stream(target.host, target.port)
    except OSError as error:
        raise NetworkError(f"nothing answers at {target}") from error


async def open_listeners(listen: Sequence[str]) -> list[trio.SocketListener]:
    """Listen on all of these addresses, or on none. Raises NetworkError."""
    listeners: list[trio.SocketListener] = []
    try:
        for text in listen:
            listeners += await _listen(text, parse_listen(text))
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
