"""An attacker's posts, made so that what two real nodes have of a board has one sum: they sync all the same.

The attacker gives each node other posts. At the width of a toy equal sums are found at once; what nodes
compare is cut to that width, too. The control is nodes that compare sums (see odd_node.py).
"""

from itertools import combinations
from pathlib import Path

import pytest
from e2e_filled import PARAMS, fill
from e2e_floods import arrived, nodes
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.post import Post

pytestmark = pytest.mark.e2e

TOY = 24  # bits, as in odd_node
SESSIONS = 3


def planted() -> tuple[list[Post], list[Post]]:
    """Two pairs with one sum."""
    hour = this_hour() - 200
    posts = [a_post(f"Planted {n}.", key=66, hour=hour, params=PARAMS) for n in range(300)]
    seen: dict[int, tuple[Post, Post]] = {}
    for pair in combinations(posts, 2):
        total = sum(int.from_bytes(post.id, "little") for post in pair) % 2**TOY
        before = seen.setdefault(total, pair)
        if not {post.id for post in before} & {post.id for post in pair}:
            return list(before), list(pair)
    raise AssertionError("no equal sum was found")


def synced(directory: Path, kind: str, seconds: float) -> list[int]:
    """How many of the four posts each has after some sessions."""
    sets = planted()
    common = [a_post(f"Common {n}.", hour=this_hour() - 190 - n, params=PARAMS) for n in range(20)]
    with nodes(directory, [kind, kind]) as (one, other):
        for node, own in zip((one, other), sets, strict=True):
            fill([node], common + own)
        one.start()
        other.start(one.address())
        ends = [list(other.node.sync(one.address()))[-1]["result"] for _ in range(SESSIONS)]
        print(ends)
        return [arrived(node, sets[0] + sets[1], seconds) for node in (one, other)]


def test_posts_with_equal_sums_hide_nothing(tmp_path: Path) -> None:
    assert synced(tmp_path, "toy", 30) == [4, 4]


def test_control_where_sums_are_compared_they_hide_each_other_in_every_session(tmp_path: Path) -> None:
    assert synced(tmp_path, "toy_sums", 0) == [2, 2]
