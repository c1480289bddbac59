"""With js-libp2p and @libp2p/gossipsub (npm): a node that nobody here wrote takes part in the mesh."""

from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from gossip_nodes import Probe
from gossip_real import LOOPBACK, RealNode, Stock, real_node, until
from js_libp2p import INTEROP, js_peer
from npm_packages import install_packages
from strategies import TEST_NETWORK, a_post

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.gossip.views import PeerView
from p2pforum.network.libp2p_network import open_libp2p_network

pytestmark = pytest.mark.e2e
TOPIC = TEST_NETWORK.topic


@pytest.fixture(scope="module")
def js(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("js-libp2p")
    install_packages(INTEROP, folder)
    return folder


def some_posts(count: int, name: str) -> list[Post]:
    return [a_post(f"{name} {n}", board=f"board{n % 8}") for n in range(count)]


def largest(n: int) -> Post:
    """Of a version that nobody knows yet: a text never fills a post."""
    post = a_post(version=2, content=(bytes([n]) * 15_854,))
    assert len(post.raw) == limits.MAX_POST
    return post


async def meshed(peer: Stock, *nodes: RealNode) -> None:
    """Until both sides have each other."""
    for node in nodes:
        await peer.meshed(TOPIC, node.peer_id)
        await until(lambda n=node: view_of(n, peer).is_in_mesh)


async def publish_from(peer: Stock, posts: list[Post]) -> None:
    for post in posts:
        await peer.tell(publish=post.raw.hex(), topic=TOPIC)


def view_of(node: RealNode, peer: Stock) -> PeerView:
    return node.service.peers().get(peer.peer_id) or PeerView(
        is_in_mesh=False, is_subscribed=False, score=0.0, first=0.0
    )


def failures(peer: Stock) -> list[dict[str, Any]]:
    return [event for event in peer.events if "failed" in event]


async def score_of(peer: Stock, other: str) -> float:
    return float((await peer.status(TOPIC))["scores"].get(other, 0.0))


async def test_a_hundred_posts_each_way_in_a_triangle(js: Path) -> None:
    """Ours twice, js once, all connected: every post comes to each of them twice, and counts once."""
    async with real_node() as one, real_node() as two, js_peer(js) as peer:
        await one.network.dial(two.address)
        await one.network.dial(peer.address)
        await peer.tell(dial=two.address)
        await meshed(peer, one, two)
        ours, theirs = some_posts(100, "Ours."), some_posts(100, "Theirs.")
        await one.publish(*ours[:50])
        await two.publish(*ours[50:])
        await publish_from(peer, theirs)
        await until(lambda: all(node.holds(*ours, *theirs) for node in (one, two)))
        await until(lambda: len(peer.got()) >= len(ours))
        # It floods what it publishes, and each of ours that has it first passes it on to the other.
        await until(lambda: sum(n.service.statistics().duplicates for n in (one, two)) >= len(theirs))
        await until_thought_ill_of_a_silent_peer(peer)
        assert Counter(peer.got()) == Counter(post.raw for post in ours)
        assert {event["type"] for event in peer.events if "got" in event} == {"unsigned"}
        counts = [node.service.statistics() for node in (one, two)]
        assert [s.accepted for s in counts] == [150, 150]
        assert not any(s.invalid or s.ignored or s.expelled or s.dropped for s in counts)
        for node in (one, two):
            assert await score_of(peer, node.peer_id) > 0
            assert view_of(node, peer).score > 0
        assert not failures(peer)


async def until_thought_ill_of_a_silent_peer(peer: Stock) -> None:
    """The control of its scores: a member of its mesh that gives nothing falls below zero."""
    async with open_libp2p_network([LOOPBACK]) as network, trio.open_nursery() as nursery:
        silent = Probe(network, nursery)
        await silent.join(SimpleNamespace(network=SimpleNamespace(addresses=[peer.address])))
        await peer.meshed(TOPIC, network.peer_id)
        with trio.fail_after(20):
            while await score_of(peer, network.peer_id) >= 0:
                await trio.sleep(0.2)
        nursery.cancel_scope.cancel()


async def test_what_it_signs_is_refused_and_the_third_is_the_last(js: Path) -> None:
    """Another policy of its users, StrictSign: `from` and `seqno` would name the author."""
    async with real_node() as node, js_peer(js, globalSignaturePolicy="StrictSign") as peer:
        await node.network.dial(peer.address)
        await meshed(peer, node)
        for number in range(3):
            signed = a_post(f"Signed {number}.")
            await peer.tell(publish=signed.raw.hex(), topic=TOPIC)
        await until(lambda: node.service.statistics().expelled)
        assert node.service.statistics().authored == 3
        assert node.service.statistics().accepted == 0
        assert node.store.posts == {}
        await until(lambda: not node.network.connections())


OUTSIDE_ALL_MESHES = {"D": 0, "Dlo": 0, "Dhi": 0, "Dscore": 0, "Dout": 0}


async def test_two_hundred_posts_by_asking_there_and_back(js: Path) -> None:
    """It refuses every GRAFT. So what comes to it from the one side, and leaves on the other, goes by IHAVE
    and IWANT. It asks for all at once, more than a queue holds, and gets all as it reads. It answers no
    more than ten IWANTs of a peer between two heartbeats, each with one RPC."""
    posts, large = some_posts(200, "Asked for."), [largest(n) for n in range(20)]
    async with AsyncExitStack() as stack:
        author, before, after = [await stack.enter_async_context(real_node()) for _ in range(3)]
        peer = await stack.enter_async_context(js_peer(js, **OUTSIDE_ALL_MESHES))
        await author.network.dial(before.address)
        await until(lambda: author.service.statistics().mesh_peers)
        for node in (before, after):
            await node.network.dial(peer.address)
            await until(lambda n=node: view_of(n, peer).is_subscribed)
            await until(lambda n=node: not view_of(n, peer).is_in_mesh)
        await author.publish(*large)
        await until(lambda: after.holds(*large))
        await author.publish(*posts)
        await until(lambda: after.holds(*posts))
        assert Counter(peer.got()) == Counter(post.raw for post in [*large, *posts])
        served = before.service.statistics()
        assert (served.served, served.dropped) == (len(peer.got()), 0), "it did not have to ask again"
        assert after.service.statistics().asked == len(peer.got())
        assert after.service.statistics().received == len(peer.got())
        for node in (before, after):
            assert await score_of(peer, node.peer_id) >= 0
            assert view_of(node, peer).score >= 0


async def test_the_largest_post_passes_both_ways(js: Path) -> None:
    ours, theirs = largest(1), largest(2)
    async with real_node() as node, js_peer(js) as peer:
        await peer.tell(dial=node.address)
        await meshed(peer, node)
        await node.publish(ours)
        await publish_from(peer, [theirs])
        await until(lambda: peer.got() == [ours.raw])
        await until(lambda: node.holds(theirs))


async def test_it_is_killed_and_comes_back(js: Path) -> None:
    """Under the same peer ID. What was passed on meanwhile it is offered, what is new it is pushed."""
    missed, new = some_posts(20, "Missed."), some_posts(20, "New.")
    async with real_node() as author, real_node() as node:
        await author.network.dial(node.address)
        await until(lambda: author.service.statistics().mesh_peers)
        async with js_peer(js) as peer:
            await peer.tell(dial=node.address)
            await meshed(peer, node)
        await until(lambda: peer.peer_id not in node.service.peers())
        await author.publish(*missed)
        await until(lambda: node.holds(*missed))
        async with js_peer(js) as again:
            assert again.peer_id == peer.peer_id
            await again.tell(dial=node.address)
            await meshed(again, node)
            await author.publish(*new)
            await until(lambda: len(again.got()) >= 40)
            assert Counter(again.got()) == Counter(post.raw for post in [*missed, *new])
            assert view_of(node, again).score >= 0
