"""When gossip brings a post to each node, and when each node tells the spies: what stronger spies use.

As in world.py, but every hop of every post takes a random time more, and spies pass nothing on: they are in
many meshes, hear which node tells them when, and subtract each link's latency.
"""

import heapq
from dataclasses import dataclass
from random import Random

from simulation.world import World

JITTER = 0.01  # seconds that each hop of each post takes more, on average: threads, disks, queues


@dataclass(frozen=True)
class Push:
    """How gossip pushes, in the variants that are compared."""

    exempting: bool = False  #: the end of a stem does not push to the peers that brought the post
    end_hold: float = 0.0  #: seconds, at most, that the end of a stem lets each peer wait, drawn for each


@dataclass(frozen=True)
class Telling:
    """What spies hear of one post from one node: when first (less latency), and how far apart its pushes to
    several spies are. In seconds.
    """

    first: float
    apart: float


def tell(world: World, end: int, bringers: frozenset[int], push: Push, rng: Random) -> dict[int, Telling]:
    """One post that `end` publishes at time 0: what each honest node that pushes to spies tells them."""
    but = bringers if push.exempting else frozenset()
    had: dict[int, float] = {}
    told: dict[int, Telling] = {}
    queue = [(0.0, end)]
    while queue:
        when, v = heapq.heappop(queue)
        if v in had:
            continue
        had[v] = when
        hold = push.end_hold if v == end else 0.0
        heard = []
        for w in world.mesh[v]:
            at = when + (rng.random() * hold if hold else 0.0) + rng.expovariate(1 / JITTER)
            if w in world.spies:
                heard.append(at)
            elif w not in had and not (v == end and w in but):
                heapq.heappush(queue, (at + world.delay(v, w), w))
        if heard:
            told[v] = Telling(min(heard), max(heard) - min(heard))
    return told
