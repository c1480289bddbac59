"""A stranger sends a kind of post that one of two real nodes knows, with contents that do not fit it.

The stranger is no node of ours. The control is a node for which contents decide whether a post of a later
kind is valid (see odd_node.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from e2e_floods import CONFIG, OddNode, arrived, nodes, say
from e2e_nodes import wait_until
from gossip_nodes import Probe, as_message
from gossip_real import until
from made_up_kinds import LABEL, TASK
from strategies import TEST_NETWORK, a_post

from p2pforum.app.clock import this_hour
from p2pforum.cli.demo_nodes import wait_for_mesh
from p2pforum.core.post import Post
from p2pforum.network.libp2p_network import open_libp2p_network

pytestmark = pytest.mark.e2e


@contextmanager
def neighbours(directory: Path, kind: str) -> Iterator[list[OddNode]]:
    """One that knows no later kind, and one that does."""
    with nodes(directory, ["plain", kind], CONFIG.replace("test.e2e", TEST_NETWORK.name)) as (old, new):
        old.start()
        new.start(old.address())
        wait_for_mesh([old, new])
        yield [old, new]


def misfits() -> list[Post]:
    root = bytes(32)
    return [
        a_post(kind=TASK, content=(1, b"no text"), root=root, hour=this_hour()),
        a_post(kind=LABEL, content=("A label that is a root.",), hour=this_hour()),
    ]


async def send(posts: list[Post], node: OddNode) -> None:
    async with open_libp2p_network() as network, trio.open_nursery() as nursery:
        stranger = Probe(network, nursery)
        await stranger.join_at(node.address())
        await stranger.say(publish=tuple(map(as_message, posts)))
        await until(lambda: all(map(node.holds, posts)))


async def test_nobody_is_blamed_for_a_later_kind_of_post(tmp_path: Path) -> None:
    with neighbours(tmp_path, "new") as (old, new):
        posts = misfits()
        await send(posts, old)
        assert arrived(new, posts) == len(posts), "passed on, and kept"
        assert arrived(new, say(old, 2, 0)) == arrived(old, say(new, 2, 0)) == 2
        (peer,) = (row for row in new.node.peers() if row["peer"] == old.node.status()["peer_id"])
        assert peer["gossip"]["score"] >= 0


async def test_control_where_contents_decide_a_node_bans_its_honest_neighbour(tmp_path: Path) -> None:
    with neighbours(tmp_path, "deciding") as (old, new):
        await send(misfits(), old)
        wait_until(lambda: new.node.status()["gossip"]["expelled"], "it blamed nobody")
        wait_until(lambda: not new.node.status()["peers"], "it is still there")
