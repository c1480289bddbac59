"""A stranger who asks each node what it has, over TCP: does the node that published a post stand out?

The stranger is no router of ours: it says by hand that it joins the topic, and notes which IDs it is offered.
The control is nodes that leave out what they published themselves (see odd_node.py).
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from e2e_floods import CONFIG, OddNode, arrived, nodes
from e2e_nodes import wait_until
from gossip_nodes import Probe
from gossip_real import until
from strategies import TEST_NETWORK

from p2pforum.cli.demo_nodes import wait_for_mesh
from p2pforum.core.post import Post
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.seen import message_id
from p2pforum.network.libp2p_network import open_libp2p_network

pytestmark = pytest.mark.e2e

NODES = 3
VISITS = 3 * GossipParams().gossip_beats  # of all nodes; so that some come later than what all members hear
PAUSE = GossipParams().heartbeat / 2
MOST_VISITS = 60


async def offered(node: OddNode, posts: Sequence[Post]) -> set[bytes]:
    """To a stranger who has just come: of these posts. What it asks for comes behind what it is offered."""
    names = {message_id(post.raw): post.id for post in posts}
    async with open_libp2p_network() as network, trio.open_nursery() as nursery:
        stranger = Probe(network, nursery)
        await stranger.join_at(node.address(), TEST_NETWORK.topic)
        await stranger.say(iwant=tuple(names))
        await until(lambda: {post.raw for post in posts} <= set(stranger.posts()))
        ids = {name for rpc in stranger.heard for offer in rpc.ihave for name in offer.ids}
        return {names[name] for name in ids & names.keys()}


async def named(running: Sequence[OddNode], posts: Sequence[Post]) -> int:
    """Of how many posts the author (in the same order) is the only one who offers it, or does not."""
    offers = [await offered(node, posts) for node in running]
    found = 0
    for author, post in enumerate(posts):
        has = {n for n in range(NODES) if post.id in offers[n]}
        found += has == {author} or set(range(NODES)) - has == {author}
    return found


def publish(running: Sequence[OddNode]) -> list[Post]:
    """One by each, which is with all of them in time."""
    for n, node in enumerate(running):
        node.start(*[other.address() for other in running[:n]])
    wait_until(lambda: all(node.node.status()["peers"] == NODES - 1 for node in running), "no clique")
    wait_for_mesh(running)
    posts = [node.new_thread("general", "A post", f"By {node.name}.").post for node in running]
    assert [arrived(node, posts) for node in running] == [NODES] * NODES
    return posts


async def test_who_published_a_post_offers_it_to_a_stranger_as_all_others_do(tmp_path: Path) -> None:
    with nodes(tmp_path, ["plain"] * NODES, CONFIG.replace("test.e2e", TEST_NETWORK.name)) as running:
        posts = publish(running)
        for _ in range(VISITS):
            assert await named(running, posts) == 0
            await trio.sleep(PAUSE)


async def test_control_where_own_posts_are_left_out_every_author_is_named(tmp_path: Path) -> None:
    with nodes(tmp_path, ["leaving_out"] * NODES, CONFIG.replace("test.e2e", TEST_NETWORK.name)) as running:
        posts = publish(running)
        found = []
        while NODES not in found and len(found) < MOST_VISITS:
            found.append(await named(running, posts))
            await trio.sleep(PAUSE)
        print(f"all are named at visit {len(found)}")
        assert NODES in found
