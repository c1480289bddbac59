"""One Yamux stream as a trio stream: flow control, half-close, reset.

It meets trio's contract where it can: a reset or lost connection is `BrokenResourceError`, the end
of what the peer sent is b"", closing wakes whoever waits. See `yamux` for the connection.
"""

from typing import Protocol

import trio

from p2pforum.core.limits import MAX_STREAM_WINDOW, READ_STALL_SECONDS, STREAM_WINDOW
from p2pforum.network.exclusive import Exclusive, check_max_bytes
from p2pforum.network.yamux_frames import DATA, FIN, RST, WINDOW_UPDATE, header

MAX_DATA = 65_000  # bytes of a DATA frame: with its header it fits one Noise message


class FrameSender(Protocol):
    """What a stream asks of its connection."""

    def enqueue(self, *parts: bytes) -> None: ...

    async def wait_for_room(self) -> None: ...

    def unbuffered(self, size: int) -> None: ...

    def grow(self, size: int) -> int: ...

    def linger(self, stream: "YamuxStream") -> None: ...

    def remove(self, stream: "YamuxStream") -> None: ...


class YamuxStream(trio.abc.HalfCloseableStream):
    """`read_stall` is how long a peer may leave its window shut while we want to send."""

    def __init__(
        self, connection: FrameSender, number: int, *, inbound: bool, read_stall: float = READ_STALL_SECONDS
    ) -> None:
        self.number = number
        self.inbound = inbound
        self._connection = connection
        self._read_stall = read_stall
        self._send_window = STREAM_WINDOW
        self._window = STREAM_WINDOW  # what the peer may have sent and we not read
        self._receive_window = STREAM_WINDOW  # what it may still send
        self._consumed = 0  # read by us, not yet told to the peer
        self._buffer = bytearray()
        self._closed = self._sent_end = self._received_end = self._broken = False
        self._changed = trio.lowlevel.ParkingLot()
        self._sending = Exclusive("another task is sending on this stream")
        self._receiving = Exclusive("another task is receiving on this stream")

    # -- sending ---------------------------------------------------------------------------------

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_send()
            view = memoryview(data)
            while view:
                await self._wait_until_sendable()
                part = view[: min(self._send_window, MAX_DATA)]
                self._send_window -= len(part)
                self._connection.enqueue(header(DATA, 0, self.number, len(part)), bytes(part))
                view = view[len(part) :]

    async def wait_send_all_might_not_block(self) -> None:
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_send()
            await self._wait_until_sendable()

    async def _wait_until_sendable(self) -> None:
        with trio.move_on_after(self._read_stall):
            while self._send_window == 0:
                await self._changed.park()
                self._check_send()
        if self._send_window == 0:
            self.reset()
            raise trio.BrokenResourceError("the peer does not read from the stream")
        await self._connection.wait_for_room()
        self._check_send()

    def _check_send(self) -> None:
        if self._closed or self._sent_end:
            raise trio.ClosedResourceError("this end of the stream is closed")
        if self._broken:
            raise trio.BrokenResourceError("the peer has reset or lost the stream")

    async def send_eof(self) -> None:
        with self._sending:
            await trio.lowlevel.checkpoint()
            if self._closed:
                raise trio.ClosedResourceError("this stream is closed")
            if self._broken:
                raise trio.BrokenResourceError("the peer has reset or lost the stream")
            self._send_end()
            if self._received_end:
                self._connection.remove(self)

    def _send_end(self) -> None:
        if not self._sent_end and not self._broken:
            self._connection.enqueue(header(WINDOW_UPDATE, FIN, self.number, 0))
        self._sent_end = True

    # -- receiving -------------------------------------------------------------------------------

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        check_max_bytes(max_bytes)
        with self._receiving:
            await trio.lowlevel.checkpoint()
            while True:
                if self._closed:
                    raise trio.ClosedResourceError("this stream is closed")
                if self._buffer:
                    return self._take(max_bytes)
                if self._received_end:
                    return b""
                if self._broken:
                    raise trio.BrokenResourceError("the peer has reset or lost the stream")
                await self._changed.park()

    def _take(self, max_bytes: int | None) -> bytes:
        if max_bytes is None or max_bytes >= len(self._buffer):
            taken = bytes(self._buffer)
            self._buffer.clear()
        else:
            taken = bytes(self._buffer[:max_bytes])
            del self._buffer[:max_bytes]
        self._connection.unbuffered(len(taken))
        self._consumed += len(taken)
        # so much at a time: one small frame for many small reads
        if self._consumed >= STREAM_WINDOW // 2 and not self._received_end and not self._broken:
            self._give_back()
        return taken

    def _give_back(self) -> None:
        """Let the peer send more; a stream that is read gets a larger window, if there is any left."""
        more = self._connection.grow(min(STREAM_WINDOW, MAX_STREAM_WINDOW - self._window))
        self._window += more
        self._connection.enqueue(header(WINDOW_UPDATE, 0, self.number, self._consumed + more))
        self._receive_window += self._consumed + more
        self._consumed = 0

    @property
    def grown(self) -> int:
        """Bytes of window beyond what every stream has."""
        return self._window - STREAM_WINDOW

    # -- closing ---------------------------------------------------------------------------------

    async def aclose(self) -> None:
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled:
            self.reset()
            raise
        if self._closed:
            return
        self._closed = True
        self._drop()
        self._send_end()
        if self._received_end or self._broken:
            self._connection.remove(self)
        else:
            self._connection.linger(self)

    def reset(self) -> None:
        """Close by force: the peer's end breaks. Does nothing to a stream that is closed."""
        if not self._closed:
            self._closed = True
            self.abandon()

    def abandon(self) -> None:
        """Reset, if the peer has not yet ended its side."""
        self._drop()
        if not self._broken and not (self._sent_end and self._received_end):
            self._connection.enqueue(header(WINDOW_UPDATE, RST, self.number, 0))
        self._broken = True
        self._connection.remove(self)

    def _drop(self) -> None:
        self._connection.unbuffered(len(self._buffer))
        self._buffer.clear()
        self._changed.unpark_all()

    # -- what the connection read ----------------------------------------------------------------

    def on_data(self, body: bytes) -> bool:
        """False if the peer sent more than it may. Returns True also for what nobody will read."""
        if len(body) > self._receive_window or (self._received_end and body):
            return False
        self._receive_window -= len(body)
        if self._closed:
            self._connection.unbuffered(len(body))
        else:
            self._buffer += body
            self._changed.unpark_all()
        return True

    def on_window(self, more: int) -> None:
        self._send_window += more
        self._changed.unpark_all()

    def on_end(self) -> None:
        self._received_end = True
        self._changed.unpark_all()
        if self._sent_end:
            self._connection.remove(self)

    def discard(self) -> None:
        """The connection has ended, and nobody is to read what has arrived: not its end either, which would
        make a part look whole."""
        self._broken, self._received_end = True, False
        self._drop()

    def on_broken(self) -> None:
        """The peer's reset, or the end of the connection. What has arrived can still be read."""
        self._broken = True
        self._changed.unpark_all()
        self._connection.remove(self)
