"""Streams of our connections beside those of a stock py-libp2p host: two processes on loopback.

    python -m benchmarks.bench_network [--quick]

Prints throughput for several sizes of write, the time to connect and to open a stream, the CPU of
an idle node with 20 peers, and memory for each connection. Compare the two columns of one run.
"""

import contextlib
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import trio

SMALLEST = "--quick"

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
SINK, ECHO = "/sink/1", "/echo/1"
SELF = (sys.executable, "-m", "benchmarks.bench_network")
PEERS = 20
QUICK = "--quick" in sys.argv


# -- the far side, in a process of its own ---------------------------------------------------------


async def serve_ours() -> None:
    """Our side: print the address, then read every stream to its end and answer "done". Runs
    until it is cancelled.
    """
    from p2pforum.network.libp2p_network import open_libp2p_network

    async def sink(peer: str, stream: trio.abc.Stream) -> None:
        async for _ in stream:
            pass
        await stream.send_all(b"done")

    async with open_libp2p_network([LOOPBACK]) as node:
        node.set_handler(SINK, sink)
        print(node.addresses[0], flush=True)
        await trio.sleep_forever()


async def serve_stock() -> None:
    """The library's side: the same with a stock host. Runs until it is cancelled."""
    from libp2p import new_host
    from libp2p.network.stream.exceptions import StreamError
    from multiaddr import Multiaddr

    async def sink(stream: Any) -> None:
        with contextlib.suppress(StreamError):
            while await stream.read(65_536):
                pass
        await stream.write(b"done")
        await stream.close()

    listen = [Multiaddr(LOOPBACK)]
    host = new_host(listen_addrs=listen)
    host.set_stream_handler(SINK, sink)
    async with host.run(listen):
        print(f"{host.get_transport_addrs()[0]}/p2p/{host.get_id()}", flush=True)
        await trio.sleep_forever()


# -- the near side ---------------------------------------------------------------------------------


class Ours:
    """One node that dials."""

    @contextlib.asynccontextmanager
    async def start(self) -> AsyncIterator["Ours"]:
        from p2pforum.network.libp2p_network import open_libp2p_network

        async with open_libp2p_network() as self.node:
            yield self

    async def connect(self, address: str) -> None:
        self.peer = await self.node.dial(address)

    async def disconnect(self) -> None:
        await self.node.disconnect(self.peer)

    async def open(self) -> None:
        stream = await self.node.open_stream(self.peer, SINK)
        await stream.aclose()

    async def pour(self, size: int, block: bytes) -> None:
        """Send `size` bytes in writes of `block`, and wait for the receiver's "done"."""
        stream = await self.node.open_stream(self.peer, SINK)
        for _ in range(size // len(block)):
            await stream.send_all(block)
        await stream.send_eof()
        assert await stream.receive_some(4) == b"done"
        await stream.aclose()


class Stock:
    """The same with the library's host."""

    @contextlib.asynccontextmanager
    async def start(self) -> AsyncIterator["Stock"]:
        from libp2p import new_host

        self.host = new_host()
        async with self.host.run([]):
            yield self

    async def connect(self, address: str) -> None:
        from libp2p.peer.peerinfo import info_from_p2p_addr
        from multiaddr import Multiaddr

        self.info = info_from_p2p_addr(Multiaddr(address))
        await self.host.connect(self.info)

    async def disconnect(self) -> None:
        await self.host.disconnect(self.info.peer_id)

    async def open(self) -> None:
        await (await self._stream()).close()

    async def pour(self, size: int, block: bytes) -> None:
        """Send `size` bytes in writes of `block`, and wait for the receiver's "done"."""
        stream = await self._stream()
        for _ in range(size // len(block)):
            await stream.write(block)
        await stream.close_write()
        assert await stream.read(4) == b"done"
        await stream.close()

    async def _stream(self) -> Any:
        from libp2p.custom_types import TProtocol

        return await self.host.new_stream(self.info.peer_id, [TProtocol(SINK)])


# -- measuring -------------------------------------------------------------------------------------


async def timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    await call()
    return time.perf_counter() - started


async def measure(side: Ours | Stock, address: str) -> dict[str, float]:
    """Figures by their names. Times are in ms, throughput in MB/s; each is a median."""
    figures: dict[str, float] = {}
    connects = []
    for _ in range(3 if QUICK else 10):
        connects.append(await timed(partial(side.connect, address)))
        await side.disconnect()
    figures["connect, ms"] = statistics.median(connects) * 1000
    await side.connect(address)
    opens = [await timed(side.open) for _ in range(20 if QUICK else 200)]
    figures["open a stream, ms"] = statistics.median(opens) * 1000
    for block in (500, 4_000, 64_000, 1_000_000):
        size = block * max(1, (2_000_000 if QUICK else 20_000_000) // block // (20 if block < 1000 else 1))
        runs = [await timed(partial(side.pour, size, bytes(block))) for _ in range(3)]
        figures[f"{block} B writes, MB/s"] = size / statistics.median(runs) / 1e6
    return figures


async def idle(address: str, kind: type[Ours | Stock]) -> dict[str, float]:
    """CPU and memory of one process with PEERS connections; it has their near ends."""
    async with contextlib.AsyncExitStack() as stack:
        side = await stack.enter_async_context(kind().start())
        await side.connect(address)
        await side.disconnect()  # all is imported now
        before = rss()
        for _ in range(PEERS):
            side = await stack.enter_async_context(kind().start())
            await side.connect(address)
        memory = (rss() - before) / PEERS
        await trio.sleep(1)
        used, started = time.process_time(), time.perf_counter()
        await trio.sleep(1 if QUICK else 45)
        cpu = (time.process_time() - used) / (time.perf_counter() - started)
    return {f"idle with {PEERS} peers, % of a core": cpu * 100, "a node with a peer, KB": memory / 1000}


def rss() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


async def run(kind: type[Ours | Stock], name: str) -> None:
    """Start the far side, measure, and print a line for each figure."""
    command = [*SELF, "serve", name]
    async with trio.open_nursery() as nursery:
        start = partial(trio.run_process, command, stdout=subprocess.PIPE, check=False)
        process = await nursery.start(start)
        address = (await process.stdout.receive_some()).decode().strip()
        figures = await idle(address, kind)  # first: memory that a run freed would hide what this takes
        async with kind().start() as side:
            figures |= await measure(side, address)
        for label, figure in figures.items():
            print(f"{name:6} {label:36} {figure:9.2f}", flush=True)
        process.kill()


def main() -> None:
    """Run both sides, each in its own process; or one part of that, as the arguments say."""
    match sys.argv[1:]:
        case ["serve", "ours"]:
            trio.run(serve_ours)
        case ["serve", "stock"]:
            trio.run(serve_stock)
        case ["side", "ours", *_]:
            trio.run(run, Ours, "ours")
        case ["side", "stock", *_]:
            trio.run(run, Stock, "stock")
        case _:  # own processes: neither pays for the other's imports
            for name in ("ours", "stock"):
                subprocess.run([*SELF, "side", name, *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
