"""Peers attack with all they have, on connections to every node: honest posts arrive, and it costs little.

Each attack has its control: with the defence switched off, the same costs more than the bound, or honest
posts do not arrive.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import trio
from attackers import Attack, only_take, replay, send_junk, spam_grafts, spam_offers, spam_wants
from siege import IN_TIME, CountingRouter, MakeRouter, Siege, besieged, some_posts
from trio.testing import MockClock

from p2pforum.gossip.effects import Effect
from p2pforum.gossip.params import GossipParams, ScoreParams

pytestmark = pytest.mark.slow


class NeverExpels(CountingRouter):
    def _expel(self, peer: str, now: float, reason: str) -> list[Effect]:
        return []


ENDLESS = 10**9
FORGIVING = ScoreParams(behaviour_weight=0.0, delivery_weight=0.0, failure_weight=0.0)


@dataclass(frozen=True)
class Case:
    """`cost` of one link of an attacker is at most `most`; `careless` makes a node without the defence."""

    attack: Attack
    cost: Callable[[Siege], float]
    most: float
    careless: MakeRouter


def careless(scoring: ScoreParams | None = None, **params: Any) -> MakeRouter:
    return partial(CountingRouter, gossip=GossipParams(**params), scoring=scoring)


CASES = {
    "grafts": Case(spam_grafts, lambda s: s.read, 20, careless(FORGIVING, backoff=0.0)),
    "offers": Case(
        spam_offers,
        lambda s: s.asked,
        1_300,  # for the seconds until eight promises are broken
        careless(FORGIVING, ask_per_beat=ENDLESS, pending_asks=ENDLESS, ihave_per_beat=ENDLESS),
    ),
    "wants": Case(
        spam_wants,
        lambda s: s.sent / s.size,
        5,  # pushed once, served three times, and what is around it
        careless(FORGIVING, serve_times=ENDLESS, serve_hourly=ENDLESS, iwant_per_beat=ENDLESS),
    ),
    "replays": Case(replay, lambda s: s.judged, 0, careless(seen_time=0.0, history_count=0)),
    "junk": Case(send_junk, lambda s: s.judged, 1, NeverExpels),
}


async def cost_of(case: Case, make_router: MakeRouter) -> float:
    async with besieged(4, make_router) as siege:
        await siege.attack(case.attack)
        await siege.publish(some_posts(50), 0.3)
        assert siege.delivered == 1
        return case.cost(siege) / siege.links


@pytest.mark.parametrize("name", CASES)
async def test_an_attack_costs_little(name: str, autojump_clock: MockClock) -> None:
    assert await cost_of(CASES[name], CountingRouter) <= CASES[name].most


@pytest.mark.parametrize("name", CASES)
async def test_control_a_careless_node_pays_more(name: str, autojump_clock: MockClock) -> None:
    assert await cost_of(CASES[name], CASES[name].careless) > 1.5 * CASES[name].most


async def test_all_attacks_at_once_hold_up_no_post(autojump_clock: MockClock) -> None:
    async with besieged(12) as siege:
        for case in CASES.values():
            await siege.attack(case.attack)
        for _ in range(3):
            await siege.attack(only_take)
        await siege.publish(some_posts(300), 0.03)
        print(f"delivered in {IN_TIME} s: {siege.delivered:.2%}")
        assert siege.delivered >= 0.99
        assert not siege.blames_honest
        assert all(len(node.held) == 300 for node in siege.nodes)


# -- peers that only take ----------------------------------------------------------------------------------


@asynccontextmanager
async def captured(count: int, make_router: MakeRouter = CountingRouter) -> AsyncIterator[Siege]:
    """Twelve takers were there first: every mesh is full of them, and refuses everyone else."""
    async with besieged(count, make_router, dials=0) as siege:
        for _ in range(12):
            await siege.attack(only_take)
        await trio.sleep(1)
        await siege.dial(3)
        await trio.sleep(3)
        assert siege.honest_members == 0
        yield siege


async def test_what_takers_swallow_is_offered_past_them(autojump_clock: MockClock) -> None:
    async with captured(12) as siege:
        await siege.publish(some_posts(100), 0.1)
        print(f"delivered in {IN_TIME} s: {siege.delivered:.2%}")
        assert siege.delivered >= 0.99


async def test_control_without_offers_nothing_passes_them(autojump_clock: MockClock) -> None:
    async with captured(12, careless(gossip_beats=0)) as siege:
        await siege.publish(some_posts(40), 0.25)
        assert siege.delivered <= 2 / 12


@pytest.mark.parametrize("scoring", [None, FORGIVING], ids=["scored", "control: not scored"])
async def test_takers_lose_their_places_in_minutes(
    scoring: ScoreParams | None, autojump_clock: MockClock
) -> None:
    async with captured(3, careless(scoring)) as siege:
        await siege.publish(some_posts(100), 1.2)
        assert (siege.honest_members > 1) == (scoring is None)
