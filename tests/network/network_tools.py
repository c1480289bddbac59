"""What several network tests use: our nodes, stock py-libp2p hosts, and peers that misbehave."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import trio

from p2pforum.core.address import parse_address
from p2pforum.network import multistream
from p2pforum.network.interface import Account, Network, PeerID
from p2pforum.network.memory_budget import MemoryBudget

Start = Callable[..., Awaitable[Network]]

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
ECHO = "/echo/1"


def an_account() -> Account:
    """Of a budget that is never spent."""
    return MemoryBudget(2**60, lambda _: None, lambda _: True).open(PeerID("peer"))


@contextlib.asynccontextmanager
async def our_node(listening: bool = True, **options: Any) -> AsyncIterator[Any]:
    """A node that echoes."""
    from p2pforum.network.libp2p_network import open_libp2p_network

    async with open_libp2p_network([LOOPBACK] if listening else [], **options) as node:
        node.set_handler(ECHO, echo)
        yield node


@contextlib.asynccontextmanager
async def stock_host(**options: Any) -> AsyncIterator[Any]:
    """The library as it comes: the control of tests that say what our connections do better."""
    from libp2p import new_host
    from multiaddr import Multiaddr

    listen = [Multiaddr(LOOPBACK)]
    host = new_host(listen_addrs=listen, **options)
    async with host.run(listen):
        yield host


def stock_address(host: Any) -> str:
    return f"{host.get_transport_addrs()[0]}/p2p/{host.get_id()}"


@contextlib.asynccontextmanager
async def python_process(program: str, *arguments: str) -> AsyncIterator[trio.Process]:
    """A process of this interpreter; killed at the end. Its standard output is a pipe."""
    command = [sys.executable, "-c", program, *arguments]
    async with trio.open_nursery() as nursery:
        start = partial(trio.run_process, command, stdout=subprocess.PIPE, check=False)
        process: trio.Process = await nursery.start(start)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


async def tcp_to(address: str) -> trio.SocketStream:
    """A plain TCP connection to a node's port."""
    target = parse_address(address)
    return await trio.open_tcp_stream(target.host, target.port)


async def echoes(node: Network, peer: PeerID) -> bool:
    """Whether a stream to a node that echoes works."""
    with trio.fail_after(30):
        stream = await node.open_stream(peer, ECHO)
        await stream.send_all(b"are you there")
        answer = await receive_all(stream, 13)
        await stream.aclose()
        return answer == b"are you there"


def raw_stream(node: Any, peer: PeerID) -> Any:
    """A Yamux stream on which nothing is negotiated yet."""
    return node._table[peer][-1].yamux.open()


async def say_protocol(stream: trio.abc.Stream, name: bytes) -> None:
    await stream.send_all(multistream.encode(multistream.HEADER) + multistream.encode(name))


async def echo(peer: str, stream: trio.abc.Stream) -> None:
    async for part in stream:
        await stream.send_all(part)


async def receive_all(stream: trio.abc.ReceiveStream, size: int | None = None) -> bytes:
    """Until the end, or `size` bytes."""
    got = bytearray()
    while size is None or len(got) < size:
        part = await stream.receive_some(None if size is None else size - len(got))
        if not part:
            break
        got += part
    return bytes(got)


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what another task or process will do soon; the bound is for a failing test only."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await trio.sleep(0.005)
