"""One Yamux stream as a trio stream: flow control, half-close, reset.

It keeps trio's contract where it can: a reset or lost connection is `BrokenResourceError`, the end of what
the peer sent is b"", and closing wakes the tasks that wait. See `yamux` for the connection.
"""

from typing import Protocol

import trio

from p2pforum.core.limits import MAX_STREAM_WINDOW, READ_STALL_SECONDS, STREAM_WINDOW
from p2pforum.network.exclusive import Exclusive, check_max_bytes
from p2pforum.network.yamux_frames import DATA, FIN, RST, WINDOW_UPDATE, header

MAX_DATA = 65_000  # bytes of a DATA frame: with its header it fits one Noise message


class FrameSender(Protocol):
    """What a stream needs of its connection."""

    def enqueue(self, *parts: bytes) -> None: ...

    async def wait_for_room(self) -> None: ...

    def unbuffered(self, size: int) -> None: ...

    def grow(self, size: int) -> int: ...

    def linger(self, stream: "YamuxStream") -> None: ...

    def remove(self, stream: "YamuxStream") -> None: ...


class YamuxStream(trio.abc.HalfCloseableStream):
    """`read_stall`: for how many seconds a peer may keep its window shut while this node wants to send."""

    def __init__(
        self, connection: FrameSender, number: int, *, inbound: bool, read_stall: float = READ_STALL_SECONDS
    ) -> None:
        self.number = number
        self.inbound = inbound
        self._connection = connection
        self._read_stall = read_stall
        self._send_window = STREAM_WINDOW
        self._window = STREAM_WINDOW  # bytes that the peer may send beyond what this node has read
        self._receive_window = STREAM_WINDOW  # bytes that the peer may still send
        self._consumed = 0  # bytes read here, and not yet reported to the peer
        self._buffer = bytearray()
        self._closed = self._sent_end = self._received_end = self._broken = False
        self._changed = trio.lowlevel.ParkingLot()
        self._sending = Exclusive("another task is sending on this stream")
        self._receiving = Exclusive("another task is receiving on this stream")

    # -- sending ---------------------------------------------------------------------------------

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As trio's. Raises ClosedResourceError or BrokenResourceError, also if the peer does not read for
        too long."""
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
        """End this side. Raises ClosedResourceError or BrokenResourceError."""
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
        """As trio's: at most `max_bytes`, b"" at the end. Raises ClosedResourceError or
        BrokenResourceError."""
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
        # Only when half a window was read, so that many small reads cost one small frame.
        if self._consumed >= STREAM_WINDOW // 2 and not self._received_end and not self._broken:
            self._give_back()
        return taken

    def _give_back(self) -> None:
        """Let the peer send more. A stream that is read gets a larger window, if the connection has any
        left."""
        more = self._connection.grow(min(STREAM_WINDOW, MAX_STREAM_WINDOW - self._window))
        self._window += more
        self._connection.enqueue(header(WINDOW_UPDATE, 0, self.number, self._consumed + more))
        self._receive_window += self._consumed + more
        self._consumed = 0

    @property
    def grown(self) -> int:
        """Bytes of window beyond those of a new stream."""
        return self._window - STREAM_WINDOW

    # -- closing ---------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close both sides; a cancelled close resets. The connection resets later if the peer does not end
        its side."""
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
        """The peer sent data. False if it is more than the window allows. Data for a closed stream is
        dropped."""
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
        """The connection has ended, and what has arrived is thrown away. Its end goes too; otherwise a part
        would look like the whole."""
        self._broken, self._received_end = True, False
        self._drop()

    def on_broken(self) -> None:
        """The peer has reset the stream, or the connection has ended. What has arrived can still be read."""
        self._broken = True
        self._changed.unpark_all()
        self._connection.remove(self)
