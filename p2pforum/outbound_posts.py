"""How own posts are sent: through the stem if the node has or can get a guard, else by gossip.

A post goes at once if a peer is there to take it. The node keeps all others and sends them one by one when a
peer is there, but not at the moment when the node comes online.

The node releases a post before it gossips it. Otherwise a node that is killed in between would send its own
old post again after the restart. Relays never do that, so it would mark the node as the author. No part of
this file records whose posts these are: an unreleased post is simply one that is still on its way.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError
from p2pforum.core.post import Post
from p2pforum.gossip.service import GossipService
from p2pforum.gossip.wire.rpc import Message
from p2pforum.network.bell import Bell
from p2pforum.network.interface import PeerID
from p2pforum.stem.router import Fluff
from p2pforum.stem.service import StemService
from p2pforum.store.posts import Store
from p2pforum.store.retention import forget

log = logging.getLogger(__name__)

_RETRY_SECONDS = 60.0  # until the node tries again to publish a post (the disk may have been full)
_LOG_SECONDS = 10.0  # until the node tries again to empty a log that a reader held open


@contextmanager
def going_on() -> Iterator[None]:
    """Log a fault in the background (a full disk, say) and swallow it; the node goes on and tries again
    later."""
    try:
        yield
    except P2PForumError as error:
        log.error("%s", error)
    except Exception:
        log.exception("a fault in the background")


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """How own posts are sent. `hides`: through the stem; otherwise the stem carries only other users' posts.
    `hold`: at most so many seconds pass until posts that waited for a peer begin to leave."""

    hides: bool
    hold: float


class ClockCheck(Protocol):
    """Whether peers would accept an own post now: timekeeping.Timekeeping. A post that they would not accept
    stays unreleased, and an unreleased post never expires."""

    def may_leave(self, raw: bytes) -> bool:
        """Whether peers would accept it, as far as this node knows. Enough for the stem: there the post stays
        unreleased until the node hears it back from a peer."""
        ...

    def may_be_released(self, raw: bytes) -> bool:
        """As `may_leave`, and a peer has also confirmed this machine's clock. Needed for gossip."""
        ...

    async def wait_confirmed(self) -> None:
        """Wait until a peer has confirmed this machine's clock."""
        ...


class Releases:
    """Makes posts public in the store. Then it empties the store's write-ahead log, because the log shows
    that the posts were here before they were public.

    `tell` is called with the IDs of the posts that became public.
    """

    def __init__(self, store: Store, tell: Callable[[Sequence[bytes]], None]) -> None:
        self._store = store
        self._tell = tell
        self._log_is_due = trio.Event()

    async def run(self) -> None:
        """Try again to empty the log whenever that failed. Runs until cancelled."""
        while True:
            await self._log_is_due.wait()
            with going_on():
                if await trio.to_thread.run_sync(self._store.checkpoint):
                    self._log_is_due = trio.Event()
                    continue
            await trio.sleep(_LOG_SECONDS)

    async def release(self, ids: Sequence[bytes]) -> None:
        """Make these posts public. Raises StoreError; then they stay unreleased."""
        released, is_wiped = await trio.to_thread.run_sync(self._release_and_wipe, ids)
        self._tell(released)
        if not is_wiped:
            self._log_is_due.set()

    async def public(self, ids: Sequence[bytes]) -> set[bytes]:
        """Those of these posts that the node has heard back. The log shows that they were here before, so it
        is due to be emptied."""
        found = await trio.to_thread.run_sync(self._store.known, ids)
        if found:
            self._log_is_due.set()
        return found

    def _release_and_wipe(self, ids: Sequence[bytes]) -> tuple[list[bytes], bool]:
        """Release, then empty the log; which posts were released, and whether the log could be emptied. Runs
        in a worker thread.

        The write-ahead log keeps each state of a row. It would name the posts that were here before they were
        public, that is, the user's own ones.
        """
        released = self._store.release(ids)
        try:  # no try while a sync session holds the log: a try blocks all writers for a second
            return released, not self._log_is_due.is_set() and self._store.checkpoint()
        except P2PForumError:
            return released, False  # the release stands


class StemPublication:
    """What happens to a post after its stem: the stem's Publication."""

    def __init__(self, releases: Releases, gossip: GossipService, times: ClockCheck) -> None:
        self._gossip = gossip
        self._times = times
        self.public = releases.public
        self.leaving: dict[bytes, trio.Event] = {}  #: posts whose front ends wait for them to go

    def handed(self, peer: PeerID, raw: bytes) -> None:
        """A guard has accepted an own post."""
        self._gossip.echoes.sent(peer, Message("", raw))
        if (gone := self.leaving.get(raw)) is not None:
            gone.set()

    async def fluff(self, fluffs: Sequence[Fluff]) -> None:
        """Gossip the posts whose stem ends here.

        Other users' posts are gossiped even if this node's clock is in doubt. The hour in them is not this
        node's, and a post that stayed would never expire, so an attacker who makes a clock look wrong could
        fill the disk.
        """
        may_go = [fluff for fluff in fluffs if not fluff.own or self._times.may_be_released(fluff.raw)]
        await self._gossip.originate([fluff.raw for fluff in may_go])


class OutboundPosts:
    """Sends own posts, through the stem or by gossip."""

    def __init__(
        self,
        store: Store,
        rng: Random,
        services: tuple[GossipService, StemService],
        leaving: dict[bytes, trio.Event],
        settings: OutboundSettings,
        times: ClockCheck,
    ) -> None:
        """`leaving`: the same dict as StemPublication's."""
        self._store = store
        self._rng = rng
        self._gossip, self._stem = services
        self._leaving = leaving
        self._settings = settings
        self._times = times
        self._deciding = trio.Lock()  # a post is sent or forgotten: never both
        self._fresh: list[Post] = []  # posts that the user handed in while a peer was there to take them
        self._unsent = Bell()  # rung when a post was added to `_fresh`
        self._kept = Bell()  # rung when a post came that must wait for a peer

    async def run(self) -> None:
        """Send what is to be sent, until cancelled."""
        async with trio.open_nursery() as nursery:
            for task in (self._publish_fresh, self._publish_backlog):
                nursery.start_soon(task)

    async def publish(self, post: Post, listen: float) -> None:
        """Send an own post that the store has just kept, and wait `listen` seconds for peers to send it back.

        Without a peer to take it, or while the clock is in doubt, the post stays in the backlog. The call
        waits at most `limits.SUBMIT_SECONDS` for the post to leave.
        """
        is_hidden, raw = self._is_hidden, post.raw
        if not (self._may_go_by_stem() if is_hidden else await self._may_go_by_gossip(raw)):
            self._kept.ring()
            return
        gone = self._leaving[raw] = trio.Event()
        try:
            if is_hidden:
                async with self._deciding:
                    if await self._is_kept(post):
                        self._stem.originate([raw])
            else:
                self._fresh.append(post)
                self._unsent.ring()
            if not is_hidden or self._stem.router.is_prompt(trio.current_time()):
                with trio.move_on_after(limits.SUBMIT_SECONDS):
                    await gone.wait()
        finally:
            self._leaving.pop(raw, None)
        await trio.sleep(listen)

    def _may_go_by_stem(self) -> bool:
        return self._gossip.has_taker or self._stem.router.has_dialled

    async def _may_go_by_gossip(self, raw: bytes) -> bool:
        """Whether a post that is handed in now can be gossiped now. A peer that has just connected tells its
        hour within a moment, so the node waits for that."""
        if self._gossip.has_taker:
            with trio.move_on_after(limits.SUBMIT_SECONDS):
                await self._times.wait_confirmed()
        return self._gossip.has_taker and self._times.may_be_released(raw)

    @property
    def _is_hidden(self) -> bool:
        return self._settings.hides and self._stem.router.has_way

    async def forget(self, post_id: bytes) -> bool:
        """Remove a kept own post. False if it is public, or if a peer may have it and so will make it public.
        A post that is removed is not sent afterwards.
        """
        async with self._deciding:
            return self._stem.withdraw(post_id) and bool(
                await trio.to_thread.run_sync(forget, self._store, [post_id])
            )

    async def _publish_fresh(self) -> None:
        """Gossip at once what the user hands in while peers are there."""
        while True:
            await self._unsent.heard()
            posts, self._fresh = self._fresh, []
            with going_on():
                async with self._deciding:
                    await self._gossip.originate([post.raw for post in posts if await self._is_kept(post)])
            for raw in self._leaving.keys() & {post.raw for post in posts}:
                self._leaving[raw].set()

    async def _publish_backlog(self) -> None:
        """Send all other own posts: written while no node ran or no peer was there, or left by a node that
        was killed.

        They go one by one, because sent together they would show that one person wrote them. The first goes
        after a random time. Otherwise an observer who sees nodes come online would know which node brought
        it.
        """
        while True:
            delay = self._rng.uniform(0, self._settings.hold)
            with going_on():
                while await self._publish_one(delay):
                    delay = self._rng.expovariate(1 / limits.BACKLOG_SECONDS)
            with trio.move_on_after(_RETRY_SECONDS):
                await self._kept.heard()

    async def _publish_one(self, delay: float) -> bool:
        """Send one post of the backlog, drawn at random; False if none is left."""
        if not await self._left():
            return False
        await self._gossip.wait_for_taker()
        if not self._is_hidden:
            await self._times.wait_confirmed()
        await trio.sleep(delay)
        async with self._deciding:
            if left := await self._left():
                raws = [self._rng.choice(left)]
                if self._is_hidden:
                    self._stem.originate(raws)
                elif self._times.may_be_released(raws[0]):
                    await self._gossip.originate(raws)
        return bool(left)

    async def _is_kept(self, post: Post) -> bool:
        """Whether a post is still here and not public: the user may have had it forgotten meanwhile."""
        return await trio.to_thread.run_sync(self._store.is_kept, post.id)

    async def _left(self) -> list[bytes]:
        """Posts that are kept, may leave and are not on their way. Posts in a stem, own or other users', are
        left out."""
        kept = await trio.to_thread.run_sync(self._store.unreleased)
        return self._stem.unsent([raw for raw in kept if self._times.may_leave(raw)])
