"""Yamux over streams in memory: trio's whole stream contract, and peers that break the rules."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing
from network_tools import an_account, receive_all

from p2pforum.core.limits import (
    EXTRA_WINDOWS,
    MAX_REFUSED_STREAMS,
    MAX_STREAM_WINDOW,
    SEND_QUEUE,
    STREAM_WINDOW,
)
from p2pforum.network.interface import Connection, Direction, PeerID
from p2pforum.network.libp2p_connections import ConnectionTable, MuxedConnection
from p2pforum.network.memory_stream import memory_stream_pair
from p2pforum.network.yamux import YamuxConnection
from p2pforum.network.yamux_config import YamuxConfig
from p2pforum.network.yamux_frames import (
    ACK,
    DATA,
    FIN,
    GO_AWAY,
    PING,
    RST,
    SYN,
    WINDOW_UPDATE,
    Frame,
    YamuxFrameReader,
    header,
)
from p2pforum.network.yamux_stream import YamuxStream

QUICK = YamuxConfig(linger=0.05)


# -- the stream contract ---------------------------------------------------------------------------


class Pair:
    """Two connections, of which the second keeps the streams that the first opens."""

    def __init__(self, capacity: int, config: YamuxConfig) -> None:
        here, there = memory_stream_pair(capacity)
        send, self.accepted = trio.open_memory_channel[YamuxStream](1000)
        self.opener = YamuxConnection(
            here, initiator=True, on_stream=refuse, account=an_account(), config=config
        )
        self.accepter = YamuxConnection(
            there, initiator=False, on_stream=send.send_nowait, account=an_account(), config=config
        )

    async def streams(self) -> tuple[YamuxStream, YamuxStream]:
        opened = self.opener.open()
        return opened, await self.accepted.receive()


def refuse(stream: YamuxStream) -> None:
    raise AssertionError("nobody opens streams in this direction")


@asynccontextmanager
async def pair(capacity: int = 100_000, config: YamuxConfig = QUICK) -> AsyncIterator[Pair]:
    made = Pair(capacity, config)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.opener.run)
        nursery.start_soon(made.accepter.run)
        yield made
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("capacity", [0, 1000, 100_000])
async def test_a_stream_keeps_trios_whole_contract(
    capacity: int, autojump_clock: trio.testing.MockClock
) -> None:
    async with pair(capacity) as made:

        async def clogged() -> tuple[YamuxStream, YamuxStream]:
            streams = await made.streams()
            async with trio.open_nursery() as nursery:
                for stream in streams:  # fill both windows
                    nursery.start_soon(stream.send_all, bytes(STREAM_WINDOW))
            return streams

        await trio.testing.check_half_closeable_stream(made.streams, clogged)
        await trio.sleep(1)
        assert not made.opener._streams
        assert not made.accepter._streams
        assert made.opener._buffered == made.accepter._buffered == 0


async def test_closed_streams_leave_nothing_behind(autojump_clock: trio.testing.MockClock) -> None:
    async with pair() as made:
        for number in range(200):
            here, there = await made.streams()
            await here.send_all(b"question")
            await there.send_all(b"answer")
            for stream in (here, there)[:: -1 if number % 2 else 1]:
                await stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert not made.opener._streams
        assert not made.accepter._streams


@pytest.mark.parametrize("is_killed_before", [False, True])
async def test_what_is_dropped_is_freed_at_once_and_a_part_does_not_look_whole(
    is_killed_before: bool, autojump_clock: trio.testing.MockClock
) -> None:
    async with pair() as made:
        here, there = await made.streams()
        await here.send_all(b"a part")
        await here.send_eof()
        await trio.testing.wait_all_tasks_blocked()
        if is_killed_before:
            made.accepter.kill()
            assert not made.accepter._streams
        assert made.accepter._buffered == len(b"a part")
        made.accepter.drop()
        assert made.accepter._buffered == 0
        with pytest.raises(trio.BrokenResourceError):
            await there.receive_some()


async def test_a_peer_that_is_cut_keeps_nothing_of_a_connection_that_ended_before(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A handler may hold its stream for seconds more."""
    peers = PeerID("cut"), PeerID("other")
    table = ConnectionTable()
    async with pair() as one, pair() as two:
        held = []
        for peer, made in zip(peers, (one, two), strict=True):
            here, there = await made.streams()
            held.append(there)
            await here.send_all(b"unread")
            muxed = MuxedConnection(Connection(peer, Direction.INBOUND, ""), made.accepter)
            table[peer] = [muxed]
            await trio.testing.wait_all_tasks_blocked()
            made.accepter.kill()
            table.discard(muxed)
        table.drop(peers[0])
        assert [made.accepter._buffered for made in (one, two)] == [0, len(b"unread")]
        assert await held[1].receive_some() == b"unread"


async def test_what_arrived_before_a_lost_connection_can_be_read() -> None:
    async with pair() as made:
        here, there = await made.streams()
        await here.send_all(b"complete")
        await here.send_eof()
        await trio.testing.wait_all_tasks_blocked()
        made.opener.kill()
        await trio.testing.wait_all_tasks_blocked()
        assert await receive_all(there) == b"complete"
        with pytest.raises(trio.BrokenResourceError):
            await there.send_all(b"x")
        with pytest.raises(trio.BrokenResourceError):
            made.accepter.open()


async def test_a_late_answer_to_a_closed_stream_is_no_fault(autojump_clock: trio.testing.MockClock) -> None:
    async with pair() as made:
        here, there = await made.streams()
        await here.aclose()
        with pytest.raises(trio.BrokenResourceError):  # nobody reads it: after a while it is reset
            await there.send_all(bytes(2 * STREAM_WINDOW))
        assert trio.current_time() < 1
        assert not made.opener.ended
        assert made.opener._buffered == 0


@pytest.mark.slow
async def test_cancelled_reads_and_writes_hurt_nothing(autojump_clock: trio.testing.MockClock) -> None:
    # the library's Yamux loses bytes when a read is cancelled, and the connection when a write is
    async with pair(1000) as made:
        here, there = await made.streams()
        other, _ = await made.streams()
        with trio.move_on_after(1):
            await other.send_all(bytes(10 * STREAM_WINDOW))
        got = bytearray()

        async def send() -> None:
            for number in range(2000):
                await here.send_all(number.to_bytes(2, "big"))
                if number % 7 == 0:
                    await trio.sleep(0.001)
            await here.aclose()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            ended = False
            while not ended:
                with trio.move_on_after(0.0005):
                    while part := await there.receive_some(5):
                        got += part
                    ended = True
        assert got == b"".join(number.to_bytes(2, "big") for number in range(2000))
        assert not made.opener.ended


async def test_a_peer_that_does_not_read_loses_the_stream_after_a_while(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with pair(config=YamuxConfig(read_stall=30)) as made:
        here, there = await made.streams()
        healthy, healthy_end = await made.streams()
        with pytest.raises(trio.BrokenResourceError, match="does not read"):
            await here.send_all(bytes(STREAM_WINDOW + 1))
        assert trio.current_time() == 30
        assert len(await receive_all(there, STREAM_WINDOW)) == STREAM_WINDOW
        with pytest.raises(trio.BrokenResourceError):
            await there.receive_some()
        await healthy.send_all(b"x")
        assert await healthy_end.receive_some() == b"x"


async def test_a_slow_reader_keeps_its_stream(autojump_clock: trio.testing.MockClock) -> None:
    # the library gives a reader 5 seconds, which a slow link does not always make
    async with pair() as made:
        here, there = await made.streams()
        got = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, bytes(3 * STREAM_WINDOW))
            while got < 3 * STREAM_WINDOW:
                await trio.sleep(20)
                got += len(await there.receive_some(STREAM_WINDOW // 2))


async def test_windows_of_streams_that_are_read_grow_and_share(
    autojump_clock: trio.testing.MockClock,
) -> None:
    extra = MAX_STREAM_WINDOW - STREAM_WINDOW
    async with pair() as made:
        greedy = 0
        held = []
        for _ in range(EXTRA_WINDOWS // extra + 3):
            here, there = await made.streams()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(here.send_all, bytes(4 * MAX_STREAM_WINDOW))
                await receive_all(there, 4 * MAX_STREAM_WINDOW)
            assert there.grown <= extra
            greedy += there.grown
            held.append((here, there))
        assert greedy == EXTRA_WINDOWS  # all there is, and no more
        for stream in held[0]:
            await stream.aclose()
        here, there = await made.streams()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, bytes(4 * MAX_STREAM_WINDOW))
            await receive_all(there, 4 * MAX_STREAM_WINDOW)
        assert there.grown == extra  # what the closed one had


# -- peers that break the rules, or die ------------------------------------------------------------


class Stranger:
    """A connection whose other end says, byte for byte, what a test wants."""

    def __init__(self, config: YamuxConfig, capacity: int) -> None:
        here, self.wire = memory_stream_pair(capacity)
        self.accepted: list[YamuxStream] = []
        self.connection = YamuxConnection(
            here, initiator=False, on_stream=self.accepted.append, account=an_account(), config=config
        )

    async def says(self, data: bytes) -> None:
        with trio.move_on_after(1):
            await self.wire.send_all(data)
        await trio.testing.wait_all_tasks_blocked()

    async def hears(self) -> list[Frame]:
        reader = YamuxFrameReader(10**6)
        got: list[Frame] = []
        with trio.move_on_after(0.01), suppress(trio.BrokenResourceError):
            while part := await self.wire.receive_some():
                got += reader.feed(part)
        return got


@asynccontextmanager
async def stranger(config: YamuxConfig = QUICK, capacity: int = 10**7) -> AsyncIterator[Stranger]:
    made = Stranger(config, capacity)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.connection.run)
        await trio.testing.wait_all_tasks_blocked()
        yield made
        nursery.cancel_scope.cancel()


def syn(number: int) -> bytes:
    return header(WINDOW_UPDATE, SYN, number, 0)


def data(number: int, size: int) -> bytes:
    return header(DATA, 0, number, size) + bytes(size)


@pytest.mark.parametrize(
    "bad",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(range(200)),
        header(DATA, 0, 1, 2**32 - 1),
        syn(2),  # our numbers are even
        syn(0),
        syn(1) + syn(1),
        syn(1) + data(1, STREAM_WINDOW) + data(1, 1),  # past the window
        syn(1) + header(DATA, FIN, 1, 0) + data(1, 1),  # past the end
        header(GO_AWAY, 0, 0, 1),
    ],
)
async def test_bad_frames_end_the_connection(bad: bytes, autojump_clock: trio.testing.MockClock) -> None:
    async with stranger() as peer:
        await peer.says(bad)
        assert peer.connection.ended
        with pytest.raises(trio.BrokenResourceError):
            await receive_all(peer.wire)


@pytest.mark.parametrize(
    "odd",
    [
        data(1, 100),  # a stream we do not know, or no longer
        header(WINDOW_UPDATE, RST, 1, 0),
        header(WINDOW_UPDATE, FIN | ACK, 99, 5),
        syn(1) + header(WINDOW_UPDATE, RST, 1, 0) * 3 + syn(1),
        header(WINDOW_UPDATE, SYN | FIN | RST, 1, 2**32 - 1),
        header(PING, ACK, 0, 77),  # an answer to nothing
        header(PING, 0, 9, 9),
        header(DATA, SYN | FIN, 1, 0),
    ],
)
async def test_odd_frames_do_not(odd: bytes, autojump_clock: trio.testing.MockClock) -> None:
    async with stranger() as peer:
        await peer.says(odd)
        assert not peer.connection.ended
        await peer.says(header(PING, SYN, 0, 1234))
        assert (await peer.hears())[-1] == Frame(PING, ACK, 0, 1234)


async def test_more_streams_than_allowed_are_reset(autojump_clock: trio.testing.MockClock) -> None:
    async with stranger(YamuxConfig(streams=10)) as peer:
        await peer.says(b"".join(syn(number) for number in range(1, 401, 2)))
        assert len(peer.accepted) == 10
        flags = [frame.flags for frame in await peer.hears()]
        assert flags == [ACK] * 10 + [RST] * 190
        for stream in peer.accepted:
            stream.reset()
        await peer.says(syn(5001))
        assert len(peer.accepted) == 11
        await peer.says(
            b"".join(syn(number) for number in range(10_001, 10_001 + 2 * MAX_REFUSED_STREAMS, 2))
        )
        assert peer.connection.ended  # that was a flood


async def test_nothing_is_heard_after_the_end(autojump_clock: trio.testing.MockClock) -> None:
    async with stranger() as peer:
        await peer.says(syn(1) + header(GO_AWAY, 0, 0, 0) + syn(3))
        assert [stream.number for stream in peer.accepted] == [1]
        with pytest.raises(trio.BrokenResourceError):
            await peer.accepted[0].receive_some()


async def test_all_streams_together_may_hold_only_so_much(autojump_clock: trio.testing.MockClock) -> None:
    async with stranger(YamuxConfig(streams=32, buffer=4 * STREAM_WINDOW)) as peer:
        for number in (1, 3, 5, 7):
            await peer.says(syn(number) + data(number, STREAM_WINDOW))
        assert not peer.connection.ended
        assert len(await peer.accepted[0].receive_some()) == STREAM_WINDOW
        await peer.says(syn(9) + data(9, STREAM_WINDOW))
        assert not peer.connection.ended
        await peer.says(syn(11) + data(11, 1))
        assert peer.connection.ended


@pytest.mark.slow
async def test_a_peer_that_asks_and_does_not_read_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    async with stranger(YamuxConfig(linger=0.05, frames=10**9), capacity=1000) as peer:
        pings = header(PING, SYN, 0, 1) * 1000
        for _ in range(3 * SEND_QUEUE // len(pings)):
            await peer.wire.send_all(pings)  # we keep some answers for it
        assert not peer.connection.ended
        with pytest.raises(trio.BrokenResourceError):
            await peer.wire.send_all(pings * 20)
        assert peer.connection.ended


async def test_a_peer_that_takes_nothing_off_the_socket_is_cut(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stranger(YamuxConfig(ping=1000, send_stall=60, read_stall=1000), capacity=100) as peer:
        stream = peer.connection.open()
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(bytes(2 * STREAM_WINDOW))
        assert 60 <= trio.current_time() < 61


async def test_a_peer_that_is_silent_is_pinged_then_cut(autojump_clock: trio.testing.MockClock) -> None:
    async with stranger(YamuxConfig(ping=20)) as peer:
        stream = peer.connection.open()
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        assert trio.current_time() == 40
        assert PING in [frame.kind for frame in await peer.hears()]


async def test_any_sign_of_life_keeps_a_connection(autojump_clock: trio.testing.MockClock) -> None:
    async with stranger(YamuxConfig(ping=20)) as peer:
        for _ in range(20):
            await trio.sleep(15)
            await peer.says(header(WINDOW_UPDATE, 0, 99, 0))
        assert not peer.connection.ended


async def test_idle_connections_keep_each_other_alive(autojump_clock: trio.testing.MockClock) -> None:
    async with pair() as made:
        await trio.sleep(10_000)
        assert not made.opener.ended
        assert not made.accepter.ended


async def test_a_goodbye_sends_what_is_queued(autojump_clock: trio.testing.MockClock) -> None:
    async with pair() as made:
        here, there = await made.streams()
        await here.send_all(b"last words")
        await here.aclose()
        await made.opener.close()
        assert await receive_all(there) == b"last words"
        await trio.testing.wait_all_tasks_blocked()
        assert made.accepter.ended


async def test_a_goodbye_does_not_wait_for_a_peer_that_does_not_read(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stranger(capacity=10) as peer:
        stream = peer.connection.open()
        with trio.move_on_after(1):
            await stream.send_all(bytes(STREAM_WINDOW))
        asked = trio.current_time()
        await peer.connection.close(grace=1)
        assert trio.current_time() - asked == 1
        assert peer.connection.ended
