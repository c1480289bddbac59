"""`python -m simulation.online` in small: a backlog that is held, and one that is not."""

import pytest

from simulation import online


@pytest.mark.slow
@pytest.mark.parametrize("seen", [1.0, 0.57])
def test_who_sees_nodes_come_seldom_knows_whose_held_post_it_was(seen: float) -> None:
    assert online.rate(1000, seen, online.BEFORE, 1, 60) > 0.4, "the control: as it comes"
    assert online.rate(1000, seen, online.NOW, 1, 60) < 0.2
