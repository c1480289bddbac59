"""Strangers who send without limits, under ever new names: honest posts arrive in time.

The controls have one table for all that is judged, look at nothing but the hour of a post of a wrong one, and
count what they do not keep against those who brought it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from attackers import forged, only_take, replay, send_junk, spam_grafts, spam_offers, spam_wants
from gossip_nodes import InlineDoor, MemoryStore, Node, as_message
from naive import HourFirstDoor, NaiveRouter
from siege import IN_TIME, Siege, besieged, make_busy, some_posts
from strategies import HOUR, TEST_NETWORK, a_key, a_post
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.gossip.router import Router

pytestmark = pytest.mark.slow

PER_POST = 0.0003  # seconds of the door, on a machine that has other things to do
OLD = a_post("", subject="", hour=HOUR - limits.GOSSIP_PAST_HOURS - 1)
EARLY = a_post("", subject="", hour=HOUR + 30)


def a_router(name: str) -> Router:
    return Router(TEST_NETWORK.topic, Random(name))


def a_naive_router(name: str) -> Router:
    return NaiveRouter(TEST_NETWORK.topic, Random(name))


@asynccontextmanager
async def nodes(count: int, *, is_naive: bool = False, dials: int = 0) -> AsyncIterator[Siege]:
    async with besieged(count, a_naive_router if is_naive else a_router, dials=dials) as siege:
        for node in siege.nodes:
            make_busy(node, HourFirstDoor if is_naive else InlineDoor, PER_POST)
        yield siege


# -- small posts of a wrong hour, as fast as they are read -------------------------------------------------


async def overflow(flooders: int, *, is_naive: bool = False) -> Siege:
    """Three in a row, and the one in the middle is flooded."""
    async with nodes(3, is_naive=is_naive) as siege:
        first, victim, last = siege.nodes
        await first.dial(victim)
        await last.dial(victim)
        await trio.sleep(2)
        attack = forged(OLD)
        for _ in range(flooders):
            await siege.flood(attack, victim)
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(siege.publish, some_posts(30), 0.05)
            await trio.sleep(2)
            siege.is_over = True
        assert not siege.blames_honest
        print(f"{flooders} flooders, {siege.names} names: {siege.delivered:.1%} in {IN_TIME} s")
        return siege


@pytest.mark.parametrize("flooders", [8, 20])
async def test_floods_of_small_old_posts_cost_no_honest_post(
    flooders: int, autojump_clock: MockClock
) -> None:
    siege = await overflow(flooders)
    assert siege.delivered >= 0.99
    assert siege.names > 2 * flooders  # thrown out, again and again


async def test_control_one_table_for_all_loses_most_of_them(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts the bytes of posts alone, so that of the smallest very many wait."""
    monkeypatch.setattr(limits, "GOSSIP_MESSAGE_MEMORY", 0)
    assert (await overflow(10, is_naive=True)).delivered < 0.9


# -- posts that are refused here and nowhere else ----------------------------------------------------------


class Shelf(MemoryStore):
    def __init__(self, key: int) -> None:
        super().__init__()
        self._key = a_key(key)

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        return {self._key} & set(keys)


def give_reveal(node: Node) -> list[Post]:
    """It alone has got, by sync, a reveal of a key that goes on writing."""
    node.store = node.door.store = Shelf(99)
    return [a_post(f"{n}", key=99) for n in range(1_500)]


def set_back(node: Node) -> list[Post]:
    """It is the turn of the hour, and its clock is a little behind those of the others."""
    node.door.now = lambda: HOUR - 1
    return [a_post(f"{n}", hour=HOUR + 1) for n in range(1_500)]


@pytest.mark.parametrize("is_naive", [False, True], ids=["", "control"])
@pytest.mark.parametrize("make_odd", [give_reveal, set_back])
async def test_neighbours_are_not_cut_off_for_what_is_refused_here_alone(
    make_odd: Callable[[Node], list[Post]], is_naive: bool, autojump_clock: MockClock
) -> None:
    async with nodes(4, is_naive=is_naive, dials=3) as siege:
        odd, *neighbours = siege.nodes
        refused = make_odd(odd)
        probe = await siege.swarm.start_probe("attacker")
        await probe.join(neighbours[0])
        for n in range(0, len(refused), 10):
            await probe.say(publish=tuple(map(as_message, refused[n : n + 10])))
            await trio.sleep(0.05)
        await trio.sleep(2)
        assert all(len(node.held) == len(refused) for node in neighbours)
        scores = [view.score for view in odd.service.peers().values()]
        assert (min(scores) < 0) == is_naive
        siege.nodes.remove(odd)
        await siege.publish(some_posts(3), 0.1)
        assert is_naive or len(odd.held) == 3


# -- all at once -------------------------------------------------------------------------------------------


async def test_ten_of_22_peers_without_limits_hold_up_no_post(autojump_clock: MockClock) -> None:
    """Each has a connection to each of the others."""
    async with nodes(12, dials=3) as siege:
        for attack in (forged(OLD), forged(EARLY), send_junk, spam_grafts, spam_offers, spam_wants, replay):
            await siege.flood(attack)
        for _ in range(3):
            await siege.attack(only_take)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(siege.publish, some_posts(25), 0.04)
            await trio.sleep(1.2)
            siege.is_over = True
        print(f"{siege.names} names: {siege.delivered:.2%} in {IN_TIME} s")
        assert siege.delivered >= 0.99
        assert not siege.blames_honest
