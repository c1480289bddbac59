"""Gossiping nodes over real libp2p on loopback, what they hear, and stock processes beside them."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import trio
from gossip_nodes import MemoryStore
from strategies import HOUR, TEST_NETWORK

from p2pforum.core.post import Post
from p2pforum.gossip.service import GossipService
from p2pforum.ingest import Door
from p2pforum.network.interface import Network, PeerID, StreamHandler
from p2pforum.network.libp2p_network import open_libp2p_network

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
STOCK = Path(__file__).parent / "stock_pubsub.py"


class _Tap(trio.abc.Stream):
    """A stream that keeps a copy of what is read from it."""

    def __init__(self, stream: trio.abc.Stream, copy: bytearray) -> None:
        self._stream = stream
        self._copy = copy

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        part = await self._stream.receive_some(max_bytes)
        self._copy += part
        return part

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


class Tapped:
    """A network whose inbound streams are copied, decrypted, to `heard`: one buffer for each stream."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.heard: list[bytearray] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def set_handler(self, protocol: str, handler: StreamHandler) -> None:
        async def tapped(peer: PeerID, stream: trio.abc.Stream) -> None:
            self.heard.append(bytearray())
            await handler(peer, _Tap(stream, self.heard[-1]))

        self._network.set_handler(protocol, tapped)


@dataclass(eq=False)
class RealNode:
    network: Tapped
    store: MemoryStore
    service: GossipService

    @property
    def address(self) -> str:
        return self.network.addresses[0]

    @property
    def peer_id(self) -> str:
        return self.network.peer_id

    def holds(self, *posts: Post) -> bool:
        return all(self.store.posts.get(post.id) for post in posts)

    async def publish(self, *posts: Post) -> None:
        self.store.add([(post, False) for post in posts])
        await self.service.originate([post.raw for post in posts])


@contextlib.asynccontextmanager
async def real_node(now: Callable[[], int] = lambda: HOUR) -> AsyncIterator[RealNode]:
    """The real door too, with its thread."""
    async with open_libp2p_network([LOOPBACK]) as network, trio.open_nursery() as nursery:
        tapped, store = Tapped(network), MemoryStore()

        async def release(ids: Sequence[bytes]) -> None:
            await trio.lowlevel.checkpoint()
            store.release(ids)

        door = Door(store, TEST_NETWORK, now)
        service = GossipService(tapped, door, Random(network.peer_id), release)
        await nursery.start(service.run)
        yield RealNode(tapped, store, service)
        nursery.cancel_scope.cancel()


@dataclass(eq=False)
class Stock:
    """A stock process. `events` are the lines it printed."""

    process: trio.Process
    events: list[dict[str, Any]] = field(default_factory=list)

    async def tell(self, **command: Any) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send_all(json.dumps(command).encode() + b"\n")

    async def read(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        async for part in self.process.stdout:
            *lines, rest = (rest + part).split(b"\n")
            self.events += map(json.loads, lines)

    @property
    def address(self) -> str:
        return next(event["address"] for event in self.events if "address" in event)

    @property
    def peer_id(self) -> str:
        return self.address.rpartition("/")[2]

    def got(self) -> list[bytes]:
        return [bytes.fromhex(event["got"]) for event in self.events if "got" in event]

    async def status(self, topic: str) -> dict[str, Any]:
        seen = len(self.events)
        await self.tell(status=topic)
        await until(lambda: any("mesh" in event for event in self.events[seen:]))
        return next(event for event in self.events[seen:] if "mesh" in event)

    async def meshed(self, topic: str, peer: str) -> None:
        """Wait until `peer` is in its mesh."""
        with trio.fail_after(20):
            while peer not in (await self.status(topic))["mesh"]:
                await trio.sleep(0.1)


@contextlib.asynccontextmanager
async def peer_process(command: Sequence[str], folder: Path | None = None) -> AsyncIterator[Stock]:
    """A program that obeys lines of JSON and answers in them; the first one tells its address."""
    async with trio.open_nursery() as nursery:
        start = functools.partial(
            trio.run_process,
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            check=False,
            cwd=folder,
            start_new_session=True,
        )
        stock = Stock(await nursery.start(start))
        nursery.start_soon(stock.read)
        try:
            await until(lambda: bool(stock.events), 30)
            yield stock
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(stock.process.pid, signal.SIGKILL)  # `node` may be a script that runs another
        nursery.cancel_scope.cancel()


@contextlib.asynccontextmanager
async def stock_process(
    *, strict_signing: bool = False, topic: str = TEST_NETWORK.topic
) -> AsyncIterator[Stock]:
    policy = "strict" if strict_signing else "lax"
    async with peer_process([sys.executable, str(STOCK), policy, topic]) as stock:
        yield stock


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for what another task or process will do soon; the bound is for a failing test only."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await trio.sleep(0.01)
