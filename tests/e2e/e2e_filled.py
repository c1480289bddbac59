"""Nodes that begin with posts: written into one store, and copied to the others."""

import shutil
from collections.abc import Sequence

from e2e_nodes import DemoNode
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Post
from p2pforum.store.posts import open_store

PARAMS = params_for("test.e2e")
BOARDS = [f"board-{n}" for n in range(4)]


def written(by: str, count: int) -> list[Post]:
    """On all boards alike, over two weeks."""
    hour, text = this_hour(), "and so on " * 5
    return [
        a_post(f"{by} {n}, {text}", key=1 + n % 9, board=BOARDS[n % 4], hour=hour - n % 300, params=PARAMS)
        for n in range(count)
    ]


def fill(nodes: Sequence[DemoNode], posts: Sequence[Post]) -> None:
    """As if all of them had had them for long."""
    with open_store(nodes[0].data_dir, PARAMS) as store:
        store.add([(post, True) for post in posts])
    for node in nodes[1:]:
        node.data_dir.mkdir(mode=0o700)
        shutil.copy(nodes[0].data_dir / "node.db", node.data_dir)
