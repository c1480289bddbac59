"""One session on a stream: sends, receives, hands posts to the door, and takes turns with other sessions.

service.py decides which sessions there are.
"""

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.core.verdict import Origin
from p2pforum.ingest import Door
from p2pforum.network.bell import Bell
from p2pforum.network.interface import STREAM_LOST
from p2pforum.sync.budget import PeerEnded, Report, SessionOver, code_of
from p2pforum.sync.fetch import Arrival
from p2pforum.sync.session import SyncSession
from p2pforum.sync.session_slots import SlotRequest
from p2pforum.sync.wire.frames import SyncFrameReader, encode
from p2pforum.sync.wire.payloads import NONCE_SIZE, Code, End, Hello

log = logging.getLogger(__name__)

ReportProgress = Callable[[Report], None]  #: called with the state of a session; often, so it must not block


_HELLO_BYTES = NONCE_SIZE + 16  # longest HELLO: length, type, nonce, and two hours of at most 5 bytes


class TurnShare:
    """The sessions of one kind. Together they get as many turns as those of another kind, however many there
    are.

    A turn is `seconds` of work, or `read` bytes taken in. `at_door`: batches at the door at once. While there
    are sessions of the kind that it `yields_to`, this one rests between two turns, so that the door works
    then.
    """

    def __init__(
        self, turns: trio.Lock, seconds: float, read: int, at_door: int, yields_to: "TurnShare | None" = None
    ) -> None:
        self._turns = turns
        self._yields_to = yields_to
        self.seconds = seconds
        self.read = read
        self.among = trio.Lock()  #: one of them at a time
        self.active = 0  #: sessions
        self.at_door = trio.Semaphore(at_door)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Work while no other session does. The locks are fair, so a waiting session of another share is
        next."""
        async with self.among:
            async with self._turns:
                yield
            if self._yields_to is not None and self._yields_to.active:
                await trio.sleep(self.seconds)


@dataclass(eq=False)
class SessionRunner:
    """One session on one stream: a task that sends, one that receives, one that hands posts to the door."""

    _stream: trio.abc.Stream
    _session: SyncSession
    _share: TurnShare
    _request: SlotRequest
    _door: Door
    _progress: ReportProgress
    _close_snapshot: Callable[[], None]
    _on_hour: Callable[[int], None]  # called once, with the peer's hour
    _nursery: trio.Nursery = field(init=False)
    _to_send: Bell = field(default_factory=Bell)
    _to_land: Bell = field(default_factory=Bell)
    _is_sending: bool = False
    _is_gone: bool = False  # the peer
    _is_landing: bool = False
    _is_hour_noted: bool = False
    _error: Exception | None = None

    async def run(self) -> Exception | None:
        """Run until both sides have all that they asked for, or the session can't go on; then returns why."""
        with trio.move_on_after(limits.SYNC_SECONDS) as whole:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for task in (self._send, self._receive, self._land, self._watch, self._give_way):
                    nursery.start_soon(self._guarded, task)
        if whole.cancelled_caught:
            self._error = SessionOver(Code.TIME, "the session took too long")
        if isinstance(self._error, STREAM_LOST):
            self._error = NetworkError("the peer went away in the middle of a sync session")
        report = self._session.report
        if self._error is not None:
            report.code = code_of(self._error)
            # While a frame is being sent, a part of it may be out, and an END would land in its middle.
            if not isinstance(self._error, PeerEnded | NetworkError) and not self._is_sending:
                await say_end(self._stream, report.code)
        self._progress(report)
        counts = report.new, report.sent, report.left, report.moved  # the log names no peer and no post
        log.info("a sync session: %d new posts, %d sent, %d left, %d bytes", *counts)
        return self._error

    async def _guarded(self, task: Callable[[], Awaitable[None]]) -> None:
        """The first error ends the session. It does not leave the nursery, so it is not wrapped into a
        group."""
        try:
            await task()
        except Exception as error:
            self._error = self._error or error
            is_half_sent = self._is_sending and not isinstance(error, STREAM_LOST)  # the rest may still go
            self._nursery.cancel_scope.deadline = trio.current_time() + is_half_sent * limits.SYNC_END_SECONDS

    async def _send(self) -> None:
        session = self._session
        while True:
            async with self._share.turn():
                output = session.work(self._share.seconds)
            self._count()
            self._to_land.ring()
            if not session.needs_snapshot:
                self._close_snapshot()
            if output and not self._is_gone:
                await self._try_to_send(output)
            if (session.finished and not output) or self._error is not None:
                self._nursery.cancel_scope.cancel()
            elif not output and not session.is_busy:
                await self._to_send.heard()
            if session.report.cpu > limits.SYNC_POLITE_SECONDS and self._share.active > 1:
                await trio.sleep(limits.SYNC_SLICE_SECONDS)

    async def _try_to_send(self, output: bytes) -> None:
        """Send. If the peer is gone, the session ends when `_receive` has read the peer's last bytes."""
        self._is_sending = True
        try:
            await self._stream.send_all(output)
        except trio.BrokenResourceError:
            self._is_gone = True
        self._is_sending = False  # stays True after a cancel: half a frame may be out

    async def _receive(self) -> None:
        while not self._session.finished:
            if not (received := await self._stream.receive_some(self._share.read)):
                if self._session.finished:  # and the peer noticed first
                    return
                raise NetworkError("the peer left in the middle of a sync session")
            async with self._share.turn():
                self._session.receive(bytes(received))
            self._note_hour()
            self._to_send.ring()
            self._to_land.ring()

    def _note_hour(self) -> None:
        """Pass on the peer's hour as soon as it has come, because a first session may take minutes."""
        hour = self._session.report.peer_hour
        if hour and not self._is_hour_noted:
            self._is_hour_noted = True
            self._on_hour(hour)

    async def _land(self) -> None:
        """Hand posts to the door, as many as have come, and look IDs up in the store, which may have them by
        now."""
        while True:
            if arrivals := self._session.take_arrivals(limits.SYNC_BATCH):
                await self._ingest(arrivals)
                continue
            if ids := self._session.take_unchecked():
                self._session.want(ids, await trio.to_thread.run_sync(self._door.store.known, ids))
                self._to_send.ring()
                continue
            with trio.move_on_after(limits.SYNC_RETRY_SECONDS) as pause:
                pause.deadline = pause.deadline if self._session.deferred else math.inf
                await self._to_land.heard()
            if pause.cancelled_caught:
                self._session.retry_deferred()

    async def _ingest(self, arrivals: list[Arrival]) -> None:
        self._is_landing = True
        async with self._share.at_door:
            verdicts = await self._door.ingest([raw for a in arrivals for raw in a.posts], Origin.SYNC)
        self._is_landing = False
        self._session.landed(arrivals, [(verdict.outcome, verdict.post) for verdict in verdicts])
        self._progress(self._session.report)
        self._count()
        self._to_send.ring()

    def _count(self) -> None:
        report = self._session.report
        self._request.moved(report.new + report.sent, trio.current_time())

    async def _give_way(self) -> None:
        await self._request.unwanted.wait()
        raise SessionOver(Code.BUSY, "others wait for its slot")

    async def _watch(self) -> None:
        """End a session that does not move, even if the peer sends small frames to look alive.

        The time in which the session waits for this node's own door does not count.
        """
        report, before = self._session.report, -limits.SYNC_STALL_BYTES
        while self._is_landing or report.moved - before >= limits.SYNC_STALL_BYTES:
            before = report.moved
            await trio.sleep(limits.SYNC_STALL_SECONDS)
        raise SessionOver(Code.TIME, "the session does not move")


async def say_end(stream: trio.abc.Stream, code: Code) -> None:
    with trio.move_on_after(limits.SYNC_END_SECONDS), suppress(trio.BrokenResourceError):
        await stream.send_all(encode(End(code)))


async def hear_hour(stream: trio.abc.Stream) -> int | None:
    """The hour in the HELLO of a peer whose session is not answered; None if no HELLO comes.

    Raises RemoteProtocolError for bytes that are no frame, or what the stream raises.
    """
    reader, read = SyncFrameReader(), 0
    with trio.move_on_after(limits.SYNC_END_SECONDS):
        while read < _HELLO_BYTES and (received := await stream.receive_some(_HELLO_BYTES - read)):
            read += len(received)
            for frame, _ in reader.feed(bytes(received)):
                return frame.hour if isinstance(frame, Hello) else None
    return None
