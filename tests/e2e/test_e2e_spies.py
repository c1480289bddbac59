"""T3 over real libp2p: thirty hosts in one process, three of which spy, in real time."""

from contextlib import AsyncExitStack
from random import Random

import pytest
import trio
from stem_nodes import StemNode, stem_node_on
from strategies import a_post

from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.stem.params import StemParams
from simulation.guess import most_by_chance

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

NODES, SPIES, DIALLED = 30, 3, 4
QUICK = StemParams(settle=2.0, hop_delay=0.2, fluff_delay=0.5, embargo=10.0, embargo_mean=15.0)


async def right_guesses(seed: int, *, openly: bool) -> tuple[int, int]:
    """Every honest node posts once; how many authors the spies name, by who told one of them first."""
    rng = Random(seed)
    async with AsyncExitStack() as stack:
        nodes: list[StemNode] = []
        for n in range(NODES):
            network = await stack.enter_async_context(open_libp2p_network(["/ip4/127.0.0.1/tcp/0"]))
            nodes.append(await stack.enter_async_context(stem_node_on(network, f"{seed}-{n}", QUICK)))
        for node in nodes:
            for other in rng.sample([n for n in nodes if n is not node], DIALLED):
                await node.dial(other)
        with trio.fail_after(60):
            while not all(n.gossip.statistics().mesh_peers >= 4 and n.saved for n in nodes):
                await trio.sleep(0.2)
        seen: dict[bytes, str] = {}
        for spy in nodes[:SPIES]:
            spy.spy(seen)
        authors: dict[bytes, str] = {}
        for node in nodes[SPIES:]:
            post = a_post(f"By a node: {node.name}.")
            authors[post.raw] = node.network.peer_id
            await (node.publish_openly(post) if openly else node.publish(post))
            await trio.sleep(0.1)
        with trio.fail_after(200):
            while any(len(node.public) < len(authors) for node in nodes):
                await trio.sleep(0.5)
        return sum(seen.get(raw) == author for raw, author in authors.items()), len(authors)


async def test_three_spies_of_thirty_name_no_more_authors_than_by_chance() -> None:
    right, posts = await right_guesses(1, openly=False)
    print(f"{right} of {posts} authors named")
    assert right <= most_by_chance(0.15, posts)


async def test_the_control_publishing_openly_names_many() -> None:
    named = [await right_guesses(seed, openly=True) for seed in range(1, 5)]
    right, posts = (sum(column) for column in zip(*named, strict=True))
    print(f"{right} of {posts} authors named")
    assert right > most_by_chance(0.15, posts)
