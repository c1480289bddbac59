"""Nodes on a memory network. A test that uses them asks for autojump_clock by name, too."""

from collections.abc import AsyncIterator
from random import Random

import pytest
from gossip_nodes import Node, Probe, a_node, a_probe
from trio.testing import MockClock

from p2pforum.network.memory_network import MemoryHub


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(Random(1), latency=(0.001, 0.02))


@pytest.fixture
async def node(hub: MemoryHub, autojump_clock: MockClock) -> AsyncIterator[Node]:
    async with a_node(hub, "node") as started:
        yield started


@pytest.fixture
async def probe(hub: MemoryHub, autojump_clock: MockClock) -> AsyncIterator[Probe]:
    async with a_probe(hub, "probe") as started:
        yield started


@pytest.fixture
async def friend(hub: MemoryHub, autojump_clock: MockClock) -> AsyncIterator[Node]:
    async with a_node(hub, "friend") as started:
        yield started
