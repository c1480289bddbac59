"""A stranger who asks every node, after a post, what it has: does the one that published it stand out?"""

import pytest

from simulation.oracle import PAUSES, POSTS, LeavingOut, standing_out
from simulation.swarm import Swarm

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("young", [False, True])
@pytest.mark.parametrize("pause", PAUSES)
def test_who_published_a_post_offers_it_as_all_others_do(young: bool, pause: float) -> None:
    assert standing_out(Swarm, young=young, pause=pause) == 0
    assert standing_out(LeavingOut, young=young, pause=pause) == POSTS, "the control"
