"""What several network tests use."""

import time
from collections.abc import Awaitable, Callable

import trio

from p2pforum.network.interface import Network

Start = Callable[..., Awaitable[Network]]


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
