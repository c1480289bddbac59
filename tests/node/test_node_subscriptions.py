"""What a node tells its peers of what it reads: nothing, whatever it is set to show."""

import re
from pathlib import Path
from random import Random

import pytest
import trio
from gossip_nodes import a_probe
from strategies import TEST_NETWORK
from trio.testing import MockClock

from p2pforum.config import Config
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node
from p2pforum.store.posts import open_store


async def test_every_protocol_and_the_topic_name_their_version(tmp_path: Path) -> None:
    async with MemoryHub(Random(1)).network("node") as network:
        with open_store(tmp_path, TEST_NETWORK) as store:
            node = Node(Config(network=TEST_NETWORK.name), store, network, Random(2))
            spoken = {*network._handlers, TEST_NETWORK.topic}
    assert node.gossip is not None
    assert len(spoken) == 5, "gossip, its topic, sync, stem, peers"
    for name in spoken:
        assert re.fullmatch(r"/?[a-z0-9./-]+/\d+(\.\d+\.\d+)?", name), name


async def said_to_a_new_peer(boards: tuple[str, ...], directory: Path) -> list[tuple[str, bool]]:
    """The subscriptions of the first RPC, in their order."""
    hub = MemoryHub(Random(1))
    config = Config(network=TEST_NETWORK.name, boards=boards)
    with open_store(directory, TEST_NETWORK) as store:
        async with (
            hub.network("node") as network,
            a_probe(hub, "probe") as probe,
            trio.open_nursery() as tasks,
        ):
            node = Node(config, store, network, Random(2))
            await tasks.start(node.gossip.run)
            await probe.network.dial(network.addresses[0])
            with trio.fail_after(60):
                while not probe.heard:
                    await trio.sleep(0.1)
            tasks.cancel_scope.cancel()
    return [(one.topic, one.subscribe) for one in probe.heard[0].subscriptions]


@pytest.mark.parametrize("boards", [(), ("library",), ("library", "general")])
async def test_every_node_joins_the_one_topic(
    tmp_path: Path, boards: tuple[str, ...], autojump_clock: MockClock
) -> None:
    said = await said_to_a_new_peer(boards, tmp_path)
    assert said == [(TEST_NETWORK.topic, True)]
