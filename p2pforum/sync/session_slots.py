"""Slots for sessions: who gets the next one, and whose session ends when others wait for its slot.

Whoever can open many sessions must keep nobody else from having one, so no session is safe for long by
merely being there, as no connection is (network/eviction.py). A session keeps its slot by the posts that
it moves, and one that has just begun for long enough to show them.
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
    """One session, or one that waits. `group` is the part of the internet its peer is in, "" for none.

    `ours`: this node dialled the peer. `turn`: when the peer had its last session. Seconds, monotonic.
    `gone`: the peer is; who waits does so no longer, or strangers who come and go would leave behind what
    they sent.
    """

    group: str = ""
    ours: bool = False
    turn: float = -math.inf
    arrived: float = 0.0
    since: float = math.inf  #: it has its slot
    admitted: trio.Event = field(default_factory=trio.Event)
    unwanted: trio.Event = field(default_factory=trio.Event)  #: its session is to end
    gone: trio.Event = field(default_factory=trio.Event)
    ended: trio.Event = field(default_factory=trio.Event)  #: the session, or the waiting for it
    _worth: float = 0.0
    _posts: int = 0
    _at: float = 0.0

    def moved(self, posts: int, now: float) -> None:
        """So many posts were new here or went out since the session began."""
        self._worth = self.worth(now) + posts - self._posts
        self._posts, self._at = posts, now

    def worth(self, now: float) -> float:
        """Posts that it moved of late; what was moved SYNC_WORTH_SECONDS ago counts half."""
        return float(self._worth * 0.5 ** ((now - self._at) / params.WORTH_SECONDS))


def to_end(held: Collection[SlotRequest], now: float) -> SlotRequest | None:
    """Whose session can best be spared. None if there is none.

    One with a peer that this node dialled only if all are such. One that moves nothing first, and there of
    the group that has most of them; then the slowest of the largest group. Not those without a group: what
    comes through an onion service looks alike.
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
    """A peer that this node dialled; then one of the group with fewest sessions; then whose last session was
    the longest ago; then who has waited longest."""
    sizes = Counter(request.group for request in held if request.group)
    return min(waiting, key=lambda g: (not g.ours, sizes[g.group], g.turn, g.arrived))


class SessionSlots:
    """So many `slots`. A session is safe for `safe` seconds; who waits does so for `patience` seconds."""

    def __init__(self, slots: int, safe: float, patience: float = math.inf) -> None:
        self._slots = slots
        self._safe = safe
        self._patience = patience
        self._held: set[SlotRequest] = set()
        self._waiting: dict[SlotRequest, None] = {}  # the longest first

    @asynccontextmanager
    async def slot(self, request: SlotRequest) -> AsyncIterator[bool]:
        """False if none became free in time. With one, the block ends soon after `request.unwanted`."""
        try:
            yield await self._wait(request)
        finally:
            self._held.discard(request)
            self._settle()

    def dismiss(self, request: SlotRequest) -> None:
        """One that waits does so no longer; one that has its slot keeps it."""
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
        """Give slots to those who wait, free ones and those of sessions that can be spared."""
        now = trio.current_time()
        while self._waiting and (len(self._held) < self._slots or self._make_one(now)):
            request = to_admit(self._waiting, self._held)
            del self._waiting[request]
            self._held.add(request)
            request.since = now
            request.admitted.set()

    def _make_one(self, now: float) -> bool:
        """False while the one that can best be spared is young: those who come must not push out those who
        came before them, one after another, before they have moved anything."""
        victim = to_end(self._held, now)
        if victim is None or now - victim.since < self._safe:
            return False
        self._held.discard(victim)  # it says good-bye without a slot
        victim.unwanted.set()
        return True
