"""A SOCKS5 proxy on loopback that keeps a record of what it was asked: it stands for Tor."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from nacl.bindings import crypto_sign_seed_keypair

from p2pforum.config import Proxy
from p2pforum.core.address import parse_address

IP4, NAME, IP6 = 1, 3, 4
PEER = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"  # of nobody


def onion(letter: str = "a") -> str:
    """The name of an onion service that does not exist."""
    key = crypto_sign_seed_keypair(hashlib.sha256(letter.encode()).digest())[0]  # Tor looks at it
    checksum = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()[:2]
    return base64.b32encode(key + checksum + b"\x03").decode().lower()


def tcp_of(node: Any) -> tuple[str, int]:
    address = parse_address(node.addresses[0])
    return address.host, address.port


@dataclass(frozen=True)
class Asked:
    kind: int
    host: str | bytes
    port: int
    user: bytes
    password: bytes


@dataclass
class SocksServer:
    """`leads` says where a name or address goes; what it does not name is refused with reply 4. The others
    are how it misbehaves."""

    leads: dict[str, tuple[str, int]] = field(default_factory=dict)
    method: int = 2
    status: int = 0
    reply: int | None = None
    answer: bytes | None = None  # in place of any
    asked: list[Asked] = field(default_factory=list)
    proxy: Proxy = field(default=Proxy("127.0.0.1", 0))

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            if self.answer is not None:
                await stream.receive_some(3)
                await stream.send_all(self.answer)
                await trio.sleep_forever()
            assert await _exactly(stream, 3) == b"\x05\x01\x02", "only user and password may be offered"
            await stream.send_all(bytes([5, self.method]))
            if self.method != 2:
                return
            user, password = await self._sign_in(stream)
            await self._connect(stream, user, password)

    async def _sign_in(self, stream: trio.SocketStream) -> tuple[bytes, bytes]:
        assert await _exactly(stream, 1) == b"\x01"
        user = await _exactly(stream, (await _exactly(stream, 1))[0])
        password = await _exactly(stream, (await _exactly(stream, 1))[0])
        await stream.send_all(bytes([1, self.status]))
        return user, password

    async def _connect(self, stream: trio.SocketStream, user: bytes, password: bytes) -> None:
        assert await _exactly(stream, 3) == b"\x05\x01\x00"
        kind = (await _exactly(stream, 1))[0]
        size = {IP4: 4, IP6: 16}.get(kind) or (await _exactly(stream, 1))[0]
        raw = await _exactly(stream, size)
        host = raw.decode() if kind == NAME else ".".join(map(str, raw)) if kind == IP4 else raw.hex()
        port = int.from_bytes(await _exactly(stream, 2), "big")
        self.asked.append(Asked(kind, host, port, user, password))
        target = self.leads.get(f"{host}:{port}")
        reply = self.reply if self.reply is not None else 0 if target else 4
        await stream.send_all(bytes([5, reply, 0, 1]) + bytes(6))
        if reply == 0 and target:
            async with await trio.open_tcp_stream(*target) as onward, trio.open_nursery() as nursery:
                nursery.start_soon(_copy, stream, onward, nursery)
                nursery.start_soon(_copy, onward, stream, nursery)


@asynccontextmanager
async def socks_server(leads: Mapping[str, tuple[str, int]] | None = None) -> AsyncIterator[SocksServer]:
    server = SocksServer(dict(leads or {}))
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        server.proxy = Proxy("127.0.0.1", listener.socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, server.serve, [listener])
        yield server
        nursery.cancel_scope.cancel()


async def dead_port() -> int:
    """A port on which nobody listens."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        return int(listener.socket.getsockname()[1])


async def _copy(source: trio.SocketStream, target: trio.SocketStream, nursery: trio.Nursery) -> None:
    try:
        async for part in source:
            await target.send_all(part)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    nursery.cancel_scope.cancel()


async def _exactly(stream: trio.SocketStream, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        part = await stream.receive_some(size - len(got))
        if not part:
            raise trio.BrokenResourceError("the client is gone")
        got += part
    return bytes(got)
