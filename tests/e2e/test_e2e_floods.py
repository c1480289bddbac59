"""Real nodes that strangers flood from processes of their own: no honest post is lost, no honest peer pays.

The controls run a node without the defences: see odd_node.py.
"""

from pathlib import Path

import pytest
from e2e_floods import overflow, refused

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("measures")]


@pytest.mark.parametrize("flooders", [8, 20])
def test_the_smallest_posts_of_a_wrong_hour_cost_no_honest_post(flooders: int, tmp_path: Path) -> None:
    result = overflow(tmp_path, flooders, posts=10)
    assert result.reached == [10, 10]
    assert result.expelled > flooders


def test_control_one_table_for_all_loses_them(tmp_path: Path) -> None:
    assert max(overflow(tmp_path, 8, "naive", posts=10).reached) < 9


@pytest.mark.parametrize("kind", ["reveal", "behind"])
def test_what_one_node_refuses_does_not_cut_it_off(kind: str, tmp_path: Path) -> None:
    result = refused(tmp_path, kind, posts=800, peers=2)
    assert result.reached == [2]
    assert len(result.scores) == 2
    assert min(result.scores) >= 0


def test_control_neighbours_pay_for_what_is_refused(tmp_path: Path) -> None:
    assert min(refused(tmp_path, "reveal,naive", posts=900, peers=2).scores) < 0
