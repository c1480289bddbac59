"""The score: each part on its own, decay, memory, and what it must never do to honest peers."""

import pytest

from p2pforum.gossip.params import ScoreParams
from p2pforum.gossip.score import Ledger

P = ScoreParams()


class Clock:
    now = 1_000.0


def a_ledger(*peers: str, group: str = "", remembered: int = 100) -> Ledger:
    ledger = Ledger(P, remembered)
    for peer in peers:
        ledger.join(peer, group, Clock.now)
    return ledger


def settle(ledger: Ledger, seconds: float, now: float = Clock.now) -> float:
    """Let time pass, interval by interval; the time then."""
    end = now + seconds
    while now < end:
        now += P.decay_interval
        ledger.decay(now)
    return now


def test_a_stranger_and_a_newcomer_have_none() -> None:
    ledger = a_ledger("a")
    assert ledger.score("a", Clock.now) == ledger.score("stranger", Clock.now) == 0


def test_p1_time_in_the_mesh_is_worth_a_little_and_no_more() -> None:
    ledger = a_ledger("a")
    ledger.grafted("a", Clock.now)
    hour, day = settle(ledger, 3_600), 86_400
    first = ledger.score("a", hour)
    later = ledger.score("a", settle(ledger, day, hour))
    assert 0 < first < later <= P.time_weight * P.time_cap
    ledger.pruned("a", hour + day)
    assert ledger.score("a", hour + day) == 0


def test_p2_first_deliveries_are_worth_something_and_fade() -> None:
    ledger = a_ledger("a")
    for _ in range(1_000):
        ledger.first_delivery("a")
    assert ledger.score("a", Clock.now) == pytest.approx(P.first_weight * P.first_cap) == 10
    assert ledger.score("a", settle(ledger, 600)) == pytest.approx(5, rel=0.05)  # half in 10 minutes
    assert ledger.score("a", settle(ledger, 86_400)) == 0


def test_what_a_peer_brought_first_counts_by_itself_and_time_in_the_mesh_does_not() -> None:
    """The network keeps places for those who bring posts: who is only there must not look like one."""
    ledger = a_ledger("brings", "sits")
    ledger.grafted("sits", Clock.now)
    for _ in range(2):
        ledger.first_delivery("brings")
    hour = settle(ledger, 3_600)
    assert ledger.standing("sits", hour) == (ledger.score("sits", hour), 0.0)
    assert 0 < ledger.standing("brings", hour)[1] < 2
    assert ledger.standing("brings", settle(ledger, 86_400, hour))[1] == 0
    assert ledger.standing("stranger", hour) == (0.0, 0.0)


def test_the_best_record_does_not_pay_for_two_flaws() -> None:
    ledger = a_ledger("a")
    ledger.grafted("a", Clock.now)
    for _ in range(1_000):
        ledger.first_delivery("a")
    now = Clock.now + P.time_quantum * P.time_cap
    ledger._here["a"].is_stale = True
    assert 0 < ledger.score("a", now) < 15
    ledger.invalid("a", now)
    ledger.invalid("a", now)
    assert ledger.score("a", now) < P.gossip_threshold


def silent_in_a_crowd(seconds: float, messages: int, *, crowded: bool = True) -> tuple[Ledger, float]:
    ledger = a_ledger("silent", "busy")
    for peer in ("silent", "busy"):
        ledger.grafted(peer, Clock.now)
    for _ in range(messages):
        ledger.accepted(crowded=crowded)
        ledger.first_delivery("busy")
    now = Clock.now + seconds
    ledger.decay(now)
    return ledger, now


def test_p3_a_peer_that_only_takes_loses_its_place_in_a_crowd_and_only_that() -> None:
    ledger, now = silent_in_a_crowd(120, messages=500)
    assert P.gossip_threshold < ledger.score("silent", now) < 0 < ledger.score("busy", now)


def test_p3b_and_does_not_get_it_back_at_once() -> None:
    ledger, now = silent_in_a_crowd(120, messages=500)
    ledger.pruned("silent", now)
    assert P.gossip_threshold < ledger.score("silent", settle(ledger, 120, now)) < 0
    assert ledger.score("silent", settle(ledger, 86_400, now)) == 0


@pytest.mark.parametrize(
    ("seconds", "messages", "crowded"),
    [
        (30, 500, True),  # it has only just come
        (120, 500, False),  # nobody else wants its place
        (120, 0, True),  # a quiet forum expects nothing
    ],
)
def test_p3_expects_nothing_where_nothing_can_be_expected(
    seconds: float, messages: int, crowded: bool
) -> None:
    ledger, now = silent_in_a_crowd(seconds, messages, crowded=crowded)
    assert ledger.score("silent", now) >= 0


def test_p3_a_newcomer_does_not_owe_what_came_before_it() -> None:
    ledger, now = silent_in_a_crowd(120, messages=500)
    ledger.join("late", "", now)
    ledger.grafted("late", now)
    assert ledger.score("late", settle(ledger, 300, now)) >= 0


def test_p3_a_copy_that_comes_close_behind_the_first_counts() -> None:
    ledger = a_ledger("second")
    ledger.grafted("second", Clock.now)
    for n in range(500):
        ledger.accepted(crowded=True)
        if n % 10 == 0:
            ledger.delivery("second")
    assert ledger.score("second", settle(ledger, 120)) >= 0


def test_p4_flawed_messages_weigh_more_and_more_and_the_third_is_the_last() -> None:
    ledger = a_ledger("a")
    scores = []
    for _ in range(3):
        ledger.invalid("a", Clock.now)
        scores.append(ledger.score("a", Clock.now))
    assert scores == [-10, -40, -90]
    assert scores[1] > P.graylist_threshold > scores[2]


def test_p6_many_peers_at_one_address_weigh_on_each_other_but_never_fatally() -> None:
    household = [f"p{n}" for n in range(P.colocation_threshold)]
    ledger = a_ledger(*household, group="192.0.2.1")
    ledger.join("elsewhere", "192.0.2.2", Clock.now)
    assert ledger.score("p0", Clock.now) == 0
    ledger.join("one more", "192.0.2.1", Clock.now)
    assert ledger.score("p0", Clock.now) == P.colocation_weight
    assert ledger.score("elsewhere", Clock.now) == 0
    for n in range(100):
        ledger.join(f"sybil{n}", "192.0.2.1", Clock.now)
    assert ledger.score("p0", Clock.now) == P.colocation_floor > P.graylist_threshold
    for n in range(100):
        ledger.leave(f"sybil{n}", Clock.now)
    ledger.leave("one more", Clock.now)
    assert ledger.score("p0", Clock.now) == 0


def test_p6_peers_without_a_public_address_share_nothing() -> None:
    ledger = a_ledger(*(f"p{n}" for n in range(50)))
    assert ledger.score("p0", Clock.now) == 0


def test_p7_accidents_are_free_and_what_exceeds_them_is_squared() -> None:
    ledger = a_ledger("a")
    ledger.misbehaved("a", Clock.now, P.behaviour_threshold)
    assert ledger.score("a", Clock.now) == 0
    ledger.misbehaved("a", Clock.now, 2)
    assert ledger.score("a", Clock.now) == -20
    assert ledger.score("a", settle(ledger, 3_600)) == 0


def test_a_bad_record_outlives_its_connection_and_a_good_one_does_not() -> None:
    ledger = a_ledger("bad", "good")
    ledger.invalid("bad", Clock.now)
    ledger.first_delivery("good")
    for peer in ("bad", "good"):
        ledger.leave(peer, Clock.now)
        ledger.join(peer, "", Clock.now)
    assert ledger.score("bad", Clock.now) == -10
    assert ledger.score("good", Clock.now) == 0


def test_leaving_is_no_way_out_of_p3() -> None:
    ledger, now = silent_in_a_crowd(120, messages=500)
    ledger.leave("silent", now)
    ledger.join("silent", "", now)
    assert ledger.score("silent", now) < 0


def test_records_of_those_who_left_are_kept_for_a_while_and_bounded() -> None:
    ledger = a_ledger(remembered=10)
    for n in range(50):
        ledger.join(f"p{n}", "", Clock.now)
        ledger.invalid(f"p{n}", Clock.now)
        ledger.leave(f"p{n}", Clock.now)
    assert len(ledger) == 10
    settle(ledger, P.retain + 60)
    assert len(ledger) == 0


def test_a_ban_expires() -> None:
    ledger = a_ledger("a")
    ledger.ban("a", Clock.now)
    ledger.leave("a", Clock.now)
    assert ledger.is_banned("a", Clock.now + P.ban - 1)
    assert not ledger.is_banned("a", Clock.now + P.ban)
    settle(ledger, P.ban + P.retain)
    assert len(ledger) == 0
