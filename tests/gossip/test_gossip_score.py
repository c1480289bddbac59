"""The score: each part on its own, decay, memory, and what it must never do to honest peers."""

import pytest

from p2pforum.gossip.params import ScoreParams
from p2pforum.gossip.score import PeerScores

P = ScoreParams()


class Clock:
    now = 1_000.0


def a_ledger(*peers: str, group: str = "", remembered: int = 100) -> PeerScores:
    scores = PeerScores(P, remembered)
    for peer in peers:
        scores.join(peer, group, Clock.now)
    return scores


def settle(scores: PeerScores, seconds: float, now: float = Clock.now) -> float:
    """Let time pass, interval by interval; the time then."""
    end = now + seconds
    while now < end:
        now += P.decay_interval
        scores.decay(now)
    return now


def test_a_stranger_and_a_newcomer_have_none() -> None:
    scores = a_ledger("a")
    assert scores.score("a", Clock.now) == scores.score("stranger", Clock.now) == 0


def test_p1_time_in_the_mesh_is_worth_a_little_and_no_more() -> None:
    scores = a_ledger("a")
    scores.grafted("a", Clock.now)
    hour, day = settle(scores, 3_600), 86_400
    first = scores.score("a", hour)
    later = scores.score("a", settle(scores, day, hour))
    assert 0 < first < later <= P.time_weight * P.time_cap
    scores.pruned("a", hour + day)
    assert scores.score("a", hour + day) == 0


def test_p2_first_deliveries_are_worth_something_and_fade() -> None:
    scores = a_ledger("a")
    for _ in range(1_000):
        scores.first_delivery("a")
    assert scores.score("a", Clock.now) == pytest.approx(P.first_weight * P.first_cap) == 10
    assert scores.score("a", settle(scores, 600)) == pytest.approx(5, rel=0.05)  # half in 10 minutes
    assert scores.score("a", settle(scores, 86_400)) == 0


def test_what_a_peer_brought_first_counts_by_itself_and_time_in_the_mesh_does_not() -> None:
    """The network keeps places for those who bring posts: who is only there must not look like one."""
    scores = a_ledger("brings", "sits")
    scores.grafted("sits", Clock.now)
    for _ in range(2):
        scores.first_delivery("brings")
    hour = settle(scores, 3_600)
    assert scores.standing("sits", hour) == (scores.score("sits", hour), 0.0)
    assert 0 < scores.standing("brings", hour)[1] < 2
    assert scores.standing("brings", settle(scores, 86_400, hour))[1] == 0
    assert scores.standing("stranger", hour) == (0.0, 0.0)


def test_the_best_record_does_not_pay_for_two_flaws() -> None:
    scores = a_ledger("a")
    scores.grafted("a", Clock.now)
    for _ in range(1_000):
        scores.first_delivery("a")
    now = Clock.now + P.time_quantum * P.time_cap
    scores._here["a"].is_stale = True
    assert 0 < scores.score("a", now) < 15
    scores.invalid("a", now)
    scores.invalid("a", now)
    assert scores.score("a", now) < P.gossip_threshold


def silent_in_a_crowd(seconds: float, messages: int, *, crowded: bool = True) -> tuple[PeerScores, float]:
    scores = a_ledger("silent", "busy")
    for peer in ("silent", "busy"):
        scores.grafted(peer, Clock.now)
    for _ in range(messages):
        scores.accepted(crowded=crowded)
        scores.first_delivery("busy")
    now = Clock.now + seconds
    scores.decay(now)
    return scores, now


def test_p3_a_peer_that_only_takes_loses_its_place_in_a_crowd_and_only_that() -> None:
    scores, now = silent_in_a_crowd(120, messages=500)
    assert P.gossip_threshold < scores.score("silent", now) < 0 < scores.score("busy", now)


def test_p3b_and_does_not_get_it_back_at_once() -> None:
    scores, now = silent_in_a_crowd(120, messages=500)
    scores.pruned("silent", now)
    assert P.gossip_threshold < scores.score("silent", settle(scores, 120, now)) < 0
    assert scores.score("silent", settle(scores, 86_400, now)) == 0


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
    scores, now = silent_in_a_crowd(seconds, messages, crowded=crowded)
    assert scores.score("silent", now) >= 0


def test_p3_a_newcomer_does_not_owe_what_came_before_it() -> None:
    scores, now = silent_in_a_crowd(120, messages=500)
    scores.join("late", "", now)
    scores.grafted("late", now)
    assert scores.score("late", settle(scores, 300, now)) >= 0


def test_p3_a_copy_that_comes_close_behind_the_first_counts() -> None:
    scores = a_ledger("second")
    scores.grafted("second", Clock.now)
    for n in range(500):
        scores.accepted(crowded=True)
        if n % 10 == 0:
            scores.delivery("second")
    assert scores.score("second", settle(scores, 120)) >= 0


def test_p4_flawed_messages_weigh_more_and_more_and_the_third_is_the_last() -> None:
    scores = a_ledger("a")
    found = []
    for _ in range(3):
        scores.invalid("a", Clock.now)
        found.append(scores.score("a", Clock.now))
    assert found == [-10, -40, -90]
    assert found[1] > P.graylist_threshold > found[2]


def test_p6_many_peers_at_one_address_weigh_on_each_other_but_never_fatally() -> None:
    household = [f"p{n}" for n in range(P.colocation_threshold)]
    scores = a_ledger(*household, group="192.0.2.1")
    scores.join("elsewhere", "192.0.2.2", Clock.now)
    assert scores.score("p0", Clock.now) == 0
    scores.join("one more", "192.0.2.1", Clock.now)
    assert scores.score("p0", Clock.now) == P.colocation_weight
    assert scores.score("elsewhere", Clock.now) == 0
    for n in range(100):
        scores.join(f"sybil{n}", "192.0.2.1", Clock.now)
    assert scores.score("p0", Clock.now) == P.colocation_floor > P.graylist_threshold
    for n in range(100):
        scores.leave(f"sybil{n}", Clock.now)
    scores.leave("one more", Clock.now)
    assert scores.score("p0", Clock.now) == 0


def test_p6_peers_without_a_public_address_share_nothing() -> None:
    scores = a_ledger(*(f"p{n}" for n in range(50)))
    assert scores.score("p0", Clock.now) == 0


def test_p7_accidents_are_free_and_what_exceeds_them_is_squared() -> None:
    scores = a_ledger("a")
    scores.misbehaved("a", Clock.now, P.behaviour_threshold)
    assert scores.score("a", Clock.now) == 0
    scores.misbehaved("a", Clock.now, 2)
    assert scores.score("a", Clock.now) == -20
    assert scores.score("a", settle(scores, 3_600)) == 0


def test_a_bad_record_outlives_its_connection_and_a_good_one_does_not() -> None:
    scores = a_ledger("bad", "good")
    scores.invalid("bad", Clock.now)
    scores.first_delivery("good")
    for peer in ("bad", "good"):
        scores.leave(peer, Clock.now)
        scores.join(peer, "", Clock.now)
    assert scores.score("bad", Clock.now) == -10
    assert scores.score("good", Clock.now) == 0


def test_leaving_is_no_way_out_of_p3() -> None:
    scores, now = silent_in_a_crowd(120, messages=500)
    scores.leave("silent", now)
    scores.join("silent", "", now)
    assert scores.score("silent", now) < 0


def test_records_of_those_who_left_are_kept_for_a_while_and_bounded() -> None:
    scores = a_ledger(remembered=10)
    for n in range(50):
        scores.join(f"p{n}", "", Clock.now)
        scores.invalid(f"p{n}", Clock.now)
        scores.leave(f"p{n}", Clock.now)
    assert len(scores) == 10
    settle(scores, P.retain + 60)
    assert len(scores) == 0


def test_a_ban_expires() -> None:
    scores = a_ledger("a")
    scores.ban("a", Clock.now)
    scores.leave("a", Clock.now)
    assert scores.is_banned("a", Clock.now + P.ban - 1)
    assert not scores.is_banned("a", Clock.now + P.ban)
    settle(scores, P.ban + P.retain)
    assert len(scores) == 0
