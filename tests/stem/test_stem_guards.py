"""Slots and guards: which key goes by whom, for how long, and what an attacker gets of them."""

import dataclasses
import json
from collections import Counter
from random import Random

import pytest
from stem_bench import HOUR, RELAYING, Bench, passes

from p2pforum.stem.guards import Guards
from p2pforum.stem.params import GuardParams

KEYS = [bytes([n]) * 32 for n in range(200)]
LATER = HOUR + 48  # the first day of a new node is over
THERE = {f"p{n}": "" for n in range(8)}
MANY = {f"p{n}": "" for n in range(400)}


def drawn(guards: Guards, hour: int = LATER, *, there: dict[str, str] = MANY, seed: int = 1) -> None:
    """As whoever draws them from a book does, until nothing lacks."""
    rng = Random(seed)
    guards.since = guards.since or HOUR
    while (slot := guards.lacking(hour, 0.0, there)) is not None:
        fit = sorted(there.keys() - {guard.peer for guard in guards.kept})
        guards.adopt(slot, rng.choice(fit), ("", ""), hour, rng)


# -- slots ------------------------------------------------------------------------------------------


def test_a_key_keeps_its_slot_over_a_restart_and_keys_are_spread_evenly() -> None:
    guards = Guards(secret=b"s" * 32)
    slots = [guards.slot_of(key) for key in KEYS]
    assert [Guards.decode(guards.encode()).slot_of(key) for key in KEYS] == slots
    loads = Counter(slots)
    assert len(loads) == 16
    assert max(loads.values()) < 25, "12.5 expected"


def test_which_keys_share_a_slot_is_another_matter_at_each_node() -> None:
    one, two = Guards(secret=b"1" * 32), Guards(secret=b"2" * 32)
    pairs = [(a, b) for n, a in enumerate(KEYS) for b in KEYS[:n]]
    share = [sum(g.slot_of(a) == g.slot_of(b) for a, b in pairs) / len(pairs) for g in (one, two)]
    both = sum(all(g.slot_of(a) == g.slot_of(b) for g in (one, two)) for a, b in pairs) / len(pairs)
    assert all(abs(part - 1 / 16) < 0.02 for part in share)
    assert abs(both - 1 / 256) < 0.003


def ways_of_keys(params: GuardParams) -> set[str]:
    """Through whom ten keys of one user go, two posts each."""
    bench = Bench(params=RELAYING, outbound=40, guards=Guards(params, secret=b"s" * 32))
    ways: dict[bytes, set[str]] = {}
    for n in range(20):
        key = KEYS[n % 10]
        bench.own(n, key=key)
        ways.setdefault(key, set()).update(p.peer for p in passes(bench.run(30)))
    assert all(len(way) == 1 for way in ways.values())
    return set.union(*ways.values())


def test_keys_go_by_guards_of_their_own_and_one_key_by_one() -> None:
    assert len(ways_of_keys(GuardParams())) >= 6


def test_control_with_one_slot_all_keys_go_by_one() -> None:
    assert len(ways_of_keys(GuardParams(slots=1))) == 1


def test_slots_have_different_guards_and_two_each() -> None:
    guards = Guards()
    drawn(guards)
    assert [len(guards.of(slot)) for slot in range(16)] == [2] * 16
    assert len({guard.peer for guard in guards.kept}) == 32
    assert sum(guard.is_first for guard in guards.kept) == 16


def test_where_peers_are_few_slots_share_them_evenly_and_no_slot_has_one_twice() -> None:
    guards = Guards()
    guards.fill(HOUR, THERE, Random(1))
    assert [len(set(guards.of(slot))) for slot in range(16)] == [2] * 16
    assert set(Counter(guard.peer for guard in guards.kept).values()) == {4}
    alone = Guards()
    alone.fill(HOUR, {"p": ""}, Random(1))
    assert [alone.of(slot) for slot in range(16)] == [["p"]] * 16


def test_what_is_kept_names_no_key_and_does_not_show_which_slots_are_used() -> None:
    one, two = (Guards(secret=b"s" * 32) for _ in range(2))
    for key in KEYS[:3]:
        one.use(one.slot_of(key), 0.0)
    for guards in (one, two):
        guards.maintain(LATER, 0.0, MANY)
        guards.fill(LATER, MANY, Random(1))
    assert one.encode() == two.encode()
    assert set(json.loads(one.encode())) == {"secret", "since", "guards"}


# -- time ------------------------------------------------------------------------------------------


def test_guards_are_kept_for_nine_to_twelve_months_and_over_a_restart() -> None:
    spans = []
    for seed in range(20):
        guards = Guards()
        drawn(guards, seed=seed)
        spans += [guard.until - LATER for guard in guards.kept]
        assert Guards.decode(guards.encode()).kept == guards.kept
        assert guards.lacking(LATER + 24 * 269, 0.0, MANY) is None
        assert guards.lacking(LATER + 24 * 366, 0.0, MANY) is not None
    assert 270 * 24 <= min(spans) < 275 * 24
    assert 360 * 24 < max(spans) <= 365 * 24


def test_who_is_past_its_time_serves_until_another_takes_its_place_and_rank() -> None:
    guards = Guards()
    drawn(guards)
    first, second = guards.of(0)
    late = LATER + 24 * 400
    guards.maintain(late, 0.0, MANY)
    assert guards.of(0) == [first, second]
    drawn(guards, late, seed=2)
    assert first not in guards.of(0)
    assert len(guards.of(0)) == 2
    assert len(guards.kept) == 32


def test_what_a_new_node_draws_on_its_first_day_lasts_days() -> None:
    """It knows few but the nodes of its invite. A day later it draws for long: the control."""
    young, old = Guards(), Guards()
    drawn(young, HOUR)
    drawn(old, HOUR + 24)
    assert all(24 <= guard.until - HOUR <= 72 for guard in young.kept)
    assert all(guard.until - HOUR > 24 * 270 for guard in old.kept)


def test_a_guard_is_given_up_after_two_weeks_of_use_and_no_sooner() -> None:
    guards = Guards()
    drawn(guards)
    first, second = guards.of(5)
    others = MANY.keys() - {first}
    guards.use(5, 1e9)
    for hour in range(14 * 24):
        assert guards.of(5) == [first, second]
        assert guards.in_use(5, others) == [second], "the stand-in"
        guards.maintain(LATER + hour, 1e9, others)
    guards.maintain(LATER + 14 * 24, 1e9, others)
    assert guards.of(5) == [second]
    assert guards.lacking(LATER + 14 * 24, 1e9, others) == 5


def test_a_guard_that_comes_back_is_counted_anew() -> None:
    guards = Guards()
    drawn(guards)
    first = guards.of(5)[0]
    guards.use(5, 1e9)
    for hour in range(100 * 24):
        guards.maintain(LATER + hour, 1e9, MANY.keys() - ({first} if hour % 240 else set()))
    assert first in guards.of(5)


@pytest.mark.parametrize("why", ["off", "alone", "not used"])
def test_our_own_absence_is_not_the_guard_s(why: str) -> None:
    guards = Guards()
    drawn(guards)
    kept = list(guards.kept)
    if why != "not used":
        guards.use(5, 1e9)
    for hour in range(1, 2_000, 30 if why == "off" else 1):
        guards.maintain(LATER + hour, 1e9, [] if why == "alone" else ["x"])
    assert guards.kept == kept


def knocked_off(params: GuardParams) -> int:
    """An attacker cuts off every guard of a slot as soon as it is there, for a year of hours: how many a slot
    gets through."""
    guards, rng, seen = Guards(params), Random(4), set[str]()
    drawn(guards)
    for hour in range(365 * 24):
        guards.use(3, hour * 3600.0)
        there = MANY.keys() - seen
        seen |= set(guards.in_use(3, there))
        there -= seen
        guards.maintain(LATER + hour, hour * 3600.0, there)
        if guards.lacking(LATER + hour, hour * 3600.0, there) == 3 and there:
            guards.adopt(3, rng.choice(sorted(there)), ("", ""), LATER + hour, rng)
    return len(seen)


def test_who_cuts_guards_off_turns_a_slot_s_by_few_a_month() -> None:
    """Four at once, then four in each two weeks, in which all of them must be kept away without a break."""
    assert knocked_off(GuardParams()) <= 4 + 4 * 26
    assert knocked_off(GuardParams(absent_hours=2)) > 300, "the control: given up at once"


def test_guards_are_wanted_for_hours_after_a_post_and_not_before() -> None:
    guards = Guards()
    drawn(guards)
    assert guards.wanted(0.0) == []
    guards.use(7, 1_000.0)
    assert guards.wanted(1_000.0) == guards.wanted(1_000.0 + 6 * 3600 - 1) == [7]
    assert guards.wanted(1_000.0 + 6 * 3600) == []


def test_a_slot_that_a_post_waits_for_is_filled_first() -> None:
    guards = Guards()
    guards.use(11, 5.0)
    assert guards.lacking(LATER, 5.0, MANY) == 11
    guards.adopt(11, "p1", ("", ""), LATER, Random(1))
    assert guards.lacking(LATER, 5.0, MANY) == 0
    assert guards.lacking(LATER, 5.0, []) == 11, "and another while that one is not there"


@pytest.mark.parametrize("most", [4, 8])
def test_of_one_slot_there_are_at_most_so_many(most: int) -> None:
    guards = Guards(dataclasses.replace(GuardParams(), most=most))
    drawn(guards)
    guards.use(2, 0.0)
    for n in range(20):
        if guards.lacking(LATER, 0.0, []) == 2:
            guards.adopt(2, f"x{n}", ("", ""), LATER, Random(n))
    assert len(guards.of(2)) == most


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}x", "[1]", '[{"peer": "a"}]', "3", "null", "{}"),
        '{"secret": "0g", "since": 1, "guards": []}',
        '{"secret": "00", "since": "1", "guards": []}',
        '{"secret": "00", "since": 1, "guards": [{"peer": "a"}]}',
        '{"secret": "00", "since": 1, "guards": [{"slot": 16, "peer": "", "address": "", "group": "", '
        '"until": 1, "is_first": true, "absent": 0}]}',
        '{"secret": "00", "since": 1, "guards": [{"slot": 1, "peer": "", "address": "", "group": "", '
        '"until": "1", "is_first": true, "absent": 0}]}',
    ],
)
def test_what_is_no_guards_file(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Guards.decode(text)


# -- through the router -------------------------------------------------------------------------------------


def test_each_guard_gets_what_it_takes_though_many_keys_post_at_once() -> None:
    """An import of ten keys: own sending keeps to nine tenths of what each guard takes."""
    bench = Bench(outbound=40, guards=Guards(secret=b"s" * 32))
    for n in range(240):
        assert bench.router.originate(n.to_bytes(32, "big"), b"x" * 100, bench.now, KEYS[n % 10])
    sent = Counter(p.peer for p in passes(bench.run(59)))
    assert len(sent) >= 6
    assert max(sent.values()) <= 18 + 9
    assert sum(sent.values()) > 100, "control: more than one guard takes"


def test_a_guard_that_dialled_us_takes_own_posts_too() -> None:
    bench = Bench(params=RELAYING, outbound=2)
    guard = bench.guard
    bench.router.remove_peer(guard)
    bench.router.add_peer(guard, bench.now, outbound=False)
    bench.own(1)
    assert [p.peer for p in passes(bench.run(20))] == [guard]
