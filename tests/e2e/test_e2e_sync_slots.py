"""Strangers that hold all sync sessions of a node, over TCP, and somebody new who wants its posts."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio
from e2e_filled import PARAMS, fill, written
from e2e_nodes import CONFIG, DemoNode
from trickling import hold_sessions

from p2pforum.core import limits
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.sync import params

pytestmark = pytest.mark.e2e


class SparesAll(DemoNode):
    def _command(self, *arguments: str) -> list[str]:
        script = str(Path(__file__).parent / "node_that_spares_all.py")
        return [sys.executable, script, "--home", str(self._home), *arguments]


async def what_a_newcomer_gets(directory: Path, kind: type[DemoNode]) -> dict[str, Any]:
    """The result of its sync with a node all of whose sessions have been held for a while."""
    with (
        kind("victim", directory / "victim", CONFIG) as victim,
        DemoNode("new", directory / "new", CONFIG) as new,
    ):
        fill([victim], written("mine", 300))
        for node in (victim, new):
            node.start()
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())
            for _ in range(limits.MAX_SYNC_INBOUND):
                stranger = await stack.enter_async_context(open_libp2p_network())
                peer = await stranger.dial(victim.address())
                nursery.start_soon(_hold, stranger, peer)
            await trio.sleep(params.SAFE_SECONDS)
            result = await trio.to_thread.run_sync(_sync, new, victim.address())
            nursery.cancel_scope.cancel()
    return result


async def _hold(stranger: Any, peer: Any) -> None:
    await hold_sessions(stranger, peer, PARAMS.sync_protocol)


def _sync(node: DemoNode, address: str) -> dict[str, Any]:
    (*_, last) = node.node.sync(address)
    result: dict[str, Any] = last["result"]
    return result


async def test_a_newcomer_syncs_beside_sixteen_peers_that_hold_all_sessions(tmp_path: Path) -> None:
    result = await what_a_newcomer_gets(tmp_path, DemoNode)
    assert (result["done"], result["new"]) == (1, 300)


async def test_control_if_no_session_is_spared_it_gets_nothing(tmp_path: Path) -> None:
    result = await what_a_newcomer_gets(tmp_path, SparesAll)
    assert (result["done"], result["new"]) == (0, 0)
    assert [session["outcome"] for session in result["sessions"]] == ["busy"]
