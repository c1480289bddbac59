"""The service on a memory network under virtual time: streams, blame, back-pressure, loss."""

from collections.abc import Sequence

import pytest
import trio
from gossip_nodes import Node, Probe, a_probe, some_nodes, until
from strategies import TEST_NETWORK, a_post
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.gossip.rpc_queue import RpcQueue
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.rpc import Rpc, Subscription
from p2pforum.network.interface import Connected, Ended
from p2pforum.network.memory_network import MemoryHub

POST = a_post("A post.")


async def test_a_post_travels_and_is_released_at_its_author(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await until(lambda: friend.service.statistics().mesh_peers == 1)
    await node.publish(POST)
    assert node.held == {POST.id}
    await until(lambda: friend.held == {POST.id})
    assert node.service.statistics().originated == 1
    assert friend.service.statistics().accepted == 1


async def test_all_nodes_say_the_same_hello(
    hub: MemoryHub, node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    hellos = []
    for n, target in enumerate((node, friend)):
        async with a_probe(hub, f"probe{n}") as probe:
            await probe.join(target)
            await until(lambda probe=probe: bool(probe.heard))
            hellos.append(probe.heard[0])
    assert hellos[0] == hellos[1] == Rpc((Subscription(TEST_NETWORK.topic, True),))


async def test_without_peers_a_post_is_not_released(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    await node.publish(POST)
    assert node.held == set()
    await friend.dial(node)
    with trio.fail_after(5):
        await node.service.wait_for_taker()
    assert friend.held == set()
    await node.publish(POST)
    await until(lambda: node.held == friend.held == {POST.id})


async def test_a_post_is_released_before_anybody_gets_it(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    """A node killed in between would else start again with an old post that it pushes to its peers."""
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    release = node.service._release
    forwarded_before = []

    async def slow_release(ids: Sequence[bytes]) -> None:
        await trio.sleep(5)
        forwarded_before.append(friend.service.statistics().received)
        await release(ids)

    node.service._release = slow_release
    await node.publish(POST)
    assert forwarded_before == [0]
    await until(lambda: friend.held == {POST.id})


async def test_one_bad_own_post_holds_up_no_other(
    node: Node, friend: Node, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    node.store.add([(POST, False)])
    await node.service.originate([b"no post", POST.raw])
    await until(lambda: node.held == friend.held == {POST.id})
    assert "an own post can't go out" in caplog.text
    assert POST.id.hex() not in caplog.text


@pytest.mark.slow
async def test_many_own_posts_at_once_all_arrive(node: Node, friend: Node, autojump_clock: MockClock) -> None:
    posts = [a_post(f"Post {n}. " + "x" * 8_000) for n in range(300)]  # more than a queue holds
    await friend.dial(node)
    await until(lambda: friend.service.statistics().mesh_peers == 1)
    await node.publish(*posts)
    await until(lambda: friend.held == {post.id for post in posts})
    assert node.service.statistics().dropped == 0


@pytest.mark.parametrize("room", [limits.OUTBOX_ASKED, 16], ids=["", "control: sixteen IDs wait"])
async def test_who_asks_for_six_outboxes_at_once_gets_all(
    room: int, node: Node, friend: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    """As js-libp2p does. It does not ask again for what does not come, not of anybody."""
    posts = [a_post(f"Post {n}. " + "x" * 11_000) for n in range(150)]
    await friend.dial(node)
    await until(lambda: friend.service.statistics().mesh_peers == 1)
    await friend.publish(*posts)
    await until(lambda: node.held == {post.id for post in posts})
    await probe.join(node)
    await until(lambda: any(rpc.ihave for rpc in probe.heard))
    (state,) = [state for state in node.service._states if state.peer == probe.network.peer_id]
    state.queue = RpcQueue(max_asked=room)
    await probe.say(iwant=tuple(message_id(post.raw) for post in posts))
    await trio.sleep(20)
    missed = max(0, 150 - room)
    assert sorted(probe.posts()) == sorted(post.raw for post in posts[: 150 - missed])
    assert node.service.statistics().dropped == missed


async def test_messages_that_wait_together_come_in_one_rpc(
    node: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    await probe.join(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    posts = [a_post(f"Post {n}.") for n in range(50)]
    await node.publish(*posts)
    await until(lambda: len(probe.posts()) == 50)
    assert max(len(rpc.publish) for rpc in probe.heard) >= 8
    assert node.service.statistics().sent == 50


# -- coming and going --------------------------------------------------------------------------------------


async def test_a_lost_connection_and_a_new_one(node: Node, friend: Node, autojump_clock: MockClock) -> None:
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    for n in range(3):
        await friend.network.disconnect(node.network.peer_id)
        await until(lambda: node.service.statistics().peers == friend.service.statistics().peers == 0)
        await friend.dial(node)
        await until(lambda: node.service.statistics().mesh_peers == 1)
        post = a_post(f"After {n}.")
        await node.publish(post)
        await until(lambda post=post: post.id in friend.held)


async def test_a_reconnect_faster_than_its_events(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    """Gone and back before anybody has looked: both sides must end up in each other's mesh."""
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    for n in range(5):
        await node.network.disconnect(friend.network.peer_id)
        await friend.dial(node)
        await trio.sleep(3)
        for source, target in ((node, friend), (friend, node)):
            post = a_post(f"{n} from {source.name}.")
            await source.publish(post)
            await until(lambda post=post, target=target: post.id in target.held)


async def test_old_news_of_a_peer_that_is_back_only_renews_its_stream(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    before = node.service._states.get("friend").inbound
    for one in (node, friend):
        one.service._apply(Ended(*one.network.connections()))
    await node.publish(POST)
    await until(lambda: POST.id in friend.held)
    await until(lambda: node.service._states.get("friend").inbound is not before)
    assert node.service.statistics().mesh_peers == 1


async def test_a_first_connection_makes_one_stream(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    """Its event comes when the peer's stream has come already: that is no reason to open another."""
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    state = node.service._states.get("friend")
    session = state.session
    node.service._apply(Connected(*node.network.connections()))
    assert state.session is session
    assert not session.cancel_called


async def test_a_lost_stream_is_opened_again_and_what_was_being_written_is_not_lost(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    friend.service._states.get("node").inbound.cancel()  # as when their handler fails: the stream is reset
    await trio.sleep(0.1)
    await node.publish(POST)
    await until(lambda: POST.id in friend.held)
    assert len(node.network.connections()) == 1


async def test_a_peer_that_speaks_no_gossip_is_left_in_peace(
    hub: MemoryHub, node: Node, autojump_clock: MockClock
) -> None:
    async with hub.network("other") as other:
        await other.dial(node.network.addresses[0])
        await trio.sleep(300)
        assert len(other.connections()) == 1
        assert node.service.statistics().mesh_peers == 0


async def test_a_peer_is_heard_that_connected_before_the_service_ran(
    hub: MemoryHub, node: Node, autojump_clock: MockClock
) -> None:
    async with hub.network("late") as network, trio.open_nursery() as nursery:
        await node.network.dial(network.addresses[0])
        await trio.sleep(20)  # nobody answers there yet
        async with a_probe(hub, "unrelated"):
            pass
        probe = Probe(network, nursery)
        await until(lambda: probe.inbound == 1)


async def test_the_end_of_a_node_is_quick_and_silent(
    hub: MemoryHub, friend: Node, autojump_clock: MockClock
) -> None:
    started = trio.current_time()
    async with some_nodes(hub, 3) as nodes:
        for other in nodes:
            await other.dial(friend)
    assert trio.current_time() - started < 1
    await until(lambda: friend.service.statistics().peers == 0)
