"""What the library's Yamux gets wrong (rows 11, 12 and 15 of the audit, and cancellation).

The same asked of ours is in test_network_yamux.py, over streams in memory. A control that no longer
shows its fault means that the library has changed: look again.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.stream_muxer.exceptions import MuxedStreamError
from libp2p.stream_muxer.yamux.yamux import Yamux
from network_tools import receive_all, until

from p2pforum.core.limits import STREAM_WINDOW
from p2pforum.network.memory_stream import memory_stream_pair
from p2pforum.network.yamux_frames import DATA, HEADER, SYN, WINDOW_UPDATE, header

pytestmark = pytest.mark.e2e


class Wire:
    """What a stock Yamux takes for its secured connection: it hears `said`, then nothing."""

    def __init__(self, said: bytes = b"") -> None:
        self.said = said
        self.is_initiator = False
        self.closed = trio.Event()
        self.busy = False

    async def read(self, size: int) -> bytes:
        if not self.said:
            await self.closed.wait()
        part, self.said = self.said[:size], self.said[size:]
        return part

    async def write(self, data: bytes) -> None:
        if self.busy:
            await self.closed.wait()
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        self.closed.set()


@contextlib.asynccontextmanager
async def stock_yamux(wire: Wire) -> AsyncIterator[Any]:
    async with trio.open_nursery() as nursery:
        yamux: Any = Yamux(wire, None)
        nursery.start_soon(yamux.start)
        await yamux.event_started.wait()
        yield yamux
        nursery.cancel_scope.cancel()


async def test_row_11_a_stock_yamux_never_misses_a_silent_peer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stock_yamux(Wire()) as yamux:
        await trio.sleep(24 * 3600)
        assert not yamux.is_closed


async def test_row_12_a_stock_yamux_keeps_what_exceeds_the_window() -> None:
    flood = header(DATA, 0, 1, 2**20) + bytes(2**20)
    async with stock_yamux(Wire(header(WINDOW_UPDATE, SYN, 1, 0) + flood * 20)) as yamux:
        await until(lambda: len(yamux.stream_buffers.get(1, b"")) == 20 * 2**20)
        assert not yamux.is_closed


async def test_row_15_a_stock_yamux_gives_a_reader_five_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stock_yamux(Wire()) as yamux:
        stream = await yamux.open_stream()
        with pytest.raises(MuxedStreamError, match="5 seconds"):
            await stream.write(bytes(STREAM_WINDOW + 1))
        assert trio.current_time() < 6


async def test_a_stock_yamux_loses_what_a_cancelled_read_had_in_hand(
    autojump_clock: trio.testing.MockClock,
) -> None:
    wire = Wire(header(WINDOW_UPDATE, SYN, 1, 0) + header(DATA, 0, 1, 5) + b"hello")
    async with stock_yamux(wire) as yamux:
        stream = await yamux.accept_stream()
        await until(lambda: yamux.stream_buffers[1])
        wire.busy = True  # the window update has to wait
        with trio.move_on_after(1):
            await stream.read(-1)
        assert not yamux.stream_buffers[1]  # gone, and nobody has it


async def test_a_stock_yamux_leaves_half_a_frame_when_a_write_is_cancelled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class Narrow(Wire):
        """A socket that takes 1,000 bytes, then waits for the peer to read."""

        here, there = memory_stream_pair(1000)

        async def write(self, data: bytes) -> None:
            await self.here.send_all(data)

    wire = Narrow()
    async with stock_yamux(wire) as yamux:
        stream, other = await yamux.open_stream(), await yamux.open_stream()
        await receive_all(wire.there, 2 * HEADER.size)
        with trio.move_on_after(0.1):
            await stream.write(bytes(5000))
        got = await receive_all(wire.there, 1000)
        assert HEADER.unpack_from(got)[4] == 5000  # so many bytes are to follow
        await other.write(b"x" * 10)
        assert (
            await receive_all(wire.there, HEADER.size + 10)
            == header(DATA, 0, other.stream_id, 10) + b"x" * 10
        )
