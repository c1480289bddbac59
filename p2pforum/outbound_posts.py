"""How own posts leave: by the stem if there is hope for a guard, else by gossip. At once while there is
a peer to take them, else one by one when there is, and not at the moment when the node comes.

Released first, then sent, so that a node killed in between does not push its own old post again, which
no relay ever does. Nothing here says whose posts these are: what is not released is what is on its way.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError
from p2pforum.gossip.service import GossipService
from p2pforum.gossip.wire.rpc import Message
from p2pforum.network.bell import Bell
from p2pforum.network.interface import PeerID
from p2pforum.stem.router import Fluff
from p2pforum.stem.service import StemService
from p2pforum.store.posts import Store
from p2pforum.store.retention import forget

log = logging.getLogger(__name__)

_RETRY_SECONDS = 60.0  # what could not be published (a full disk) is tried again
_LOG_SECONDS = 10.0  # until a log that a reader kept from being emptied is tried again


@contextmanager
def going_on() -> Iterator[None]:
    """A fault in the background (a full disk, say) is logged; the node goes on and tries again later."""
    try:
        yield
    except P2PForumError as error:
        log.error("%s", error)
    except Exception:
        log.exception("a fault in the background")


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """How own posts leave. `hides`: by the stem; else the stem is for others' posts only. `hold`: seconds, at
    most, until what waited for a peer begins to leave."""

    hides: bool
    hold: float


class ClockCheck(Protocol):
    """Whether peers would take an own post now: timekeeping.Timekeeping. What they would not take stays
    unreleased, and what is unreleased never expires."""

    def may_leave(self, raw: bytes) -> bool:
        """As far as this node can know: by the stem, as there it stays unreleased until it is heard back."""
        ...

    def may_be_released(self, raw: bytes) -> bool:
        """The same, and a peer has said that this machine's clock is right: by gossip."""
        ...

    async def wait_confirmed(self) -> None:
        """Until a peer has said it."""
        ...


class Releases:
    """Posts become public in the store, and its log is emptied, which says that they were here before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._log_is_due = trio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._log_is_due.wait()
            with going_on():
                if await trio.to_thread.run_sync(self._store.checkpoint):
                    self._log_is_due = trio.Event()
                    continue
            await trio.sleep(_LOG_SECONDS)

    async def release(self, ids: Sequence[bytes]) -> None:
        if not await trio.to_thread.run_sync(self._release_and_wipe, ids):
            self._log_is_due.set()

    async def public(self, ids: Sequence[bytes]) -> set[bytes]:
        """Which of these posts have been heard back. The log says that they were here before: empty it."""
        found = await trio.to_thread.run_sync(self._store.known, ids)
        if found:
            self._log_is_due.set()
        return found

    def _release_and_wipe(self, ids: Sequence[bytes]) -> bool:
        """In a worker thread. The write-ahead log keeps each state of a row: it would name the posts that
        were here before they were public, that is the own ones. False if it could not be emptied."""
        self._store.release(ids)
        try:  # not while a sync session holds the log: each try keeps all others from writing for a second
            return not self._log_is_due.is_set() and self._store.checkpoint()
        except P2PForumError:
            return False  # the release stands


class StemPublication:
    """What becomes of a post that was in the stem: the stem's Publication."""

    def __init__(self, releases: Releases, gossip: GossipService, times: ClockCheck) -> None:
        self._gossip = gossip
        self._times = times
        self.public = releases.public
        self.leaving: dict[bytes, trio.Event] = {}  #: posts whose front ends wait for them to go

    def handed(self, peer: PeerID, raw: bytes) -> None:
        """A guard has got an own post."""
        self._gossip.echoes.sent(peer, Message("", raw))
        if (gone := self.leaving.get(raw)) is not None:
            gone.set()

    async def fluff(self, fluffs: Sequence[Fluff]) -> None:
        """Posts whose stem ends here. Others' posts go in any case: the hour in them is not this node's, and
        what stayed would never expire, so that whoever makes a clock look wrong could fill the disk."""
        may_go = [fluff for fluff in fluffs if not fluff.own or self._times.may_be_released(fluff.raw)]
        await self._gossip.originate([fluff.raw for fluff in may_go])


class OutboundPosts:
    """Own posts on their way out, by the stem or by gossip."""

    def __init__(
        self,
        store: Store,
        rng: Random,
        services: tuple[GossipService, StemService],
        leaving: dict[bytes, trio.Event],
        settings: OutboundSettings,
        times: ClockCheck,
    ) -> None:
        """`leaving`: StemPublication's."""
        self._store = store
        self._rng = rng
        self._gossip, self._stem = services
        self._leaving = leaving
        self._settings = settings
        self._times = times
        self._fresh: list[bytes] = []  # posts handed in while there was a peer to take them
        self._unsent = Bell()  # something is fresh
        self._kept = Bell()  # something came that must wait for a peer

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            for task in (self._publish_fresh, self._publish_backlog):
                nursery.start_soon(task)

    async def publish(self, raw: bytes, listen: float) -> None:
        """See an own post on its way, and wait a little for what comes back; without a peer it waits here."""
        is_hidden = self._is_hidden
        if not (self._may_go_by_stem() if is_hidden else await self._may_go_by_gossip(raw)):
            self._kept.ring()
            return
        gone = self._leaving[raw] = trio.Event()
        if is_hidden:
            self._stem.originate([raw])
        else:
            self._fresh.append(raw)
            self._unsent.ring()
        try:
            if not is_hidden or self._stem.router.is_prompt(trio.current_time()):
                with trio.move_on_after(limits.SUBMIT_SECONDS):
                    await gone.wait()
        finally:
            self._leaving.pop(raw, None)
        await trio.sleep(listen)

    def _may_go_by_stem(self) -> bool:
        return self._gossip.has_taker or self._stem.router.has_dialled

    async def _may_go_by_gossip(self, raw: bytes) -> bool:
        """Of a post that is handed in. A peer that has just come says in a moment what hour it is."""
        if self._gossip.has_taker:
            with trio.move_on_after(limits.SUBMIT_SECONDS):
                await self._times.wait_confirmed()
        return self._gossip.has_taker and self._times.may_be_released(raw)

    @property
    def _is_hidden(self) -> bool:
        return self._settings.hides and self._stem.router.has_way

    async def forget(self, post_id: bytes) -> bool:
        """Of a kept post. False if it is public, or a peer has it, and so it will be."""
        return self._stem.withdraw(post_id) and bool(
            await trio.to_thread.run_sync(forget, self._store, [post_id])
        )

    async def _publish_fresh(self) -> None:
        """Posts that a person hands in now, to peers that are there, go out at once."""
        while True:
            await self._unsent.heard()
            raws, self._fresh = self._fresh, []
            with going_on():
                await self._gossip.originate(raws)
            for raw in self._leaving.keys() & set(raws):
                self._leaving[raw].set()

    async def _publish_backlog(self) -> None:
        """All others: written while no node ran or no peer was there, or left by a node that was killed.

        One by one: together they would say that one person wrote them. The first after a drawn time: who
        sees nodes come would know who brought it.
        """
        while True:
            delay = self._rng.uniform(0, self._settings.hold)
            with going_on():
                while await self._publish_one(delay):
                    delay = self._rng.expovariate(1 / limits.BACKLOG_SECONDS)
            with trio.move_on_after(_RETRY_SECONDS):
                await self._kept.heard()

    async def _publish_one(self, delay: float) -> bool:
        """False if nothing is left. The order is drawn by lot, too."""
        if not await self._left():
            return False
        await self._gossip.wait_for_taker()
        if not self._is_hidden:
            await self._times.wait_confirmed()
        await trio.sleep(delay)
        if left := await self._left():
            raws = [self._rng.choice(left)]
            if self._is_hidden:
                self._stem.originate(raws)
            elif self._times.may_be_released(raws[0]):
                await self._gossip.originate(raws)
        return bool(left)

    async def _left(self) -> list[bytes]:
        """What is kept, may leave and is not on its way: neither own posts in their stem nor others'."""
        kept = await trio.to_thread.run_sync(self._store.unreleased)
        return self._stem.unsent([raw for raw in kept if self._times.may_leave(raw)])
