"""A stranger who waits for a node to come: what its user wrote before does not leave at that moment.

The stranger is no node of ours: it joins the topic by hand, and notes what it is sent. The control is the
same node with `hold_minutes = 0`.
"""

from pathlib import Path

import pytest
import trio
from e2e_floods import CONFIG, nodes
from gossip_nodes import Probe
from gossip_real import until
from strategies import TEST_NETWORK, a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.limits import MOST_HOLD_MINUTES
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.store.posts import open_store

pytestmark = pytest.mark.e2e

BACKLOG = [a_post(f"Written before {n}.", key=n + 1, hour=this_hour()) for n in range(3)]


async def seen(directory: Path, minutes: int, count: int) -> list[bytes]:
    """What the stranger has been sent when it has had what the user writes once the node is there, and so
    many posts at least."""
    now = a_post("Written now.", key=9, hour=this_hour())
    config = CONFIG.replace("test.e2e", TEST_NETWORK.name) + f"hold_minutes = {minutes}\n"
    with nodes(directory, ["plain", "plain"], config) as (node, friend):
        with open_store(node.data_dir, TEST_NETWORK) as store:
            store.add([(post, False) for post in BACKLOG])
        friend.start()
        node.start(friend.address())
        async with open_libp2p_network() as network, trio.open_nursery() as nursery:
            stranger = Probe(network, nursery)
            await stranger.join_at(node.address())
            await until(lambda: node.node.status()["clock"]["confirmed"])
            await trio.to_thread.run_sync(node.node.submit, now.raw)
            await until(lambda: now.raw in stranger.posts() and len(set(stranger.posts())) >= count, 60)
            return stranger.posts()


async def test_what_waited_does_not_leave_when_its_node_comes(tmp_path: Path) -> None:
    found = await seen(tmp_path, MOST_HOLD_MINUTES, 1)
    assert not {post.raw for post in BACKLOG} & set(found)


async def test_control_without_the_hold_it_leaves_at_once(tmp_path: Path) -> None:
    found = await seen(tmp_path, 0, 2)
    assert {post.raw for post in BACKLOG} & set(found)
