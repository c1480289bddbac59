"""A peer that comes back before its old connection was found dead: after a change of network, a router that
forgot, a kill and a restart. Both must hear each other at once, not when a ping fails, and not never.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import naive
import pytest
import trio
from gossip_nodes import Node, Swarm, a_swarm, until
from strategies import a_post
from trio.testing import MockClock

from p2pforum.gossip.lazy import LazyGossip
from p2pforum.network.interface import Direction
from p2pforum.network.memory_link import MemoryLink
from p2pforum.network.memory_network import MemoryHub

NOTICE = 40.0  # seconds until a ping shows that a connection is dead
SOON = 3.0  # seconds; a stream is opened and answered in a tenth of one

Away = Callable[[MemoryHub, Swarm, Node, Node], Awaitable[Node]]


@pytest.fixture
async def swarm(hub: MemoryHub, autojump_clock: MockClock) -> AsyncIterator[Swarm]:
    async with a_swarm(hub) as swarm:
        yield swarm


def know(here: Node, there: Node) -> bool:
    """Whether each has heard what the other joins."""
    pairs = [(here, there), (there, here)]
    views = [one.service.peers().get(other.network.peer_id) for one, other in pairs]
    return all(view is not None and view.is_subscribed for view in views)


async def met(swarm: Swarm) -> tuple[Node, Node]:
    """`leaf` has dialled `home`; both have been there for a while."""
    home, leaf = await swarm.start("home"), await swarm.start("leaf")
    await leaf.dial(home)
    await trio.sleep(30)
    assert know(home, leaf)
    return home, leaf


# -- ways to come back: each gives the two nodes as they are then -----------------------------------------


async def redial(hub: MemoryHub, swarm: Swarm, home: Node, leaf: Node) -> Node:
    """The side that had dialled lost it, and dials again."""
    hub.lose_connections("leaf", NOTICE)
    await trio.sleep(2)
    await leaf.dial(home)
    return leaf


async def other_way_round(hub: MemoryHub, swarm: Swarm, home: Node, leaf: Node) -> Node:
    """The side that had been dialled lost it, and dials now."""
    hub.lose_connections("home", NOTICE)
    await trio.sleep(2)
    await home.dial(leaf)
    return leaf


async def restart(hub: MemoryHub, swarm: Swarm, home: Node, leaf: Node) -> Node:
    """Killed, and there again under its old name; the router keeps the old connection open."""
    hub.lose_connections("leaf", NOTICE)
    hub.kill("leaf")
    again = await swarm.start("leaf")
    await again.dial(home)
    return again


WAYS = pytest.mark.parametrize("away", [redial, other_way_round, restart], ids=lambda way: way.__name__)


@WAYS
async def test_both_hear_each_other_at_once(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock, away: Away
) -> None:
    home, leaf = await met(swarm)
    leaf = await away(hub, swarm, home, leaf)
    await until(lambda: know(home, leaf), SOON)
    for number in range(3):
        for source, target in ((home, leaf), (leaf, home)):
            post = a_post(f"{number} from {source.name}.")
            await source.publish(post)
            await until(lambda post=post, target=target: post.id in target.held, SOON)
    await trio.sleep(2 * NOTICE)  # the old connection is found dead: that changes nothing
    assert know(home, leaf)


@WAYS
async def test_control_as_it_was_they_stay_deaf(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    naive.go_by_first_and_last(monkeypatch.setattr)
    home, leaf = await met(swarm)
    leaf = await away(hub, swarm, home, leaf)
    post = a_post("Does anybody hear this?")
    deaf, mute = (leaf, home) if away is not other_way_round else (home, leaf)
    await mute.publish(post)
    with pytest.raises(trio.TooSlowError):
        await until(lambda: post.id in deaf.held, NOTICE / 2)


async def test_what_was_sent_into_the_dead_connection_is_offered_again(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock
) -> None:
    assert await gets_what_it_missed(hub, swarm)


async def test_control_without_a_second_greeting_it_is_lost(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LazyGossip, "may_greet_again", lambda *_: None)
    assert not await gets_what_it_missed(hub, swarm)


async def gets_what_it_missed(hub: MemoryHub, swarm: Swarm) -> bool:
    home, author = await met(swarm)
    await author.publish(a_post("So that there is something to greet with."))
    leaf = await swarm.start("third")
    await leaf.dial(home)
    await trio.sleep(30)
    hub.lose_connections("third", NOTICE)
    missed = [a_post(f"Into the void, {number}.") for number in range(20)]
    await author.publish(*missed)
    await trio.sleep(5)
    assert {post.id for post in missed} <= home.held
    await leaf.dial(home)
    await trio.sleep(20)
    assert know(home, leaf)
    return {post.id for post in missed} <= leaf.held


async def test_who_opens_stream_after_stream_is_greeted_in_full_now_and_then_only(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock
) -> None:
    home, author = await met(swarm)
    await author.publish(*[a_post(f"Post {number}.") for number in range(50)])
    await trio.sleep(5)
    probe = await swarm.start_probe("probe")
    for _ in range(40):
        await probe.join(home)
        await trio.sleep(0.5)
    offered = sum(len(offer.ids) for rpc in probe.heard for offer in rpc.ihave)
    assert 50 < offered <= 3 * 50, "for 40 streams in 20 seconds"


async def test_a_stream_that_the_peer_resets_is_opened_again_after_a_pause(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock
) -> None:
    """A peer that resets every stream must not keep the node opening streams."""
    home = await swarm.start("home")
    probe = await swarm.start_probe("probe")
    opened = []

    async def reset(peer: str, stream: trio.abc.Stream) -> None:
        opened.append(trio.current_time())
        await trio.aclose_forcefully(stream)

    probe.network.set_handler("/meshsub/1.1.0", reset)
    await probe.network.dial(home.network.addresses[0])
    await trio.sleep(60)
    assert 3 < len(opened) < 20


async def test_who_was_cut_for_what_it_held_and_is_back_at_once_is_counted_again(
    hub: MemoryHub, swarm: Swarm, autojump_clock: MockClock
) -> None:
    """Its new connection is there before the end of the old one was seen: what is kept for the peer stays,
    and must not be kept without being counted."""
    home, leaf = await met(swarm)
    peer, budget = leaf.network.peer_id, home.network._memory
    home.network.account(peer).set(budget.size + 1)
    assert not leaf.network.connections(), "cut"
    link = MemoryLink(leaf.network, home.network)
    leaf.network._admit(link, Direction.OUTBOUND, home.network.addresses[0])
    home.network._admit(link, Direction.INBOUND, leaf.network.addresses[0])
    await trio.sleep(SOON)
    assert know(home, leaf)
    kept = home.service._states.get(peer)
    assert kept is not None
    home.service._states.note_half_read(kept, 1_000)
    assert budget.holders()[peer] >= 1_000
    await leaf.network.disconnect(home.network.peer_id)
    await until(lambda: not home.service.peers(), SOON)
    assert budget.holders()[peer] == budget.held == 0
