"""What a running node says of itself and its peers is what docs/json/ says."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import trio
from cli_schemas import SCHEMAS, faults
from gossip_nodes import a_probe
from strategies import HOUR, TEST_NETWORK

from p2pforum.config import Config
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node
from p2pforum.store.posts import open_store

GONE = "/memory/gone/p2p/gone"
CONFIG = Config(network=TEST_NETWORK.name, retention_days=7, peers=(GONE,))


async def wired(value: object, schema: str) -> list[str]:
    await trio.lowlevel.checkpoint()
    return faults(json.loads(json.dumps(value)), SCHEMAS[schema], schema)


@pytest.fixture(params=[True, False], ids=["takes part in all", "takes part in little"])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Node, MemoryHub]]:
    hub = MemoryHub(Random(1))
    config = replace(CONFIG, exchange=request.param)
    with open_store(tmp_path / "data", TEST_NETWORK) as store:
        async with hub.network("node") as network, trio.open_nursery() as nursery:
            made = Node(config, store, network, Random(2))
            await nursery.start(made.run)
            yield made, hub
            nursery.cancel_scope.cancel()


async def test_status_and_peers(node: tuple[Node, MemoryHub]) -> None:
    made, hub = node
    assert await wired(made.desk.status(), "node") == []
    async with a_probe(hub, "peer") as probe:
        await probe.join_at(made.desk.status()["addresses"][0])
        await made.gossip.wait_for_taker()
        made.clocks.note("peer", HOUR + 1, dialled=True)
        status, peers = made.desk.status(), made.desk.peers()
    assert await wired(status, "node") == []
    assert (status["peers"], status["clock"]["peers_ahead"]) == (1, 1)
    assert {peer["address"] if peer["peer"] is None else peer["peer"] for peer in peers} == {GONE, "peer"}
    for peer in peers:
        assert await wired(peer, "peer") == []
        assert (peer["gossip"] is None) == (peer["peer"] is None)


async def test_what_is_wrong_is_told(node: tuple[Node, MemoryHub]) -> None:
    made, _ = node
    with trio.fail_after(20):
        while not (gone := made.desk.peers()[0])["error"]:
            await trio.sleep(0.01)
    assert (gone["address"], await wired(gone, "peer")) == (GONE, [])
    assert made.desk.status()["clock"]["problem"] is None
    made.clocks.note("peer", HOUR + 100, dialled=True)
    status = made.desk.status()
    assert (status["clock"]["problem"], await wired(status, "node")) == (made.times.problem(), [])
    assert status["clock"]["problem"]


async def test_the_check_can_fail(node: tuple[Node, MemoryHub]) -> None:
    status = node[0].desk.status()
    assert await wired({**status, "gossip": {"sent": 1.5}}, "node")
    assert await wired({**status, "stem": {}}, "node")
