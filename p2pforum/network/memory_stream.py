"""A stream inside one process: bounded, with the delay of a link, under the clock that trio runs.

A full stream makes its sender wait, as TCP does. With a capacity of 0, each byte sent waits until it is
received (lockstep): this mode shows when a protocol deadlocks on two writers. Nothing is lost or reordered.
"""

import collections
import math
from collections.abc import Callable

import trio

from p2pforum.network.exclusive import Exclusive, check_max_bytes

Delay = Callable[[], float]
"""Seconds that the next bytes take."""


def no_delay() -> float:
    return 0.0


class Pipe:
    """One direction. Bytes arrive in the order in which they were sent."""

    def __init__(self, capacity: int, delay: Delay = no_delay) -> None:
        self._capacity = capacity
        self._delay = delay
        self._chunks: collections.deque[tuple[float, bytearray]] = collections.deque()
        self._size = 0
        self._last_due = 0.0
        self._end: float | None = None  # when the receiver learns of the end
        self._receiver_waits = False
        self._send_closed = self._receive_closed = False
        self._send_broken = self._receive_broken = False  # as far as each end knows
        self._is_lost = False  # for the receiver: the sender does not see what the receiver does
        self._sending = Exclusive("another task is sending on this stream")
        self._receiving = Exclusive("another task is receiving on this stream")
        self._changed = trio.lowlevel.ParkingLot()

    # -- the sender's end ------------------------------------------------------------------------

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As trio's. Raises ClosedResourceError or BrokenResourceError."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_send()
            view = memoryview(data)
            while view:
                await self._wait_for_room()
                part = view[: self._room()]
                self._size += len(part)
                self._chunks.append((self._due(), bytearray(part)))
                self._changed.unpark_all()
                view = view[len(part) :]
            while self._capacity == 0 and self._size:
                await self._changed.park()
                self._check_send()

    async def wait_for_room(self) -> None:
        """Until a send would not wait. Raises ClosedResourceError or BrokenResourceError."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_send()
            await self._wait_for_room()
            while self._capacity == 0 and not self._receiver_waits:
                await self._changed.park()
                self._check_send()

    async def _wait_for_room(self) -> None:
        while not self._room():
            await self._changed.park()
            self._check_send()

    def _room(self) -> int:
        if self._capacity == 0:
            return 0 if self._size else 2**63
        return self._capacity - self._size

    def _due(self) -> float:
        self._last_due = max(self._last_due, trio.current_time() + self._delay())
        return self._last_due

    def _check_send(self) -> None:
        if self._send_closed:
            raise trio.ClosedResourceError("this end of the stream is closed")
        if self._send_broken or (self._receive_closed and not self._is_lost):
            raise trio.BrokenResourceError("the peer has closed or lost the stream")

    def send_eof(self) -> None:
        with self._sending:
            if self._send_broken:
                raise trio.BrokenResourceError("the peer has lost the stream")
            self.close_send()

    def close_send(self) -> None:
        if not self._send_closed:
            self._send_closed = True
            self._end = None if self._send_broken or self._receive_broken else self._due()
            self._changed.unpark_all()

    # -- the receiver's end ----------------------------------------------------------------------

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As trio's: at most `max_bytes`, b"" at the end. Raises ClosedResourceError or
        BrokenResourceError."""
        check_max_bytes(max_bytes)
        with self._receiving:
            await trio.lowlevel.checkpoint()
            while True:
                if self._receive_closed:
                    raise trio.ClosedResourceError("this end of the stream is closed")
                now = trio.current_time()
                if self._chunks and self._chunks[0][0] <= now:
                    return self._take(max_bytes, now)
                if not self._chunks and self._end is not None and self._end <= now:
                    return b""
                if self._receive_broken:
                    raise trio.BrokenResourceError("the peer has reset or lost the stream")
                await self._wait_for_arrival()

    def _take(self, max_bytes: int | None, now: float) -> bytes:
        wanted = max_bytes if max_bytes is not None else 2**63
        taken = bytearray()
        while self._chunks and self._chunks[0][0] <= now and len(taken) < wanted:
            chunk = self._chunks[0][1]
            part = chunk[: wanted - len(taken)]
            taken += part
            del chunk[: len(part)]
            if not chunk:
                self._chunks.popleft()
        self._size -= len(taken)
        self._changed.unpark_all()
        return bytes(taken)

    async def _wait_for_arrival(self) -> None:
        due = self._chunks[0][0] if self._chunks else self._end
        self._receiver_waits = True
        self._changed.unpark_all()  # a sender in lockstep waits for this
        try:
            with trio.move_on_at(math.inf if due is None else due):
                await self._changed.park()
        finally:
            self._receiver_waits = False

    def close_receive(self) -> None:
        self._receive_closed = True
        if not self._is_lost:
            self._keep_until(-math.inf)

    # -- both ------------------------------------------------------------------------------------

    def sever(self) -> None:
        """The link is cut: bytes under way are lost, bytes that have arrived can still be read."""
        if not (self._send_broken and self._receive_broken):
            self._send_broken = self._receive_broken = True
            self._keep_until(trio.current_time())

    def lose_sender(self) -> None:
        """Only the sender knows that the link is cut; the receiver waits for ever."""
        self._send_broken = True
        self._keep_until(trio.current_time())

    def lose_receiver(self) -> None:
        """Only the receiver knows that the link is cut; the sender fills the buffer, and waits."""
        self._receive_broken = self._is_lost = True
        self._changed.unpark_all()

    def _keep_until(self, latest: float) -> None:
        while self._chunks and self._chunks[-1][0] > latest:
            self._size -= len(self._chunks.pop()[1])
        if self._end is not None and self._end > latest:
            self._end = None
        self._changed.unpark_all()


class MemoryStream(trio.abc.HalfCloseableStream):
    """Two pipes. `aclose` delivers what was sent; `trio.aclose_forcefully` breaks the peer's end."""

    def __init__(self, outgoing: Pipe, incoming: Pipe) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._closed = self._is_lost = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._outgoing.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._outgoing.wait_for_room()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._incoming.receive_some(max_bytes)

    async def send_eof(self) -> None:
        self._outgoing.send_eof()
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close; a cancelled close resets."""
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled:
            self.reset()
            raise
        self._closed = True
        self._outgoing.close_send()
        self._incoming.close_receive()

    def reset(self) -> None:
        """Close by force: the peer's end breaks, and bytes under way are lost."""
        if not self._closed:
            self._closed = True
            if not self._is_lost:
                self._outgoing.sever()
            self._outgoing.close_send()
            self._incoming.close_receive()

    def sever(self) -> None:
        self._outgoing.sever()
        self._incoming.sever()

    def lose(self) -> None:
        """This end breaks, and the other end does not learn of it."""
        self._is_lost = True
        self._outgoing.lose_sender()
        self._incoming.lose_receiver()


def memory_stream_pair(capacity: int, delay: Delay = no_delay) -> tuple[MemoryStream, MemoryStream]:
    there, back = Pipe(capacity, delay), Pipe(capacity, delay)
    return MemoryStream(there, back), MemoryStream(back, there)
