"""Nodes of either kind, for the tests that both must pass."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from random import Random

import pytest
import trio
from network_tools import Start

from p2pforum.network.interface import Network
from p2pforum.network.memory_network import MemoryHub

KINDS = ["memory", "lockstep", pytest.param("libp2p", marks=pytest.mark.e2e)]


@pytest.fixture(params=KINDS)
async def start(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Call it to start one more node; they all stop at the end of the test."""
    hub = MemoryHub(Random(1), buffer=0 if request.param == "lockstep" else 64 * 1024)
    names = iter(range(1000))

    def open_network(listening: bool) -> AbstractAsyncContextManager[Network]:
        if request.param != "libp2p":
            return hub.network(f"node{next(names)}", listening=listening)
        from p2pforum.network.libp2p_network import open_libp2p_network

        return open_libp2p_network(["/ip4/127.0.0.1/tcp/0"] if listening else [])

    async def run(listening: bool, task_status: trio.TaskStatus[Network]) -> None:
        async with open_network(listening) as network:
            task_status.started(network)
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:

        async def start_one(*, listening: bool = True) -> Network:
            return await nursery.start(run, listening)

        yield start_one
        nursery.cancel_scope.cancel()
