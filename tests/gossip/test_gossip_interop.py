"""With py-libp2p's own host, GossipSub and Pubsub in another process."""

import pytest
from gossip_real import RealNode, Stock, real_node, stock_process, until
from strategies import TEST_NETWORK, a_post

from p2pforum.gossip.seen import message_id

pytestmark = pytest.mark.e2e
POST = a_post("A post.")
TOPIC = TEST_NETWORK.topic


async def meet(node: RealNode, stock: Stock) -> None:
    await node.network.dial(stock.address)
    await stock.meshed(TOPIC, node.peer_id)


async def test_the_mesh_is_one_on_both_sides_and_our_hello_is_understood() -> None:
    async with real_node() as node, stock_process() as stock:
        await meet(node, stock)
        assert node.peer_id in (await stock.status(TOPIC))["subscribed"]
        await until(lambda: node.service.peers()[stock.peer_id].is_in_mesh)


async def test_it_may_dial_us_too() -> None:
    async with real_node() as node, stock_process() as stock:
        await stock.tell(dial=node.address)
        await stock.meshed(TOPIC, node.peer_id)
        await node.publish(POST)
        await until(lambda: POST.raw in stock.got())


async def test_our_posts_arrive_there() -> None:
    posts = [a_post(f"Post {n}.") for n in range(20)]
    async with real_node() as node, stock_process() as stock:
        await meet(node, stock)
        await node.publish(*posts)
        await until(lambda: set(stock.got()) == {post.raw for post in posts})
        assert len(stock.got()) == 20


async def test_what_it_publishes_names_its_author_and_is_refused() -> None:
    async with real_node() as node, stock_process() as stock:
        await meet(node, stock)
        await stock.tell(publish=POST.raw.hex(), topic=TOPIC)
        await until(lambda: node.service.statistics().authored > 0)
        assert node.store.posts == {}
        assert node.service.statistics().accepted == 0


async def test_the_same_post_without_the_author_s_name_is_taken() -> None:
    async with real_node() as node, stock_process() as stock:
        await meet(node, stock)
        await stock.tell(bare=POST.raw.hex(), topic=TOPIC)
        await until(lambda: node.holds(POST))
        assert node.service.statistics().accepted == 1
        assert node.service.peers()[stock.peer_id].score >= 0


async def test_a_post_goes_from_it_through_us_to_another() -> None:
    """Ours in the middle, stock at both ends; what is forwarded has not got a field more."""
    async with real_node() as node, stock_process() as one, stock_process() as two:
        await meet(node, one)
        await meet(node, two)
        await one.tell(bare=POST.raw.hex(), topic=TOPIC)
        await until(lambda: POST.raw in two.got())


async def test_it_gets_by_asking_what_it_missed() -> None:
    """Its IWANT for our IHAVE, and the message."""
    async with real_node() as node, real_node() as author:  # own posts are not offered to who comes
        await author.network.dial(node.address)
        await until(lambda: author.service.statistics().mesh_peers)
        await author.publish(POST)
        await until(lambda: node.service._router._cache.get(message_id(POST.raw)))
        async with stock_process() as stock:
            await meet(node, stock)
            await until(lambda: POST.raw in stock.got())
            assert node.service.statistics().served == 1


async def test_the_largest_post_passes_both_ways() -> None:
    large = a_post("x" * 12_000)
    other = a_post("y" * 12_000)
    async with real_node() as node, stock_process() as stock:
        await meet(node, stock)
        await node.publish(large)
        await until(lambda: large.raw in stock.got())
        await stock.tell(bare=other.raw.hex(), topic=TOPIC)
        await until(lambda: node.holds(other))
