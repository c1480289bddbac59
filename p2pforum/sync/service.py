"""Which sync sessions there are: with each peer that this node dials, with one drawn at random now and then,
and with peers that ask. session_runner.py runs a session, session.py says what is sent in it."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from random import Random
from weakref import WeakValueDictionary

import trio

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError, RemoteProtocolError
from p2pforum.ingest import Door
from p2pforum.network.groups import network_group
from p2pforum.network.interface import Connected, Direction, Network, PeerID, connection_to
from p2pforum.sync.budget import Report, SessionOver
from p2pforum.sync.claims import Claims
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.filling import Filling
from p2pforum.sync.params import BUSY_MOST_SECONDS, BUSY_SECONDS, OWN_SAFE_SECONDS, SAFE_SECONDS, WAIT_SECONDS
from p2pforum.sync.reputation import Reputation
from p2pforum.sync.session import SyncSession
from p2pforum.sync.session_runner import ReportProgress, SessionRunner, TurnShare, hear_hour, say_end
from p2pforum.sync.session_slots import SessionSlots, SlotRequest
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.terms import Settings
from p2pforum.sync.wire.payloads import Code

log = logging.getLogger(__name__)


class SyncService:
    """`clocks` has the hour since 1970; `rng` must be unpredictable (SystemRandom) outside of tests."""

    def __init__(
        self,
        network: Network,
        store_snapshot: Callable[[], AbstractContextManager[Snapshot]],
        door: Door,
        rng: Random,
        clocks: Clocks,
        settings: Settings | None = None,
    ) -> None:
        self._network = network
        self._protocol = door.params.sync_protocol
        self._store_snapshot = store_snapshot
        self._door = door
        self._rng = rng
        self.settings = settings or Settings()  #: may be replaced; used from the next session on
        self._claims = Claims(trio.current_time)
        self._reputation = Reputation(trio.current_time)
        self.filling = Filling(self.settings.known_peers)
        self.clocks = clocks
        self._opened = SessionSlots(limits.MAX_SYNC_OUTBOUND, OWN_SAFE_SECONDS)
        self._answered = SessionSlots(limits.MAX_SYNC_INBOUND, SAFE_SECONDS, WAIT_SECONDS)
        self._one_each: WeakValueDictionary[PeerID, trio.Lock] = WeakValueDictionary()
        self._inbound: dict[PeerID, SlotRequest] = {}  # sessions that peers opened, or wait for
        turns = trio.Lock()  # one session works at a time, so that other parts of the node run in between
        # Peer IDs are cheap, so all strangers together get half the work that dialled peers get.
        seconds, read, slots = limits.SYNC_SLICE_SECONDS, limits.SYNC_READ, limits.SYNC_AT_DOOR
        self._dialled = TurnShare(turns, seconds, read, slots)
        self._strangers = TurnShare(turns, seconds / 2, read // 2, slots // 2, yields_to=self._dialled)
        network.set_handler(self._protocol, self._answer)

    async def sync(self, peer: PeerID, progress: ReportProgress | None = None) -> Report:
        """One session with a connected peer, after another one with it that runs.

        Report.code says how it ended. Raises NetworkError if the peer can't be reached or is lost, and
        RemoteProtocolError if it broke the protocol; then it has been banned.
        """
        lock, request = self._one_each.setdefault(peer, trio.Lock()), SlotRequest()
        async with lock, self._opened.slot(request):
            is_whole, is_dialled = False, self._is_dialled(peer)
            try:
                stream = await self._network.open_stream(peer, self._protocol)
                report = await self._converse(peer, stream, request, progress, initiator=True)
                is_whole = report.code is Code.DONE and not report.left
                return report
            finally:
                if is_dialled:
                    self.filling.ended(peer, is_whole=is_whole)

    async def run(self) -> None:
        """Sync with every peer that this node dials, and now and then with any peer, until cancelled."""
        async with trio.open_nursery() as nursery, self._network.watch() as events:
            nursery.start_soon(self._now_and_then, nursery)
            async for event in events:
                connection, connections = event.connection, self._network.connections()
                if isinstance(event, Connected):
                    if connection.direction is Direction.OUTBOUND:
                        nursery.start_soon(self._keep_up, connection.peer)
                elif all(c.peer != connection.peer for c in connections):
                    self.filling.gone(connection.peer, connections)
                    if (request := self._inbound.get(connection.peer)) is not None:
                        request.gone.set()
            nursery.cancel_scope.cancel()

    async def _now_and_then(self, nursery: trio.Nursery) -> None:
        while True:
            await trio.sleep(self.settings.every * self._rng.uniform(0.5, 1.5))
            around = self._network.connections()
            if not self.filling.answers(around):  # then the node asks no strangers either
                around = [c for c in around if c.direction is Direction.OUTBOUND]
            if peers := [c.peer for c in around if c.peer not in self._one_each]:
                nursery.start_soon(self._catch_up, self._rng.choice(peers))

    async def _keep_up(self, peer: PeerID) -> None:
        """Sync with a peer that this node dialled. If either side has no free slot, try again a while
        later."""
        await self.filling.turn_of(peer)
        pause = BUSY_SECONDS
        while await self._catch_up(peer) is Code.BUSY:
            await trio.sleep(pause * self._rng.uniform(0.5, 1.5))
            pause = min(2 * pause, BUSY_MOST_SECONDS)

    async def _catch_up(self, peer: PeerID) -> Code:
        """Run sessions with one peer for as long as they bring something and leave something. Returns the
        last code."""
        try:
            while (report := await self.sync(peer)).wants_more:
                pass
            return report.code
        except P2PForumError as error:
            log.info("a sync session failed: %s", type(error).__name__)
        except Exception:  # a fault of this program: that session is lost, the node goes on
            log.exception("a sync session failed")
        return Code.FAILED

    async def _answer(self, peer: PeerID, stream: trio.abc.Stream) -> None:
        """Answer a peer that opened a stream.

        Its session before this one may be about to end. If that one only waits for a slot, it is dismissed:
        its connection may be dead, and the newest stream counts.
        """
        with trio.move_on_after(limits.SYNC_END_SECONDS):
            while (before := self._inbound.get(peer)) is not None:
                self._answered.dismiss(before)
                await before.ended.wait()
        if refusal := self._refusal(peer):
            await say_end(stream, refusal)
            if not self.clocks.is_confirmed and (hour := await hear_hour(stream)):
                self.clocks.note(peer, hour, dialled=self._is_dialled(peer))
            return
        request = self._inbound[peer] = self._request(peer)
        try:
            async with self._answered.slot(request) as has_one:
                if has_one:
                    await self._converse(peer, stream, request, None)
                else:
                    await say_end(stream, Code.BUSY)
        finally:
            del self._inbound[peer]
            request.ended.set()

    def _refusal(self, peer: PeerID) -> Code | None:
        """Why this node answers no session of this peer now; None if it does."""
        if peer in self._inbound or not self.filling.answers(self._network.connections()):
            return Code.BUSY
        return None if self._reputation.may_open(peer) else Code.SPENT

    def _request(self, peer: PeerID) -> SlotRequest:
        found = connection_to(self._network, peer)
        group = network_group(found.address) if found else ""
        request = SlotRequest(group, ours=self._is_dialled(peer), turn=self._reputation.last_turn(peer))
        if not found:
            request.gone.set()
        return request

    async def _converse(
        self,
        peer: PeerID,
        stream: trio.abc.Stream,
        request: SlotRequest,
        progress: ReportProgress | None,
        *,
        initiator: bool = False,
    ) -> Report:
        terms = self.settings.terms(self.clocks.now(), self._door.retention_hours)
        async with stream:
            with ExitStack() as stack:
                share = self._dialled if self._is_dialled(peer) else self._strangers
                async with share.among:
                    snapshot = await trio.to_thread.run_sync(stack.enter_context, self._store_snapshot())
                rng = Random(self._rng.getrandbits(256))  # faster than `rng`, and as unpredictable
                session = SyncSession(
                    snapshot, terms, self._claims, rng, time.perf_counter, initiator=initiator
                )
                show = progress or (lambda _: None)
                note = partial(self.clocks.note, peer, dialled=self._is_dialled(peer))
                runner = SessionRunner(stream, session, share, request, self._door, show, stack.close, note)
                share.active += 1
                try:
                    error = await runner.run()
                finally:
                    share.active -= 1
                    session.close()
                    if not initiator:
                        self._reputation.had_session(peer, session.report.cpu)
        if isinstance(error, RemoteProtocolError):
            await self._network.ban(peer)
        if error is not None and not isinstance(error, SessionOver):
            raise error
        return session.report

    def _is_dialled(self, peer: PeerID) -> bool:
        found = connection_to(self._network, peer)
        return found is not None and found.direction is Direction.OUTBOUND
