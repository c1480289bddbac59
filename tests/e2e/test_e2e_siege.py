"""A real node with 22 peers, ten of them hostile and without limits: what its honest peers say arrives.

All that honest peers say goes through that node: they know nobody else. The control is a node without the
defences (see odd_node.py).
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
import trio
from e2e_floods import CONFIG, IN_TIME, OddNode, attackers
from gossip_real import RealNode, real_node, until
from strategies import TEST_NETWORK, a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.post import Post

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("measures")]

HONEST, POSTS = 12, 25


@dataclass
class Siege:
    """`arrived`: of the posts, how many were at each node in time; the besieged one is the last."""

    arrived: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)  #: of honest peers at the besieged node
    expelled: int = 0

    @property
    def delivered(self) -> float:
        return sum(self.arrived) / (POSTS * len(self.arrived))


async def besieged(directory: Path, kind: str) -> Siege:
    with OddNode("victim", directory / "victim", CONFIG.replace("test.e2e", TEST_NETWORK.name)) as victim:
        victim.kind = kind
        victim.start()
        async with AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(real_node(this_hour)) for _ in range(HONEST)]
            for peer in peers:
                await peer.network.dial(victim.address())
            await until(lambda: all(peer.service.has_taker for peer in peers))
            script = Path(__file__).with_name("e2e_besiegers.py")
            with attackers(victim.address(), 0, script=script), attackers(victim.address(), 1, script=script):
                await until(lambda: victim.node.status()["gossip"]["received"] > 2_000)
                return await say(victim, peers)


async def say(victim: OddNode, peers: Sequence[RealNode]) -> Siege:
    rng, siege = Random(1), Siege([0] * (HONEST + 1))

    async def watch(post: Post) -> None:
        holders = [lambda peer=peer: peer.holds(post) for peer in peers] + [lambda: victim.holds(post)]
        with trio.move_on_after(IN_TIME):
            while not all(holds() for holds in holders):
                await trio.sleep(0.1)
        siege.arrived = [had + holds() for had, holds in zip(siege.arrived, holders, strict=True)]

    async with trio.open_nursery() as nursery:
        for n in range(POSTS):
            post = a_post(f"Honest {n}.", hour=this_hour())
            await rng.choice(peers).publish(post)
            nursery.start_soon(watch, post)
            await trio.sleep(0.1)
    honest = {peer.peer_id for peer in peers}
    rows = [row for row in victim.node.peers() if row["peer"] in honest and row["gossip"]]
    siege.scores = [row["gossip"]["score"] for row in rows]
    counts = victim.node.status()["gossip"]
    siege.expelled = int(counts["expelled"])
    print(
        f"{siege.delivered:.2%} in {IN_TIME} s, {siege.expelled} of {counts['received']} posts' senders cut"
    )
    return siege


async def test_ten_of_22_peers_without_limits_hold_up_no_post(tmp_path: Path) -> None:
    siege = await besieged(tmp_path, "plain")
    assert siege.delivered >= 0.99
    assert len(siege.scores) == HONEST, "none was cut"
    assert min(siege.scores) >= 0
    assert siege.expelled > 10


async def test_control_without_the_limits_they_hold_up_many(tmp_path: Path) -> None:
    assert (await besieged(tmp_path, "naive")).delivered < 0.9
