"""What only the memory network does: delays, partitions, kills, and the stream's own contract."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random

import pytest
import trio
import trio.testing

from p2pforum.core.errors import NetworkError
from p2pforum.network.interface import Connected, Ended
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.network.memory_stream import MemoryStream, memory_stream_pair

StreamMaker = Callable[[], Awaitable[tuple[MemoryStream, MemoryStream]]]


def maker(capacity: int, *, clogged: bool = False) -> StreamMaker:
    async def make() -> tuple[MemoryStream, MemoryStream]:
        pair = memory_stream_pair(capacity)
        if clogged and capacity:
            for stream in pair:
                await stream.send_all(bytes(capacity))
        return pair

    return make


@pytest.mark.parametrize("capacity", [0, 7000])
async def test_the_stream_keeps_trios_whole_contract(capacity: int) -> None:
    await trio.testing.check_half_closeable_stream(maker(capacity), maker(capacity, clogged=True))


async def test_two_writers_that_nobody_reads_block_each_other() -> None:
    # what lockstep mode is for: it shows protocols that send before they receive, on both sides
    here, there = memory_stream_pair(0)
    with trio.move_on_after(0.05) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, b"x")
            nursery.start_soon(there.send_all, b"y")
    assert scope.cancelled_caught


async def echo(peer: str, stream: trio.abc.Stream) -> None:
    async for part in stream:
        await stream.send_all(part)


async def start(stack: AsyncExitStack, hub: MemoryHub, *names: str) -> list[MemoryNetwork]:
    nodes = [await stack.enter_async_context(hub.network(name)) for name in names]
    for node in nodes:
        node.set_handler("/echo/1", echo)
    return nodes


async def test_latency_is_paid_in_virtual_time(autojump_clock: trio.testing.MockClock) -> None:
    async with AsyncExitStack() as stack:
        a, b = await start(stack, MemoryHub(Random(1), (2.0, 2.0)), "a", "b")
        await a.dial(b.addresses[0])
        assert trio.current_time() == 4.0  # there and back
        stream = await a.open_stream(b.peer_id, "/echo/1")
        assert trio.current_time() == 8.0
        await stream.send_all(b"hello")
        assert await stream.receive_some() == b"hello"
        assert trio.current_time() == 12.0


async def test_bytes_stay_in_order_whatever_the_delays(autojump_clock: trio.testing.MockClock) -> None:
    async with AsyncExitStack() as stack:
        a, b = await start(stack, MemoryHub(Random(2), (0.0, 5.0)), "a", "b")
        stream = await a.open_stream(await a.dial(b.addresses[0]), "/echo/1")
        got = bytearray()
        async with trio.open_nursery() as nursery:
            for number in range(50):
                await stream.send_all(bytes([number]))
            nursery.start_soon(stream.send_eof)
            async for part in stream:
                got += part
        assert got == bytes(range(50))


async def test_a_partition_cuts_and_heals() -> None:
    hub = MemoryHub(Random(3))
    async with AsyncExitStack() as stack:
        a, b, c = await start(stack, hub, "a", "b", "c")
        for node in (b, c):
            await a.dial(node.addresses[0])
        stream = await a.open_stream(c.peer_id, "/echo/1")
        hub.partition([["a", "b"], ["c"]])
        assert [c.peer for c in a.connections()] == ["b"]
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"x")
        with pytest.raises(NetworkError, match="nothing answers"):
            await a.dial(c.addresses[0])
        hub.heal()
        assert [c.peer for c in a.connections()] == ["b"]
        await a.dial(c.addresses[0])
        assert [c.peer for c in a.connections()] == ["b", "c"]


async def test_a_killed_node_is_gone_and_can_start_again() -> None:
    hub = MemoryHub(Random(4))
    async with AsyncExitStack() as stack:
        a, b = await start(stack, hub, "a", "b")
        events = a.watch()
        stream = await a.open_stream(await a.dial(b.addresses[0]), "/echo/1")
        hub.kill("b")
        assert [type(events.receive_nowait()) for _ in range(2)] == [Connected, Ended]
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        with pytest.raises(NetworkError):
            await a.dial(b.addresses[0])
        with pytest.raises(NetworkError, match="down"):
            await b.dial(a.addresses[0])
        [again] = await start(stack, hub, "b")
        assert await a.dial(again.addresses[0]) == "b"


async def test_a_node_that_only_dials_has_no_address() -> None:
    hub = MemoryHub(Random(5))
    async with hub.network("a") as a, hub.network("b", listening=False) as b:
        assert b.addresses == ()
        with pytest.raises(NetworkError):
            await a.dial("/memory/b/p2p/b")
        assert await b.dial(a.addresses[0]) == "a"
        with pytest.raises(NetworkError, match="is running"):
            async with hub.network("b"):
                pass
