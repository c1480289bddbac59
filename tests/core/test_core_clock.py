"""When a clock can't be right, and when nothing speaks against it."""

import pytest

from p2pforum.core import limits
from p2pforum.core.clock import RELEASED, is_taken, peers_offset, problem

NOW = RELEASED + 10_000


@pytest.mark.parametrize(
    ("offsets", "median"),
    [
        ([], None),
        ([5], 5),
        ([0, 9], 0),
        ([-7, 3], 3),
        ([0, 0, 900], 0),
        ([0, 900, 900], 900),
        ([-1, 0, 1], 0),
    ],
)
def test_half_of_the_peers_can_not_make_a_right_clock_look_wrong(
    offsets: list[int], median: int | None
) -> None:
    assert peers_offset(offsets) == median


@pytest.mark.parametrize(
    ("offset", "said"), [(0, ""), (1, ""), (-1, ""), (2, "2 hours ahead of"), (-9_600, "400 days behind")]
)
def test_peers_say_that_it_is_wrong(offset: int, said: str) -> None:
    found = problem(NOW, offset)
    assert said in found
    assert bool(found) == bool(said)


def test_no_right_clock_shows_an_hour_before_the_program() -> None:
    assert not problem(RELEASED, None)
    assert "1 hours before this program" in problem(RELEASED - 1, 0)


def test_public_posts_of_later_hours_count_where_no_peer_says_what_time_it_is() -> None:
    late = NOW + limits.FUTURE_HOURS + 1
    assert "public posts here" in problem(NOW, None, late)
    assert not problem(NOW, None, late - 1)
    assert not problem(NOW, 0, late)


def test_what_peers_take() -> None:
    assert [hour for hour in (-4_321, -4_320, 1, 2) if is_taken(NOW + hour, NOW)] == [-4_320, 1]
