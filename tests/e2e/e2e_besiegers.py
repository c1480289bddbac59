"""Ten hostile peers of one node, without any limit: e2e_besiegers.py ADDRESS HALF, in two processes.

Each sends as fast as it is read, and comes back under another name as soon as it was cut off. None has a
router of ours: they speak libp2p, and make each RPC by hand.
"""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "gossip"))
sys.path.append(str(Path(__file__).parents[1] / "node"))

from attackers import (
    Attack,
    Probe,
    forged,
    only_take,
    replay,
    send_junk,
    spam_grafts,
    spam_offers,
    spam_wants,
)
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, P2PForumError
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import encode_rpc
from p2pforum.network.libp2p_network import open_libp2p_network

_LOST = (NetworkError, trio.BrokenResourceError, trio.ClosedResourceError, P2PForumError, OSError)


def attackers() -> list[Sequence[Attack]]:
    """What each does, in turns. Most forge, as that costs nothing: by these the control loses posts."""
    old, early = this_hour() - limits.GOSSIP_PAST_HOURS - 1, this_hour() + 30
    hours = [old] * 6 + [early] * 2
    forgers = [[forged(a_post("", subject="", key=n + 1, hour=hour))] for n, hour in enumerate(hours)]
    return [*forgers, [only_take, spam_wants, replay], [send_junk, spam_grafts, spam_offers]]


async def besiege(address: str, attacks: Sequence[Attack]) -> None:
    turns = itertools.cycle(attacks)
    while True:
        try:
            async with open_libp2p_network() as network, trio.open_nursery() as nursery:
                probe = Probe(network, nursery)
                await probe.join_at(address)
                await _attack(probe, next(turns))
        except* _LOST:
            pass
        await trio.sleep(0.05)


async def _attack(probe: Probe, attack: Attack) -> None:
    """Until it is cut off, or some thousand RPCs have been sent."""
    for n in range(1, 3_000):
        if not probe.is_connected:
            return
        if rpc := attack(probe, n):
            await probe.send(frame(encode_rpc(rpc)))
        await trio.sleep(0 if rpc else 0.05)


async def main(address: str, half: str) -> None:
    async with trio.open_nursery() as nursery:
        for attacks in attackers()[int(half) :: 2]:
            nursery.start_soon(besiege, address, attacks)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
