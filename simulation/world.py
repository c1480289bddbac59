"""A network: which node dialled which, how long links take, which nodes spy, and how gossip spreads.

Gossip is a model here, not the node's Router: each node pushes over six to twelve of its connections (its
mesh), every message takes the fastest way, each link has its latency. So a thousand nodes may write fifty
thousand posts in minutes; `privacy.by_routers` compares it with the real Router.
"""

import heapq
import math
from dataclasses import dataclass, field
from random import Random

from p2pforum.stem.params import GuardParams

OUTBOUND = 8  # connections that a node makes
MESH, MESH_MOST = 6, 12  # of gossip/params.py
NEAREST, USUAL, SPREAD = 0.02, 0.06, 0.5  # seconds, one way, of a link: the least, and a lognormal median
HOP = 0.01  # seconds from a post's arrival until it leaves: reading, the door's transaction, writing
ONE_KEY = GuardParams(slots=1)  # for a simulation in which each author has one key, and so one guard
HOUR = 498_000  # of the clock, in hours since 1970: any


def draw_latency(rng: Random) -> float:
    """Of one link, in seconds."""
    return NEAREST + rng.lognormvariate(math.log(USUAL), SPREAD)


@dataclass
class World:
    """Nodes are 0 … size-1; `dialled[v]` are those that v dialled."""

    size: int
    spies: frozenset[int]
    dialled: list[list[int]]
    latency: dict[tuple[int, int], float]
    mesh: list[list[int]]
    paths: dict[tuple[int, frozenset[int]], tuple[float, int]] = field(default_factory=dict)  #: see first_spy

    @property
    def honest(self) -> list[int]:
        return [v for v in range(self.size) if v not in self.spies]

    def delay(self, a: int, b: int) -> float:
        return self.latency[min(a, b), max(a, b)]


def make_world(size: int, share: float, rng: Random, *, reach: float = 0.0) -> World:
    """`share` of the nodes spy, and behave like all others. With `reach`, each spy dials that part of all
    nodes, and joins every mesh that takes it.
    """
    spies = frozenset(rng.sample(range(size), round(share * size)))
    dialled = [rng.sample([w for w in range(size) if w != v], min(OUTBOUND, size - 1)) for v in range(size)]
    for spy in sorted(spies) if reach else ():
        others = [w for w in range(size) if w != spy]
        dialled[spy] = rng.sample(others, min(len(others), max(OUTBOUND, round(reach * size))))
    links = {(min(v, w), max(v, w)) for v, row in enumerate(dialled) for w in row}
    latency = {link: HOP + draw_latency(rng) for link in sorted(links)}
    world = World(size, spies, dialled, latency, _draw_mesh(size, sorted(links), rng))
    if reach:
        _crowd_in(world)
    return world


def _draw_mesh(size: int, links: list[tuple[int, int]], rng: Random) -> list[list[int]]:
    """As gossip/mesh.py does when nodes join one by one: graft up to six, and accept up to twelve."""
    known: list[list[int]] = [[] for _ in range(size)]
    for a, b in links:
        known[a].append(b)
        known[b].append(a)
    mesh: list[list[int]] = [[] for _ in range(size)]
    for v in rng.sample(range(size), size):
        for w in rng.sample(known[v], len(known[v])):
            if len(mesh[v]) >= MESH:
                break
            if w not in mesh[v] and len(mesh[w]) < MESH_MOST:
                mesh[v].append(w)
                mesh[w].append(v)
    return mesh


def _crowd_in(world: World) -> None:
    for spy in sorted(world.spies):
        for w in world.dialled[spy]:
            if w not in world.mesh[spy] and len(world.mesh[w]) < MESH_MOST:
                world.mesh[spy].append(w)
                world.mesh[w].append(spy)


def first_spy(world: World, source: int, but: frozenset[int] = frozenset()) -> tuple[float, int]:
    """How many seconds gossip from this node takes to the first spy, and which node tells that spy.

    The node offers the post to those in `but` at a heartbeat, so at the earliest now, and
    they ask for it: three ways.
    """
    key = (source, but.intersection(world.mesh[source]))
    if key not in world.paths:
        world.paths[key] = _search(world, *key)
    return world.paths[key]


def _search(world: World, source: int, but: frozenset[int]) -> tuple[float, int]:
    done: set[int] = set()
    queue = [(0.0, source, -1)]
    while queue:
        time, v, teller = heapq.heappop(queue)
        if v in done:
            continue
        if v in world.spies and v != source:
            return time, teller
        done.add(v)
        for w in world.mesh[v]:
            ways = 3 if v == source and w in but else 1
            heapq.heappush(queue, (time + ways * world.delay(v, w), w, v))
    return float("inf"), -1
