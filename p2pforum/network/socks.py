"""A connection through a SOCKS5 proxy (RFC 1928, 1929), which looks names up itself.

Each connection has a random user and password of its own: Tor gives it a circuit that no other peer shares
(IsolateSOCKSAuth). A proxy that takes no password is refused, because it could not keep peers apart. When the
proxy does not answer, nothing else is tried.
"""

import ipaddress
import secrets
import struct

import trio

from p2pforum.config import Proxy
from p2pforum.core import limits
from p2pforum.core.address import ONION, Address
from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.network.multistream import receive_exactly

_VERSION, _CONNECT = 5, 1
_USER_PASSWORD, _USER_PASSWORD_VERSION = 2, 1
_IP4, _NAME, _IP6 = 1, 3, 4
_SECRET = 16  # characters: 64 bits, so that no two connections share a circuit by chance

_REFUSALS = {
    1: "it failed",
    2: "its rules forbid it",
    3: "that network is not reachable",
    4: "that host is not reachable",
    5: "the connection was refused",
    6: "it took too long",
    7: "it does not know how to connect",
    8: "it does not know this kind of address",
    # Tor's own, which it sends if its SocksPort has the flag "ExtendedErrors"
    0xF0: "no onion service is known by that name",
    0xF1: "the onion service's descriptor is not valid",
    0xF2: "the onion service is not reachable",
    0xF3: "the onion service could not be met",
    0xF4: "the onion service wants a key that Tor was not given",
    0xF5: "the onion service does not take the key that Tor was given",
    0xF6: "that is no onion address",
    0xF7: "the onion service did not answer in time",
}


async def connect(proxy: Proxy, target: Address) -> trio.SocketStream:
    """A stream to the target. The caller sets a timeout, because Tor may take long.

    Raises NetworkError with a text for a person.
    """
    stream = await _greet(proxy)
    try:
        await stream.send_all(_request(target))
        refusal = await _answer(stream)
    except (trio.BrokenResourceError, RemoteProtocolError) as error:
        stream.socket.close()
        raise NetworkError(f"the proxy {proxy} ended the connection to {target}") from error
    except BaseException:
        stream.socket.close()
        raise
    if refusal is None:
        return stream
    stream.socket.close()
    raise NetworkError(f"nothing answers at {target}: the proxy says that {refusal}")


async def _greet(proxy: Proxy) -> trio.SocketStream:
    """A connection to the proxy, signed in. It must be quick, because the proxy asks no other machine for
    it."""
    stream: trio.SocketStream | None = None
    try:
        with trio.fail_after(limits.PROXY_GREETING_SECONDS):
            stream = await trio.open_tcp_stream(proxy.host, proxy.port)
            await _sign_in(stream, proxy)
            return stream
    except (OSError, trio.TooSlowError, trio.BrokenResourceError, RemoteProtocolError) as error:
        _close(stream)
        raise NetworkError(
            f"the proxy {proxy} does not answer as a SOCKS5 proxy (does Tor run?); "
            "the node dials nothing without it"
        ) from error
    except BaseException:
        _close(stream)
        raise


def _close(stream: trio.SocketStream | None) -> None:
    if stream is not None:
        stream.socket.close()


async def _sign_in(stream: trio.SocketStream, proxy: Proxy) -> None:
    await stream.send_all(bytes([_VERSION, 1, _USER_PASSWORD]))
    version, method = await receive_exactly(stream, 2)
    if version != _VERSION:
        raise RemoteProtocolError("it does not speak SOCKS5")
    user, password = (secrets.token_hex(_SECRET // 2).encode() for _ in range(2))
    if method == _USER_PASSWORD:
        await stream.send_all(
            bytes([_USER_PASSWORD_VERSION, len(user)]) + user + bytes([len(password)]) + password
        )
        if (await receive_exactly(stream, 2))[1] == 0:
            return
    raise NetworkError(
        f"the proxy {proxy} takes no user and password, and the node needs them to keep connections "
        "apart; Tor takes them"
    )


def _request(target: Address) -> bytes:
    return bytes([_VERSION, _CONNECT, 0]) + _encode_address(target) + struct.pack("!H", target.port)


def _encode_address(target: Address) -> bytes:
    if target.kind in ("ip4", "ip6"):
        packed = ipaddress.ip_address(target.host).packed
        return bytes([_IP4 if target.kind == "ip4" else _IP6]) + packed
    name = target.host + ".onion" if target.kind == ONION else target.host.removesuffix(".")
    return bytes([_NAME, len(name)]) + name.encode("ascii")


async def _answer(stream: trio.SocketStream) -> str | None:
    """Why the proxy refused; None if it is connected. The address in its answer is read and ignored."""
    version, reply, _, kind = await receive_exactly(stream, 4)
    if version != _VERSION:
        raise RemoteProtocolError("not a SOCKS5 answer")
    if reply != 0:
        return _REFUSALS.get(reply, f"it failed for reason {reply}")
    if kind not in (_IP4, _NAME, _IP6):
        raise RemoteProtocolError("not a SOCKS5 answer")
    size = (await receive_exactly(stream, 1))[0] if kind == _NAME else 4 if kind == _IP4 else 16
    await receive_exactly(stream, size + 2)
    return None
