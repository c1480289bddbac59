"""Strangers storm a real node with frames that carry nothing: how many it works on, and honest posts too.

The strangers speak Noise and Yamux by hand, and no protocol beyond them. The control is a node without the
budget (see odd_node.py).
"""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from e2e_floods import LOST, OddNode, arrived, nodes, say

from p2pforum.cli.demo_nodes import wait_for_mesh
from p2pforum.core.address import parse_peer
from p2pforum.core.limits import FRAMES_BURST, FRAMES_PER_SECOND, KIB
from p2pforum.network.interface import PeerID
from p2pforum.network.libp2p_noise import Identity
from p2pforum.network.libp2p_upgrade import connect
from p2pforum.network.yamux_frames import ACK, PING, SYN, YamuxFrameReader, header

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("measures")]

STRANGERS, FRAMES, POSTS = 4, 30_000, 5
AT_ONCE = 64 * KIB // 12  # frames that one read may bring


@dataclass
class Storm:
    """`worked`: pings of all strangers that were answered."""

    worked: int = 0

    async def rage(self, address: str) -> None:
        target = parse_peer(address)
        channel = await connect(target, Identity.create(), PeerID(target.peer or ""))
        async with channel, trio.open_nursery() as nursery:
            nursery.start_soon(self._count, channel)
            for _ in range(FRAMES // 1_000):
                await channel.send_all(header(PING, SYN, 0, 7) * 1_000)

    async def _count(self, channel: trio.abc.ReceiveStream) -> None:
        reader = YamuxFrameReader(64 * KIB)
        try:
            while part := await channel.receive_some(64 * KIB):
                found = reader.feed(bytes(part))
                self.worked += sum(f.kind == PING and f.flags == ACK for f in found)
        except* LOST:
            pass


async def worked(directory: Path, kind: str) -> tuple[int, float]:
    """Frames of each stranger, and in how many seconds: until honest posts have come and, in the control, all
    frames have been answered."""
    with nodes(directory, [kind, "plain"]) as (node, friend):
        node.start()
        friend.start(node.address())
        wait_for_mesh([node, friend])
        storm, began = Storm(), time.monotonic()
        async with trio.open_nursery() as nursery:
            for _ in range(STRANGERS):
                nursery.start_soon(storm.rage, node.address())
            while storm.worked < STRANGERS * FRAMES_BURST // 2:
                await trio.sleep(0.05)
            assert await trio.to_thread.run_sync(delivered, node, friend) == [POSTS, POSTS]
            while kind != "plain" and storm.worked < STRANGERS * FRAMES:
                await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
        return storm.worked // STRANGERS, time.monotonic() - began


def delivered(node: OddNode, friend: OddNode) -> list[int]:
    return [arrived(to, say(by, POSTS, 0.1)) for by, to in ((node, friend), (friend, node))]


async def test_a_storm_of_empty_frames_costs_a_bounded_amount_of_work(tmp_path: Path) -> None:
    count, seconds = await worked(tmp_path, "plain")
    print(f"{count} of {FRAMES} frames of each in {seconds:.1f} s")
    assert count < min(FRAMES, FRAMES_BURST + AT_ONCE + (seconds + 1) * FRAMES_PER_SECOND)


async def test_control_without_the_budget_all_are_worked_on(tmp_path: Path) -> None:
    count, seconds = await worked(tmp_path, "unbudgeted")
    print(f"{count} of {FRAMES} frames of each in {seconds:.1f} s")
    assert count >= FRAMES
