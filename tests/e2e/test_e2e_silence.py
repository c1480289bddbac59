"""Spies at every node, over TCP: does the end of a stem show who brought a post by being silent to it?

A guard with three clients ends all stems. A spy is connected to each of the four, is no router of ours, and
passes nothing on. Behind each post the spy at the guard publishes one of its own: a client that tells its spy
of that one, and has not told of the post before, was not pushed the post. The control is a guard that leaves
out whoever brought a post.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
import trio
from gossip_nodes import Probe, as_message
from gossip_real import LOOPBACK, until
from stem_nodes import StemNode, stem_node_on
from strategies import a_post

from p2pforum.core.post import Post
from p2pforum.gossip.effects import Effect
from p2pforum.gossip.wire.rpc import Message
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.stem.params import StemParams

pytestmark = pytest.mark.e2e

CLIENTS, EACH = 3, 2  #: posts of each client, under one key
ENDS = StemParams(diffuser=1.0, settle=1.0, hop_delay=0.1, fluff_delay=0.2, embargo=90.0)


@dataclass
class Town:
    guard: StemNode
    clients: list[StemNode]
    spies: list[Probe]  #: of the clients, in their order
    spy: Probe  #: of the guard


@asynccontextmanager
async def a_town() -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        nodes, spies = [], []
        for n in range(CLIENTS + 1):
            network = await stack.enter_async_context(open_libp2p_network([LOOPBACK]))
            nodes.append(await stack.enter_async_context(stem_node_on(network, f"node {n}", ENDS)))
        guard, *clients = nodes
        nursery = await stack.enter_async_context(trio.open_nursery())
        for node in nodes:
            spies.append(Probe(await stack.enter_async_context(open_libp2p_network()), nursery))
            await spies[-1].join_at(node.network.addresses[0])
        for client in clients:
            await client.dial(guard)
        await until(lambda: all(client.saved for client in clients))  # it has drawn its guard
        await until(lambda: all(len(node.gossip.peers()) == len(members(node)) for node in nodes))
        yield Town(guard, clients, spies[1:], spies[0])


def members(node: StemNode) -> list[str]:
    return [peer for peer, view in node.gossip.peers().items() if view.is_in_mesh]


def leave_out_bringers(node: StemNode) -> None:
    """The control."""
    brought: dict[bytes, set[str]] = defaultdict(set)
    take, push = node.stem.router.on_post, node.gossip._router._push

    def take_and_note(peer: str, post_id: bytes, raw: bytes, now: float) -> None:
        brought[raw].add(peer)
        take(peer, post_id, raw, now)

    def push_to_others(message: Message, senders: Container[str], now: float) -> Sequence[Effect]:
        return push(message, {*senders, *brought[message.data]}, now)

    node.stem.router.on_post = take_and_note  # type: ignore[method-assign]
    node.gossip._router._push = push_to_others  # type: ignore[method-assign,assignment]


async def silent(town: Town, post: Post, number: int) -> set[int]:
    """Clients that were not told of a post."""
    await until(lambda: town.guard.store.known([post.id]))
    marker = a_post(f"Of the spy {number}.", key=99)
    await town.spy.say(publish=(as_message(marker),))
    await until(lambda: all(marker.raw in spy.posts() for spy in town.spies))
    return {n for n, spy in enumerate(town.spies) if post.raw not in spy.posts()}


async def names(town: Town) -> dict[int, list[set[int]]]:
    """Of each client's posts, who was silent."""
    found = defaultdict(list)
    for author in [*range(CLIENTS)] * EACH:
        post = a_post(f"{author} {len(found[author])}", key=author + 1)
        await town.clients[author].publish(post)
        found[author].append(await silent(town, post, 10 * author + len(found[author])))
    return found


async def test_the_end_of_a_stem_is_silent_to_nobody() -> None:
    async with a_town() as town:
        assert await names(town) == {author: [set()] * EACH for author in range(CLIENTS)}
        for node in [town.guard, *town.clients]:
            assert len(node.public) == 2 * CLIENTS * EACH, "and all is with all"


async def test_control_where_bringers_are_left_out_silence_names_every_author() -> None:
    async with a_town() as town:
        leave_out_bringers(town.guard)
        assert await names(town) == {author: [{author}] * EACH for author in range(CLIENTS)}
