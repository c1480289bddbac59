"""Slots for sessions: which peer gets the next one, and which session ends when others wait for its slot.

An attacker who can open many sessions must not keep other peers from having one. So no session keeps its slot
for long by merely being there, just as no connection does (network/eviction.py). A session keeps its slot by
the posts that it moves. A new session is safe for long enough to show that it moves some.
"""

import math
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from p2pforum.sync import params


@dataclass(eq=False)
class SlotRequest:
    """One session, or one that waits. `group` is the network group of its peer, "" for none.

    `ours`: this node dialled the peer. `turn`: when the peer had its last session. Seconds, monotonic.
    `gone`: the peer has gone, so a session that waits must end. Otherwise strangers who come and go would
    leave behind what they sent.
    """

    group: str = ""
    ours: bool = False
    turn: float = -math.inf
    arrived: float = 0.0
    since: float = math.inf  #: when it got its slot
    admitted: trio.Event = field(default_factory=trio.Event)
    unwanted: trio.Event = field(default_factory=trio.Event)  #: its session must end
    gone: trio.Event = field(default_factory=trio.Event)
    ended: trio.Event = field(default_factory=trio.Event)  #: the session, or the waiting for it
    _worth: float = 0.0
    _posts: int = 0
    _at: float = 0.0

    def moved(self, posts: int, now: float) -> None:
        """So many posts were new here or were sent since the session began."""
        self._worth = self.worth(now) + posts - self._posts
        self._posts, self._at = posts, now

    def worth(self, now: float) -> float:
        """Posts that it moved of late; those moved WORTH_SECONDS ago count half."""
        return float(self._worth * 0.5 ** ((now - self._at) / params.WORTH_SECONDS))


def to_end(held: Collection[SlotRequest], now: float) -> SlotRequest | None:
    """The session that can best be spared; None if there is none.

    A session with a peer that this node dialled is chosen only if all are such. A session that moves nothing
    goes first, one of the network group that has most of these; then the slowest of the largest group. Peers
    without a group never count as a large one, because all that come through an onion service look alike.
    """
    sizes = Counter(request.group for request in held if request.group)

    def dispensable(request: SlotRequest) -> tuple[bool, bool, int, float, float]:
        worth = request.worth(now)
        return (
            not request.ours,
            worth < params.LEAST_WORTH,
            sizes[request.group] or 1,
            -worth,
            -request.since,
        )

    return max(held, key=dispensable, default=None)


def to_admit(waiting: Collection[SlotRequest], held: Collection[SlotRequest]) -> SlotRequest:
    """A peer that this node dialled; then one of the group with fewest sessions; then the one whose last
    session was longest ago; then the one that has waited longest."""
    sizes = Counter(request.group for request in held if request.group)
    return min(waiting, key=lambda g: (not g.ours, sizes[g.group], g.turn, g.arrived))


class SessionSlots:
    """So many `slots`. A session is safe for `safe` seconds; a peer waits for `patience` seconds at most."""

    def __init__(self, slots: int, safe: float, patience: float = math.inf) -> None:
        self._slots = slots
        self._safe = safe
        self._patience = patience
        self._held: set[SlotRequest] = set()
        self._waiting: dict[SlotRequest, None] = {}  # the longest waiting first

    @asynccontextmanager
    async def slot(self, request: SlotRequest) -> AsyncIterator[bool]:
        """False if no slot became free in time. If one did, the block must end soon after
        `request.unwanted`."""
        try:
            yield await self._wait(request)
        finally:
            self._held.discard(request)
            self._settle()

    def dismiss(self, request: SlotRequest) -> None:
        """A session that waits stops waiting; one that has its slot keeps it."""
        if request in self._waiting:
            del self._waiting[request]
            request.gone.set()

    async def _wait(self, request: SlotRequest) -> bool:
        request.arrived = trio.current_time()
        self._waiting[request] = None
        try:
            with trio.move_on_after(self._patience):
                while not request.admitted.is_set() and not request.gone.is_set():
                    self._settle()
                    with trio.move_on_after(params.LOOK_SECONDS):
                        await request.admitted.wait()
        finally:
            self._waiting.pop(request, None)
        return request.admitted.is_set()

    def _settle(self) -> None:
        """Give slots to those that wait: free slots, and those of sessions that can be spared."""
        now = trio.current_time()
        while self._waiting and (len(self._held) < self._slots or self._make_one(now)):
            request = to_admit(self._waiting, self._held)
            del self._waiting[request]
            self._held.add(request)
            request.since = now
            request.admitted.set()

    def _make_one(self, now: float) -> bool:
        """False while the session that can best be spared is young. Otherwise newcomers would push one
        another out before any has moved a post."""
        victim = to_end(self._held, now)
        if victim is None or now - victim.since < self._safe:
            return False
        self._held.discard(victim)  # it says goodbye without a slot
        victim.unwanted.set()
        return True
