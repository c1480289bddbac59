"""T3: thirty nodes of real code (stem, gossip, door) under a virtual clock, three of which spy."""

from contextlib import AsyncExitStack
from random import Random

import pytest
import trio
from stem_nodes import StemNode, a_stem_node
from strategies import a_post

from p2pforum.network.memory_network import MemoryHub
from simulation.guess import most_by_chance

pytestmark = pytest.mark.slow

NODES, SPIES, DIALLED = 30, 3, 4


async def right_guesses(seed: int, *, openly: bool) -> tuple[int, int]:
    """Every honest node posts once; how many authors the spies name, by who told one of them first."""
    rng = Random(seed)
    hub = MemoryHub(rng, latency=(0.02, 0.15))
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(a_stem_node(hub, f"{seed}-{n}")) for n in range(NODES)]
        for node in nodes:
            for other in rng.sample([n for n in nodes if n is not node], DIALLED):
                await node.dial(other)
        await trio.sleep(30)
        spies = nodes[:SPIES]
        seen: dict[bytes, str] = {}
        for spy in spies:
            spy.spy(seen)
        authors: dict[bytes, str] = {}
        for node in nodes[SPIES:]:
            post = a_post(f"By a node: {node.name}.")
            authors[post.raw] = node.name
            await (node.publish_openly(post) if openly else node.publish(post))
            await trio.sleep(rng.uniform(2, 6))
        await trio.sleep(60 + 3 * 120)
        _all_have_all(nodes, len(authors))
        return sum(seen.get(raw) == author for raw, author in authors.items()), len(authors)


def _all_have_all(nodes: list[StemNode], count: int) -> None:
    assert {len(node.public) for node in nodes} == {count}


async def test_three_spies_of_thirty_name_no_more_authors_than_by_chance(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hidden = [await right_guesses(seed, openly=False) for seed in (1, 2)]
    right, posts = (sum(column) for column in zip(*hidden, strict=True))
    assert right <= most_by_chance(0.15, posts)


async def test_the_control_publishing_openly_names_many(autojump_clock: trio.testing.MockClock) -> None:
    named = [await right_guesses(seed, openly=True) for seed in range(1, 6)]
    right, posts = (sum(column) for column in zip(*named, strict=True))
    assert right > most_by_chance(0.15, posts)
