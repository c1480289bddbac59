"""Sync sessions over streams: with each peer that we dial, with one drawn by lot now and then, and with
those who ask. The only file of sync that awaits; what is said on a stream is in session.py.
"""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from weakref import WeakValueDictionary

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, P2PForumError, RemoteProtocolError
from p2pforum.core.limits import NetworkParams
from p2pforum.core.verdict import Origin
from p2pforum.ingest import Door
from p2pforum.network.interface import Direction, Network, PeerConnected, PeerID
from p2pforum.sync.budget import PeerEnded, Report, SessionOver, code_of
from p2pforum.sync.claims import Claims
from p2pforum.sync.fetch import Arrival
from p2pforum.sync.frames import encode
from p2pforum.sync.payloads import Code, End
from p2pforum.sync.session import Session
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.standing import Standing
from p2pforum.sync.terms import Settings

log = logging.getLogger(__name__)

Progress = Callable[[Report], None]  #: told how far a session is; called often, must not block

_LOST = (trio.BrokenResourceError, trio.ClosedResourceError)


class SyncService:
    """`now` gives the hour since 1970; `rng` must be unpredictable (SystemRandom) outside of tests."""

    def __init__(
        self,
        network: Network,
        params: NetworkParams,
        store_snapshot: Callable[[], AbstractContextManager[Snapshot]],
        door: Door,
        rng: Random,
        now: Callable[[], int],
    ) -> None:
        self._network = network
        self._protocol = params.sync_protocol
        self._store_snapshot = store_snapshot
        self._door = door
        self._rng = rng
        self._now = now
        self.settings = Settings()  #: may be replaced at any time, and counts from the next session on
        self._claims = Claims(trio.current_time)
        self._standing = Standing(trio.current_time)
        self._outbound = trio.CapacityLimiter(limits.MAX_SYNC_OUTBOUND)
        self._one_each: WeakValueDictionary[PeerID, trio.Lock] = WeakValueDictionary()
        self._inbound: dict[PeerID, trio.Event] = {}  # set when that session has ended
        self._turns = trio.Lock()  # one session works at a time, so that others than sync run in between
        self._active = 0
        self._drawn: set[PeerID] = set()  # by lot, and in a session now
        self._audited = now() - rng.randrange(limits.SYNC_AUDIT_HOURS)
        network.set_handler(self._protocol, self._answer)

    async def sync(self, peer: PeerID, progress: Progress | None = None) -> Report:
        """One session with a connected peer, after another one with it that runs.

        See Report.code for how it ended. Raises NetworkError if the peer can't be reached or is lost, and
        RemoteProtocolError if it broke the protocol: then it has been disconnected.
        """
        lock = self._one_each.setdefault(peer, trio.Lock())
        async with lock, self._outbound:
            stream = await self._network.open_stream(peer, self._protocol)
            return await self._converse(peer, stream, progress, initiator=True)

    async def run(self) -> None:
        """Sync with every peer that we dial, and now and then with any, until cancelled."""
        async with trio.open_nursery() as nursery, self._network.watch() as events:
            nursery.start_soon(self._now_and_then, nursery)
            async for event in events:
                if isinstance(event, PeerConnected) and event.connection.direction is Direction.OUTBOUND:
                    nursery.start_soon(self._catch_up, event.connection.peer)
            nursery.cancel_scope.cancel()

    async def _now_and_then(self, nursery: trio.Nursery) -> None:
        """A slow peer keeps its own session, and not the others from being drawn."""
        while True:
            await trio.sleep(self.settings.every * self._rng.uniform(0.5, 1.5))
            peers = [c.peer for c in self._network.connections() if c.peer not in self._drawn]
            if peers and len(self._drawn) < limits.MAX_SYNC_DRAWN:
                nursery.start_soon(self._catch_up_drawn, self._rng.choice(peers))

    async def _catch_up_drawn(self, peer: PeerID) -> None:
        self._drawn.add(peer)
        with trio.move_on_after(limits.SYNC_DRAWN_SECONDS):
            await self._catch_up(peer)
        self._drawn.discard(peer)

    async def _catch_up(self, peer: PeerID) -> None:
        """Sessions with one peer for as long as they bring something and leave something."""
        if self._standing.is_banned(peer):
            return
        try:
            while (await self.sync(peer)).wants_more:
                pass
        except P2PForumError as error:
            log.info("a sync session failed: %s", type(error).__name__)
        except Exception:  # ours: that peer's session is lost, the node goes on
            log.exception("a sync session failed")

    async def _answer(self, peer: PeerID, stream: trio.abc.Stream) -> None:
        """A peer opened a stream. Its session before this one may be about to end."""
        with trio.move_on_after(limits.SYNC_END_SECONDS):
            while peer in self._inbound:
                await self._inbound[peer].wait()
        full = peer in self._inbound or len(self._inbound) >= limits.MAX_SYNC_INBOUND
        if full or not self._standing.may_open(peer):
            await _say_end(stream, Code.BUSY)
            return
        ended = self._inbound[peer] = trio.Event()
        try:
            await self._converse(peer, stream, None)
        finally:
            del self._inbound[peer]
            ended.set()

    async def _converse(
        self, peer: PeerID, stream: trio.abc.Stream, progress: Progress | None, *, initiator: bool = False
    ) -> Report:
        audit = initiator and self._now() - self._audited >= limits.SYNC_AUDIT_HOURS
        terms = self.settings.terms(self._now(), self._door.retention_hours, audit=audit)
        async with stream:
            with ExitStack() as stack:
                snapshot = await trio.to_thread.run_sync(stack.enter_context, self._store_snapshot())
                rng = Random(self._rng.getrandbits(256))  # faster, and no more foreseeable
                session = Session(snapshot, terms, self._claims, rng, time.perf_counter, initiator=initiator)
                talk = _Talk(stream, session, self._door, progress or (lambda _: None), stack.close)
                self._active += 1
                try:
                    error = await talk.run(self._turns, lambda: self._active > 1)
                finally:
                    self._active -= 1
                    session.close()
                    if not initiator:
                        self._standing.spend(peer, session.report.cpu)
        if isinstance(error, RemoteProtocolError):
            self._standing.ban(peer)
            await self._network.disconnect(peer)
        if error is not None and not isinstance(error, SessionOver):
            raise error
        if audit and session.report.code is Code.DONE:
            self._audited = self._now()
        return session.report


class _Bell:
    """Wakes the one task that listens; a ring that nobody listened to is heard later."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard(self) -> None:
        await self._rung.wait()
        self._rung = trio.Event()


@dataclass(eq=False)
class _Talk:
    """One session on one stream: a task that sends, one that receives, one that hands posts to the door."""

    _stream: trio.abc.Stream
    _session: Session
    _door: Door
    _progress: Progress
    _close_snapshot: Callable[[], None]
    _nursery: trio.Nursery = field(init=False)
    _to_send: _Bell = field(default_factory=_Bell)
    _to_land: _Bell = field(default_factory=_Bell)
    _is_sending: bool = False
    _at_door: int = 0  # batches
    _landed: trio.Event | None = None  # when the verdicts of the last of them have been taken
    _error: Exception | None = None

    async def run(self, turns: trio.Lock, is_shared: Callable[[], bool]) -> Exception | None:
        """Until both sides have all they asked for, or the session can't go on: then why."""
        with trio.move_on_after(limits.SYNC_SECONDS) as whole:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for task in (self._receive, self._land, self._watch):
                    nursery.start_soon(self._guarded, task)
                nursery.start_soon(self._guarded, partial(self._send, turns, is_shared))
        if whole.cancelled_caught:
            self._error = SessionOver(Code.TIME, "the session took too long")
        if isinstance(self._error, _LOST):
            self._error = NetworkError("the peer went away in the middle of a sync session")
        report = self._session.report
        if self._error is not None:
            report.code = code_of(self._error)
            # While one is sending, a part of another frame may be out.
            if not isinstance(self._error, PeerEnded | NetworkError) and not self._is_sending:
                await _say_end(self._stream, report.code)
        self._progress(report)
        counts = report.new, report.sent, report.left, report.moved  # a log names neither peer nor post
        log.info("a sync session: %d new posts, %d sent, %d left, %d bytes", *counts)
        return self._error

    async def _guarded(self, task: Callable[[], Awaitable[None]]) -> None:
        """The first error ends the session; the nursery is left without it, so nothing gets wrapped."""
        try:
            await task()
        except Exception as error:
            self._error = self._error or error
            is_half_sent = self._is_sending and not isinstance(error, _LOST)  # that frame may get out
            self._nursery.cancel_scope.deadline = trio.current_time() + is_half_sent * limits.SYNC_END_SECONDS

    async def _send(self, turns: trio.Lock, is_shared: Callable[[], bool]) -> None:
        session = self._session
        while True:
            async with turns:
                output = session.work(limits.SYNC_SLICE_SECONDS)
            self._to_land.ring()
            if not session.needs_snapshot:
                self._close_snapshot()
            if output:
                self._is_sending = True
                await self._stream.send_all(output)
                self._is_sending = False
            if (session.finished and not output) or self._error is not None:
                self._nursery.cancel_scope.cancel()
            elif not output and not session.is_busy:
                await self._to_send.heard()
            if session.report.cpu > limits.SYNC_POLITE_SECONDS and is_shared():
                await trio.sleep(limits.SYNC_SLICE_SECONDS)

    async def _receive(self) -> None:
        while not self._session.finished:
            if not (received := await self._stream.receive_some(limits.SYNC_POSTS_FRAME)):
                raise NetworkError("the peer left in the middle of a sync session")
            self._session.receive(bytes(received))
            self._to_send.ring()
            self._to_land.ring()

    async def _land(self) -> None:
        """Posts to the door, as many as have come; IDs to the store, which may have them by now."""
        while True:
            if self._hand_in():
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

    def _hand_in(self) -> bool:
        """While one batch is written the next is checked; their verdicts are taken in the order they came."""
        most = limits.SYNC_BATCH if self._at_door < limits.SYNC_AT_DOOR else 0
        if arrivals := self._session.take_arrivals(most):
            self._at_door += 1
            before, self._landed = self._landed, trio.Event()
            self._nursery.start_soon(self._guarded, partial(self._ingest, arrivals, before, self._landed))
        return bool(arrivals)

    async def _ingest(self, arrivals: list[Arrival], before: trio.Event | None, after: trio.Event) -> None:
        verdicts = await self._door.ingest([raw for a in arrivals for raw in a.posts], Origin.SYNC)
        if before is not None:
            await before.wait()
        self._session.landed(arrivals, [(verdict.outcome, verdict.post) for verdict in verdicts])
        after.set()
        self._at_door -= 1
        self._progress(self._session.report)
        self._to_send.ring()
        self._to_land.ring()

    async def _watch(self) -> None:
        """A session that does not move is ended, whatever small things the peer sends to look alive.

        Unless it is our own door that it waits for.
        """
        report, before = self._session.report, -limits.SYNC_STALL_BYTES
        while self._at_door or report.moved - before >= limits.SYNC_STALL_BYTES:
            before = report.moved
            await trio.sleep(limits.SYNC_STALL_SECONDS)
        raise SessionOver(Code.TIME, "the session does not move")


async def _say_end(stream: trio.abc.Stream, code: Code) -> None:
    with trio.move_on_after(limits.SYNC_END_SECONDS), suppress(trio.BrokenResourceError):
        await stream.send_all(encode(End(code)))
