"""Yamux: many streams over one connection, which may be any trio stream.

This is our own code. The library's loses data when a read is cancelled, corrupts the connection when a write
is cancelled, does not hold a peer to its window, and never notices that a peer is gone (docs/PROTOCOL.md).
Here only whole frames are queued, and one task writes them.
"""

import contextlib
import logging
from collections.abc import Callable
from weakref import WeakSet

import trio

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.network.frame_budget import FrameBudget
from p2pforum.network.interface import STREAM_LOST, Account
from p2pforum.network.yamux_config import DEFAULT_CONFIG, YamuxConfig
from p2pforum.network.yamux_frames import (
    ACK,
    FIN,
    GO_AWAY,
    GO_AWAY_NORMAL,
    PING,
    RST,
    SYN,
    WINDOW_UPDATE,
    Frame,
    YamuxFrameReader,
    header,
)
from p2pforum.network.yamux_queue import SendQueue
from p2pforum.network.yamux_stream import YamuxStream

log = logging.getLogger(__name__)

FRAMES_AT_ONCE = 256  # about a millisecond of work, then other tasks run


class YamuxConnection:
    """`run` it in a task; it returns when the connection has ended, for any reason. The reading task calls
    `on_stream` with each stream that the peer opens: it must not block, and it then owns the stream."""

    def __init__(
        self,
        channel: trio.abc.HalfCloseableStream,
        *,
        initiator: bool,
        on_stream: Callable[[YamuxStream], None],
        account: Account,
        config: YamuxConfig = DEFAULT_CONFIG,
    ) -> None:
        self.config = config
        self._account = account
        self._frames = YamuxFrameReader(limits.MAX_STREAM_WINDOW)
        self._budget = FrameBudget(trio.current_time(), config.frames)
        self._channel = channel
        self._on_stream = on_stream
        self._next_number = 1 if initiator else 2
        self._peer_parity = 0 if initiator else 1
        self._streams: dict[int, YamuxStream] = {}
        self._held = WeakSet[YamuxStream]()  # streams that some code still holds, even after their end
        self._inbound = self._refused = 0  # streams in _streams that the peer opened; refused so far
        self._extra = limits.EXTRA_WINDOWS  # bytes by which windows may still grow
        self._buffered = 0  # bytes received and not yet read, all streams together
        self._queue = SendQueue()
        self._last_heard = 0.0
        self._ended = False
        self._has_left = False  # this node has said goodbye, and reads until the peer closes
        self._scope = trio.CancelScope()
        self._nursery: trio.Nursery | None = None

    @property
    def ended(self) -> bool:
        return self._ended

    async def run(self) -> None:
        """Read, write and ping until the connection ends."""
        try:
            with self._scope:
                async with trio.open_nursery() as self._nursery:
                    self._nursery.start_soon(self._write)
                    self._nursery.start_soon(self._ping)
                    self._nursery.start_soon(self._read)
        finally:
            self.kill()
            await trio.aclose_forcefully(self._channel)

    def kill(self) -> None:
        """End the connection now, whatever the peer does. All streams break."""
        if not self._ended:
            self._ended = True
            self._scope.cancel()
            self._break_streams()
            self._queue.clear()
            self._settle()

    def drop(self) -> None:
        """End it, if it has not ended, and throw away what is unread."""
        self.kill()
        for stream in list(self._held):
            stream.discard()

    def _settle(self) -> None:
        """Report what this connection holds. After its end, that is what its streams have left to read."""
        held = self._buffered + self._queue.size
        if not self._ended:
            held += self._frames.held + len(self._streams) * limits.STREAM_MEMORY
        self._account.set(held)
        if self._ended and not held:
            self._account.close()

    def _break_streams(self) -> None:
        for stream in list(self._streams.values()):
            stream.on_broken()

    async def close(self, grace: float = limits.GRACE_SECONDS) -> None:
        """Say goodbye and send what is queued, for `grace` seconds at most; then read until the peer closes.

        Closing a socket with bytes unread resets the connection. The peer may see the reset before it has
        read the goodbye, or what was sent before it.
        """
        self.enqueue(header(GO_AWAY, 0, 0, GO_AWAY_NORMAL))
        with trio.move_on_after(grace):
            while self._queue.size and not self._ended:
                await self._queue.changed.park()
            if not (self._has_left or self._ended):  # otherwise another task closes it, or has ended it
                self._has_left = True
                self._break_streams()
                with contextlib.suppress(*STREAM_LOST):
                    await self._channel.send_eof()
            while not self._ended:
                await self._queue.changed.park()
        self.kill()
        await trio.lowlevel.checkpoint()

    def open(self) -> YamuxStream:
        """A new stream, usable at once. Raises BrokenResourceError when there are too many."""
        if self._ended or self._has_left:
            raise trio.BrokenResourceError("the connection has ended")
        if len(self._streams) - self._inbound >= self.config.streams:
            raise trio.BrokenResourceError("too many streams to this peer")
        stream = self._add(self._next_number, inbound=False)
        self._next_number += 2
        self.enqueue(header(WINDOW_UPDATE, SYN, stream.number, 0))
        return stream

    def _add(self, number: int, *, inbound: bool) -> YamuxStream:
        stream = YamuxStream(self, number, inbound=inbound, read_stall=self.config.read_stall)
        self._streams[number] = stream
        self._held.add(stream)
        self._inbound += inbound
        return stream

    def refuse(self, stream: YamuxStream) -> None:
        """Reset a stream, because the peer has opened too many."""
        stream.reset()
        self._count_refusal()

    def _count_refusal(self) -> None:
        self._refused += 1
        if self._refused > limits.MAX_REFUSED_STREAMS:
            log.debug("a peer floods us with streams")
            self.kill()

    # -- for the streams -------------------------------------------------------------------------

    def enqueue(self, *parts: bytes) -> None:
        """Queue the parts of one frame. Never blocks, so no cancel can leave half a frame."""
        if self._ended or self._has_left:
            return
        self._queue.put(parts)
        self._settle()
        if self._queue.size > 4 * limits.SEND_QUEUE:
            # Data waits for room, so these are answers to a peer that asks and does not read.
            log.debug("a peer makes us answer and does not read")
            self.kill()

    async def wait_for_room(self) -> None:
        while self._queue.size >= limits.SEND_QUEUE and not self._ended:
            await self._queue.changed.park()

    def unbuffered(self, size: int) -> None:
        self._buffered -= size
        self._settle()

    def grow(self, size: int) -> int:
        granted = min(size, self._extra)
        self._extra -= granted
        return granted

    def linger(self, stream: YamuxStream) -> None:
        """This node has closed a stream and the peer has not: give the peer some time, then reset."""
        if self._nursery is not None and not self._ended:
            self._nursery.start_soon(self._linger, stream)

    async def _linger(self, stream: YamuxStream) -> None:
        await trio.sleep(self.config.linger)
        if self._streams.get(stream.number) is stream:
            stream.abandon()

    def remove(self, stream: YamuxStream) -> None:
        if self._streams.pop(stream.number, None) is not None:
            self._inbound -= stream.inbound
            self._extra += stream.grown

    # -- the three tasks -------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            batch = await self._queue.next_batch()
            sent = False
            with trio.move_on_after(self.config.send_stall):
                try:
                    await self._channel.send_all(batch)
                    sent = True
                except STREAM_LOST:
                    await trio.sleep(limits.GRACE_SECONDS)  # the reader may still find why the peer closed
            if not sent or self._ended:
                self.kill()
                return
            self._queue.sent(len(batch))
            self._budget.earn(len(batch))
            self._settle()

    async def _ping(self) -> None:
        """Any frame is a sign of life; a peer that sends nothing else must answer the ping."""
        number = 0
        while True:
            await trio.sleep(self.config.ping)
            asked = trio.current_time()
            self.enqueue(header(PING, SYN, 0, number))
            number = (number + 1) % 2**32
            await trio.sleep(self.config.ping)
            if self._last_heard < asked:
                log.debug("a peer gives no sign of life")
                self.kill()

    async def _read(self) -> None:
        try:
            while arrived := await self._channel.receive_some():
                for number, frame in enumerate(self._frames.feed(arrived), 1):
                    self._last_heard = trio.current_time()
                    if wait := self._budget.spend(1, len(frame.body), self._last_heard):
                        await trio.sleep(wait)
                    self._on_frame(frame)
                    if self._ended:
                        return
                    if number % FRAMES_AT_ONCE == 0:
                        await trio.lowlevel.checkpoint()
                self._settle()
        except STREAM_LOST:
            pass
        except RemoteProtocolError as error:
            log.debug("a peer broke Yamux: %s", error)
        self.kill()

    # -- frames ----------------------------------------------------------------------------------

    def _on_frame(self, frame: Frame) -> None:
        if self._has_left:
            return
        if frame.kind == PING:
            if frame.flags & SYN:
                self.enqueue(header(PING, ACK, 0, frame.length))
        elif frame.kind == GO_AWAY:
            self.kill()
        else:
            self._on_stream_frame(frame)

    def _on_stream_frame(self, frame: Frame) -> None:
        if frame.flags & SYN:
            self._on_syn(frame)
        stream = self._streams.get(frame.stream)
        if stream is None:
            return  # this node has reset it, and the peer did not know yet
        if frame.kind == WINDOW_UPDATE:
            stream.on_window(frame.length)
        else:
            self._buffered += len(frame.body)
            if not stream.on_data(frame.body) or self._buffered > self.config.buffer:
                raise RemoteProtocolError("more data than the window allows")
        if frame.flags & FIN:
            stream.on_end()
        if frame.flags & RST:
            stream.on_broken()

    def _on_syn(self, frame: Frame) -> None:
        if frame.stream == 0 or frame.stream % 2 != self._peer_parity or frame.stream in self._streams:
            raise RemoteProtocolError("a stream number that is not the peer's to choose")
        if self._inbound >= self.config.streams:
            self.enqueue(header(WINDOW_UPDATE, RST, frame.stream, 0))
            self._count_refusal()
            return
        stream = self._add(frame.stream, inbound=True)
        self.enqueue(header(WINDOW_UPDATE, ACK, frame.stream, 0))
        self._on_stream(stream)
