"""Which sync sessions there are: with each peer that we dial, with one drawn by lot now and then, and with
those who ask. How one goes is in talk.py, what is said in it in session.py.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from random import Random
from weakref import WeakValueDictionary

import trio

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError, RemoteProtocolError
from p2pforum.core.limits import NetworkParams
from p2pforum.ingest import Door
from p2pforum.network.interface import Connected, Direction, Network, PeerID
from p2pforum.sync.budget import Report, SessionOver
from p2pforum.sync.claims import Claims
from p2pforum.sync.payloads import Code
from p2pforum.sync.session import Session
from p2pforum.sync.snapshot import Snapshot
from p2pforum.sync.standing import Standing
from p2pforum.sync.talk import Progress, Share, Talk, say_end
from p2pforum.sync.terms import Settings

log = logging.getLogger(__name__)


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
        self._standing = self.standing = Standing(trio.current_time)
        self._outbound = trio.CapacityLimiter(limits.MAX_SYNC_OUTBOUND)
        self._one_each: WeakValueDictionary[PeerID, trio.Lock] = WeakValueDictionary()
        self._inbound: dict[PeerID, trio.Event] = {}  # set when that session has ended
        turns = trio.Lock()  # one session works at a time, so that others than sync run in between
        # IDs are cheap: all strangers together cost half of what the peers that we chose to dial do.
        seconds, read, places = limits.SYNC_SLICE_SECONDS, limits.SYNC_READ, limits.SYNC_AT_DOOR
        self._dialled = Share(turns, seconds, read, places)
        self._strangers = Share(turns, seconds / 2, read // 2, places // 2, yields_to=self._dialled)
        self._drawn: set[PeerID] = set()  # by lot, and in a session now
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
                if isinstance(event, Connected) and event.connection.direction is Direction.OUTBOUND:
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
            await say_end(stream, Code.BUSY)
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
        terms = self.settings.terms(self._now(), self._door.retention_hours)
        async with stream:
            with ExitStack() as stack:
                share = self._share(peer)
                async with share.among:
                    snapshot = await trio.to_thread.run_sync(stack.enter_context, self._store_snapshot())
                rng = Random(self._rng.getrandbits(256))  # faster, and no more foreseeable
                session = Session(snapshot, terms, self._claims, rng, time.perf_counter, initiator=initiator)
                talk = Talk(stream, session, share, self._door, progress or (lambda _: None), stack.close)
                share.active += 1
                try:
                    error = await talk.run()
                finally:
                    share.active -= 1
                    session.close()
                    if not initiator:
                        self._standing.spend(peer, session.report.cpu)
        if isinstance(error, RemoteProtocolError):
            self._standing.ban(peer)
            await self._network.disconnect(peer)
        if error is not None and not isinstance(error, SessionOver):
            raise error
        return session.report

    def _share(self, peer: PeerID) -> Share:
        ours = (c.peer == peer and c.direction is Direction.OUTBOUND for c in self._network.connections())
        return self._dialled if any(ours) else self._strangers
