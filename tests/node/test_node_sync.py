"""`FrontDesk.sync`, as front ends ask for it: with peers that are there, refuse, and go away."""

from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
from strategies import HOUR, TEST_NETWORK, a_thread

from p2pforum import node as node_module
from p2pforum.config import Config
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.node import Node
from p2pforum.store.posts import open_store
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.payloads import Code, End

CONFIG = Config(network=TEST_NETWORK.name)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> MemoryHub:
    monkeypatch.setattr(node_module, "now_hours", lambda: HOUR)
    return MemoryHub(Random(1))


async def a_node(
    stack: AsyncExitStack, hub: MemoryHub, name: str, directory: Path
) -> tuple[Node, MemoryNetwork]:
    store = stack.enter_context(open_store(directory / name, TEST_NETWORK))
    network = await stack.enter_async_context(hub.network(name))
    return Node(CONFIG, store, network, Random(name)), network


async def one_that_is_busy(stack: AsyncExitStack, hub: MemoryHub, name: str) -> None:
    async def refuse(_peer: PeerID, stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.send_all(encode(End(Code.BUSY)))

    network = await stack.enter_async_context(hub.network(name))
    network.set_handler(TEST_NETWORK.sync_protocol, refuse)


async def one_that_goes_away(stack: AsyncExitStack, hub: MemoryHub, name: str) -> None:
    async def leave(_peer: PeerID, stream: trio.abc.Stream) -> None:
        await trio.aclose_forcefully(stream)

    network = await stack.enter_async_context(hub.network(name))
    network.set_handler(TEST_NETWORK.sync_protocol, leave)


async def test_each_peer_has_its_turn_and_its_ending(hub: MemoryHub, tmp_path: Path) -> None:
    thread, steps = a_thread(5), list[dict[str, Any]]()
    async with AsyncExitStack() as stack:
        node, network = await a_node(stack, hub, "me", tmp_path)
        other, _ = await a_node(stack, hub, "whole", tmp_path)
        other.store.add([(post, True) for post in thread])
        await one_that_is_busy(stack, hub, "busy")
        await one_that_goes_away(stack, hub, "gone")
        for name in ("gone", "busy", "whole"):
            await network.dial(f"/memory/{name}/p2p/{name}")
        result = await node.desk.sync("", steps.append)
        alone = await node.desk.sync("busy", steps.append)
    assert (result["peers"], result["done"], result["new"]) == (3, 1, 5)
    endings = {session["peer"]: session["outcome"] for session in result["sessions"]}
    assert endings == {"gone": "lost", "busy": "busy", "whole": "done"}
    assert (alone["peers"], alone["done"], alone["new"]) == (1, 0, 0)
    assert [session["outcome"] for session in alone["sessions"]] == ["busy"]
    assert max(step["new"] for step in steps) == 5
