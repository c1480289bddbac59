"""Spies that dial everybody, in small: `python -m simulation.spies` is the whole."""

import dataclasses
import statistics
from random import Random

import pytest

from simulation import spies
from simulation.bayes import Graph
from simulation.guess import interval
from simulation.silence import FAR_APART, Sighting, by_guard, by_silence
from simulation.spies import Rates, Variant, rates
from simulation.spread import Push, Telling, tell
from simulation.stems import Stems, one_post_each
from simulation.world import make_world

LEAVING_OUT = spies.CONTROLS[0]


def means(variant: Variant, seeds: int, counts: tuple[int, ...], authors: int = 40) -> Rates:
    rows = [rates(200, 0.1, seed, authors, variant, counts) for seed in range(seeds)]
    return {name: interval([row[name] for row in rows])[0] for name in rows[0]}


@pytest.mark.slow
def test_spies_without_a_graph_name_keys_by_silence_and_none_if_all_are_pushed_to() -> None:
    variant = dataclasses.replace(LEAVING_OUT, graph=False)
    control = means(variant, 1, (50,))
    taken = means(dataclasses.replace(spies.TAKEN, graph=False), 1, (50,))
    assert control["W50"] - control["guards"] > 0.12, "control: bringers are left out"
    assert taken["W50"] - taken["guards"] < 0.05


@pytest.mark.slow
def test_spies_who_know_the_graph_lose_most_if_all_are_pushed_to() -> None:
    control, taken = means(LEAVING_OUT, 1, (30,), 30), means(spies.TAKEN, 1, (30,), 30)
    assert control["S30"] - control["guards"] > 0.3, "control: bringers are left out"
    assert taken["B30"] - taken["guards"] < 0.2


@pytest.mark.slow
def test_with_the_node_s_own_routers_silence_names_nobody() -> None:
    control = spies.by_routers(40, 0.1, 1, 12, exempting=True)
    taken = spies.by_routers(40, 0.1, 1, 12, exempting=False)
    assert control["W12"] - control["guards"] > 0.1, "control: bringers are left out"
    assert taken["W12"] - taken["guards"] < 0.07


def test_who_holds_its_pushes_shows_that_it_publishes() -> None:
    """Why ends of stems do not let each peer wait on its own: no node that passes on does so."""
    rng = Random(1)
    world = make_world(200, 0.1, rng, reach=1.0)
    ends = [v for v in world.honest if sum(w in world.spies for w in world.mesh[v]) > 2][:50]
    found = [Sighting(0, tell(world, end, frozenset(), Push(end_hold=1.0), rng)) for end in ends]
    by_unevenness = [
        max(post.told, key=lambda v: post.told[v].apart) == end
        for post, end in zip(found, ends, strict=True)
        if max(telling.apart for telling in post.told.values()) > FAR_APART
    ]
    assert len(by_unevenness) > 40
    assert all(by_unevenness)
    together = [Sighting(0, tell(world, end, frozenset(), Push(), rng)) for end in ends]
    assert max(t.apart for post in together for t in post.told.values()) < FAR_APART, "the control"


def test_who_has_its_pool_filled_ends_all_stems_as_spies_reckon() -> None:
    world = make_world(60, 0.1, Random(1), reach=1.0)
    at_guards, visits = [], []
    for crowded in (frozenset(world.honest), frozenset[int]()):
        stems = Stems(world, Random(2), crowded=crowded)
        for v in world.honest:
            stems.post(v, 30.0)
        fates = [fate for fate in stems.run() if not stems.guard_spies(fate.author)]
        at_guards.append(statistics.mean(fate.fluffed_by in world.dialled[fate.author] for fate in fates))
        visits.append(max(sum(row.values()) for row in Graph(world, crowded=crowded).visits))
    assert at_guards[0] == visits[0] == 1.0
    assert at_guards[1] < 0.7, "the control"
    assert visits[1] > 2.0, "the control"


@pytest.mark.slow
def test_relays_that_dial_in_could_swallow_most_stems() -> None:
    """Why inbound peers are no relays: they come in any number, and need no address of their own."""
    world = make_world(200, 0.1, Random(1), reach=1.0)
    slow = []
    for both_ways in (False, True):
        stems = Stems(world, Random(2), black_holes=True, both_ways=both_ways)
        for v in world.honest:
            stems.post(v, 30.0)
        waits = [fate.public - fate.sent for fate in stems.run() if fate.public is not None]
        slow.append(sum(wait > 60 for wait in waits) / len(waits))
    assert slow[0] < 0.45
    assert slow[1] > slow[0] + 0.2


# -- the spies themselves --------------------------------------------------------------------------------


def sighting(author: int, late: float, handed: int | None = None) -> Sighting:
    """Node 1 publishes; 2 and 3 get it."""
    return Sighting(author, {1: Telling(0.0, 0.0), 2: Telling(0.1 + late, 0.0), 3: Telling(0.1, 0.0)}, handed)


def test_who_gets_one_key_s_posts_late_is_named_and_nobody_else() -> None:
    others = [sighting(9, n % 2 / 100) for n in range(8)]
    late = [sighting(2, 0.2) for _ in range(3)]
    assert by_silence([*others, *late])[2] == 2
    assert by_silence([*others, *(sighting(2, 0.0) for _ in range(3))])[2] != 2, "not late: the control"
    assert by_silence(late)[2] is None, "nothing to compare with"


def test_a_guard_that_spies_names_its_client() -> None:
    assert by_guard([sighting(2, 0.0, handed=2), sighting(2, 0.0, handed=2), sighting(2, 0.0)]) == 2
    assert by_guard([sighting(2, 0.0, handed=2), sighting(2, 0.0, handed=3)]) is None
    assert by_guard([sighting(2, 0.0)]) is None


def test_a_figure_out_of_its_bounds_is_said() -> None:
    well = ({"guards": 0.1, "W50": 0.3, "S50": 0.6}, {"guards": 0.1, "W50": 0.1, "B50": 0.2})
    assert spies.complaints(*well, 50) == []
    blind = {"guards": 0.1, "W50": 0.1, "S50": 0.2}
    named = {"guards": 0.1, "W50": 0.3, "B50": 0.6}
    assert len(spies.complaints(blind, named, 50)) == 4


def test_hand_over_and_first_teller() -> None:
    world = make_world(60, 0.1, Random(3), reach=1.0)
    fates = one_post_each(world, Random(4))
    ends = [fate.fluffed_by for fate in fates]
    spies.hand_over(world, fates, Random(5))
    assert all(
        fate.fluffed_by in world.dialled[end]
        for fate, end in zip(fates, ends, strict=True)
        if end is not None
    )
    assert spies.first_teller(sighting(2, 0.0)) == 1
    assert spies.first_teller(sighting(2, 0.0, handed=7)) == 7
    assert spies.first_teller(Sighting(2, {})) is None
