"""Which keys are one user's, and a year of posts, in small: `python -m simulation.linking` and `.year`."""

import statistics

import pytest

from simulation import linking, year
from simulation.year import HABITS, Case

pytestmark = pytest.mark.slow


def first(slots: int) -> float:
    """Of 120 keys of 60 users: those whose other key is found."""
    return linking.linked(linking.Case(0.1, slots), 1).first


def test_two_keys_of_one_user_are_linked_where_they_share_a_slot_and_not_else() -> None:
    found = linking.linked(linking.Case(0.1, 16), 1)
    assert found.first <= found.sharing + 0.05
    assert found.auc < 0.65


def test_control_with_one_guard_for_all_keys_most_are_linked() -> None:
    assert first(slots=1) > 0.7


def test_a_year_of_posts_is_seen_by_few_guards_drawn_afresh() -> None:
    """Eight authors for four months, two of whom meet a spy by chance. The control draws from connections."""
    fresh, before = (
        year.years(Case(0.1, HABITS[1], fresh=fresh, hosts=60, hours=24 * 120), 8) for fresh in (True, False)
    )
    assert statistics.mean(y.guards for y in fresh) < statistics.mean(y.guards for y in before)
    assert sum(y.named for y in fresh) <= 4
    assert sum(y.named for y in before) >= 5, "the control"
