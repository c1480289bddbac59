"""T2 and T4 in small, with fixed seeds: `python -m simulation.privacy` is the whole."""

import dataclasses
from collections import Counter
from random import Random

import pytest

from p2pforum.stem.params import StemParams
from simulation import guess, privacy
from simulation.guess import Figures, judge, judge_keys
from simulation.privacy import Case
from simulation.stems import Fate, Stems, by_gossip, one_post_each
from simulation.world import make_world

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_spies_name_few_authors_and_many_without_a_stem(share: float) -> None:
    """Bounds hold for the whole of each 95 % interval."""
    found = privacy.single(Case(200, share, seeds=20))
    assert found.complaints(share) == []
    assert found.gossip.recall > found.stem.recall + 0.2


def test_a_key_with_fifty_posts_is_named_if_its_guard_spies_and_not_else() -> None:
    """So few keys say little of the part of spying guards: without it, what is left is what the way tells."""
    found = privacy.keys(Case(200, 0.1, seeds=6), authors=30)
    assert sum(found.pinned.surplus) < privacy.SURPLUS
    assert found.pinned.recall[0] <= 0.16
    assert found.redrawn.recall[0] - found.redrawn.recall[1] > privacy.REDRAWN, "control: guards drawn anew"


def test_with_the_node_s_own_router_spies_see_what_the_model_says() -> None:
    """The model of gossip in its place, so that a thousand nodes take minutes."""
    found = privacy.by_routers(50, 0.2, seeds=2)
    assert found.complaints(0.2) == [], "plain gossip, the control, is in it"
    assert found.gossip.recall > found.stem.recall + 0.2


def test_spies_who_dial_everybody_learn_no_more_and_everything_without_a_stem() -> None:
    found = privacy.everywhere(Case(200, 0.1, seeds=20))
    assert privacy.complaints_everywhere(found, 0.1) == []
    assert len(privacy.complaints_everywhere((found[1], found[0]), 0.1)) == 2, "the control"


def test_a_bound_that_is_broken_is_said() -> None:
    """The control of the two above: naked gossip in the place of the stem."""
    world = make_world(200, 0.1, Random(1))
    naked = judge(by_gossip(world))
    bad = privacy.Single(naked, naked, naked, lost=1, waits=[], waits_holes=[])
    assert len(bad.complaints(0.1)) == 5
    blind = privacy.Single(Figures(0, 0), Figures(0, 0), Figures(0, 0), 0, [], [])
    assert blind.complaints(0.1) == ["control: plain gossip has a recall of 0.000 only"]
    often, never = privacy.Named((0.45, 0.0), (0.35, 0.0)), privacy.Named((0.1, 0.0), (0.0, 0.0))
    assert len(privacy.Keys(often, never).complaints(0.1)) == 3
    assert privacy.Keys(never, often).complaints(0.1) == []
    unsure = privacy.Single(Figures(0.5, 0.5), Figures(0.07, 0.12, 0.02, 0.02), Figures(0, 0), 0, [], [])
    assert len(unsure.complaints(0.1)) == 2, "the upper ends of the intervals count"


def test_with_black_holes_every_post_arrives_in_its_embargo_s_time() -> None:
    """T4."""
    world = make_world(200, 0.2, Random(2))
    fates = one_post_each(world, Random(3), black_holes=True)
    waits = sorted(fate.public - fate.sent for fate in fates if fate.public is not None)
    assert len(waits) == len(world.honest)
    assert waits[-1] < 60 + 5 * 120
    assert sum(wait > 60 for wait in waits) > 10, "the control: some did meet a black hole"
    endless = Stems(world, Random(3), black_holes=True, params=dataclasses.replace(StemParams(), embargo=1e6))
    for v in world.honest:
        endless.post(v, 30)
    late = [f for f in endless.run() if f.public is not None and f.public > 1e5]
    assert len(late) > 10, "without an embargo they would be lost"


def test_who_publishes_after_a_black_hole_is_any_holder_alike() -> None:
    """T4: four holders whose stem dies. Each is as likely; a constant embargo betrays the first."""
    alike = _first_to_fire(StemParams(), 500)
    expected = 500 / 4
    square = sum((alike[n] - expected) ** 2 / expected for n in range(4))
    assert square < 11.3, f"1 % of chance, 3 degrees of freedom: {alike}"
    constant = _first_to_fire(dataclasses.replace(StemParams(), embargo_mean=0.001), 100)
    assert constant[0] > 90, "the control"


def _first_to_fire(params: StemParams, runs: int) -> Counter[int]:
    """Author, two relays, a relay before the hole: who fluffs first."""
    from p2pforum.stem.guards import Guards
    from p2pforum.stem.router import Fluff, StemRouter

    params = dataclasses.replace(params, diffuser=0.0, hop_delay=0.01)
    found: Counter[int] = Counter()
    for run in range(runs):
        routers = [StemRouter(Random(f"{run} {n}"), Guards(), 0.0, params) for n in range(4)]
        for n, router in enumerate(routers):
            router.add_peer("next", 0.0, outbound=True)
            router.on_answer("next")
            router.add_peer("before", 0.0, outbound=False)
            router.maintain_guards(498_000, 20.0)
            if n == 0:
                router.originate(b"p", b"p", 20.0)
            else:
                router.on_post("before", b"p", b"p", 20.0 + 0.1 * n)
        times = {}
        for n, router in enumerate(routers):
            while n not in times:
                at = router.next_wake()
                if any(isinstance(effect, Fluff) for effect in router.tick(at)):
                    times[n] = at
        found[min(times, key=times.__getitem__)] += 1
    return found


def test_judging() -> None:
    fates = [Fate(1, 0, seen=(1, 1)), Fate(2, 0, seen=(1, 1)), Fate(3, 0, seen=(1, 3)), Fate(4, 0)]
    assert judge(fates) == Figures(precision=(1 / 2 + 1) / 4, recall=2 / 4)
    key = [Fate(1, 0, seen=(1, teller)) for teller in (1, 1, 5)] + [Fate(2, 0, seen=(1, 7)), Fate(3, 0)]
    assert judge_keys(key) == pytest.approx(1 / 3)
    assert guess.most_by_chance(0.15, 27) == 7
    assert guess.interval([1.0, 1.0, 1.0]) == (1.0, 0.0)
    assert guess.interval([0.0, 2.0] * 10) == pytest.approx((1.0, 0.480), abs=1e-3), "t for 19 is 2.093"
