"""Each number of sync/params.py that bounds something, and each place for a session: what `n` of it does."""

import math
import random
from collections.abc import Awaitable, Callable
from itertools import pairwise

import trio
import trio.testing
from bounds import Row
from sync_nodes import sync_node

from p2pforum.network.interface import Connection, Direction, PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.sync import params
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.filling import Filling
from p2pforum.sync.service import SyncService
from p2pforum.sync.session_slots import SessionSlots, SlotRequest, to_end
from p2pforum.sync.terms import KnownPeers
from p2pforum.sync.wire.payloads import Code

A_BIT = 0.01
Slots = Callable[[SyncService], SessionSlots]


def in_time(work: Callable[..., Awaitable[bool]], *arguments: object) -> Callable[[float], bool]:
    """In virtual time."""

    def run(n: float) -> bool:
        clock = trio.testing.MockClock(autojump_threshold=0)
        return trio.run(work, n, *arguments, clock=clock)  # type: ignore[arg-type]

    return run


def opened(service: SyncService) -> SessionSlots:
    return service._opened


def answered(service: SyncService) -> SessionSlots:
    return service._answered


async def come(count: int, where: SessionSlots, nursery: trio.Nursery) -> list[SlotRequest]:
    """So many want a place, and keep it if they get one."""

    async def stay(guest: SlotRequest) -> None:
        async with where.slot(guest):
            await trio.sleep_forever()

    guests = [SlotRequest() for _ in range(count)]
    for guest in guests:
        nursery.start_soon(stay, guest)
    await trio.testing.wait_all_tasks_blocked()
    return guests


async def have_slots(n: int, of: Slots) -> bool:
    async with sync_node(MemoryHub(random.Random(1)), "a") as node, trio.open_nursery() as nursery:
        guests = await come(n, of(node.sync), nursery)
        nursery.cancel_scope.cancel()
        return all(guest.admitted.is_set() for guest in guests)


async def is_safe(seconds: float, of: Slots) -> bool:
    """A session, from somebody who comes so long after it began."""
    async with sync_node(MemoryHub(random.Random(1)), "a") as node, trio.open_nursery() as nursery:
        slots = of(node.sync)
        held = await come(slots._slots, slots, nursery)
        await trio.sleep(seconds)
        await come(1, slots, nursery)
        nursery.cancel_scope.cancel()
        return not any(guest.unwanted.is_set() for guest in held)


async def waits(seconds: float) -> bool:
    """For so long for a place, while all sessions are safe."""
    async with sync_node(MemoryHub(random.Random(1)), "a") as node, trio.open_nursery() as nursery:
        slots = node.sync._answered
        for guest in await come(slots._slots, slots, nursery):
            guest.since = math.inf
        await come(1, slots, nursery)
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
        return bool(slots._waiting)


async def looks(seconds: float) -> bool:
    """Has looked again so long after it began to wait."""
    slots = SessionSlots(1, params.LOOK_SECONDS / 2)
    async with trio.open_nursery() as nursery:
        (held,) = await come(1, slots, nursery)
        await come(1, slots, nursery)
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
        return held.unwanted.is_set()


def is_worth(posts: float, seconds: float = 0.0) -> bool:
    """Who moved so much so long ago keeps its place, though its group is the largest, before one that moves
    nothing."""
    guest, friend, idle = SlotRequest("g", since=0.0), SlotRequest("g", since=0.0), SlotRequest(since=0.0)
    guest.moved(posts, 0.0)  # type: ignore[arg-type]
    friend.moved(100, 0.0)
    return to_end([guest, friend, idle], seconds) is idle


class Average(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


async def asks_of_the_busy(until: float) -> list[float]:
    """When a peer that is always busy is asked."""
    asked = []

    async def busy(peer: PeerID) -> Code:
        asked.append(trio.current_time())
        return Code.BUSY

    async with sync_node(MemoryHub(random.Random(1)), "a") as node:
        node.sync._rng = Average()
        node.sync._catch_up = busy  # type: ignore[method-assign]
        with trio.move_on_after(until):
            await node.sync._keep_up(PeerID("b"))
    return asked


async def is_asked_again(seconds: float) -> bool:
    return len(await asks_of_the_busy(seconds)) > 1


async def is_the_longest(seconds: float) -> bool:
    asked = await asks_of_the_busy(1_000.0)
    return max(later - at for at, later in pairwise(asked)) >= seconds


def a_filling() -> Filling:
    return Filling(KnownPeers(lambda: ["friend"], lambda: ["friend"]))


async def waits_for_friends(seconds: float) -> bool:
    with trio.move_on_after(seconds) as scope:
        await a_filling().turn_of(PeerID("other"))
    return scope.cancelled_caught


async def answers(seconds: float, dialled: bool) -> bool:
    """So long after it began, with a session in vain or none."""
    filling = a_filling()
    around = [Connection(PeerID("a"), Direction.OUTBOUND if dialled else Direction.INBOUND, "")]
    if dialled:
        filling.ended(PeerID("a"), is_whole=False)
    await trio.sleep(seconds)
    return filling.answers(around)


def is_heard(count: int = 1, seconds: float = 0.0) -> bool:
    """Whether the first of so many that said the hour counts, so long ago."""
    time = 0.0
    clocks = Clocks(lambda: 1_000, lambda: time)
    for n in range(count):
        clocks.note(f"{n}", 1_000, dialled=True)
    time = seconds
    return "0" in clocks._heard and clocks.offset() is not None


ROWS = [
    Row("MAX_SYNC_INBOUND", "sessions", in_time(have_slots, answered)),
    Row("MAX_SYNC_OUTBOUND", "sessions", in_time(have_slots, opened)),
    Row("sync.SAFE_SECONDS", "a session", in_time(is_safe, answered), -A_BIT, 0),
    Row("sync.OWN_SAFE_SECONDS", "a session", in_time(is_safe, opened), -A_BIT, 0),
    Row("sync.WAIT_SECONDS", "for a place", in_time(waits), -A_BIT, A_BIT),
    Row("sync.LOOK_SECONDS", "a look", in_time(looks), A_BIT, -A_BIT),
    Row("sync.WORTH_SECONDS", "since one post", lambda s: is_worth(1, s), outside=A_BIT),
    Row("sync.LEAST_WORTH", "posts", is_worth, outside=-A_BIT),
    Row("sync.BUSY_SECONDS", "a busy peer", in_time(is_asked_again), A_BIT, -A_BIT),
    Row("sync.BUSY_MOST_SECONDS", "a busy peer", in_time(is_the_longest), -A_BIT, A_BIT),
    Row("sync.SETTLE_SECONDS", "an ask", in_time(waits_for_friends), -A_BIT, A_BIT),
    Row("sync.SETTLE_SECONDS", "an answer", in_time(answers, True), 0, -A_BIT),
    Row("sync.FILL_SECONDS", "an answer", in_time(answers, False), 0, -A_BIT),
    Row("sync.CLOCKS_REMEMBERED", "peers", is_heard),
    Row("sync.CLOCKS_SECONDS", "an hour told", lambda s: is_heard(seconds=s), -A_BIT, 0),
]
