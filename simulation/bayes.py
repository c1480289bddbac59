"""B and S: spies who know which node dialled which, the meshes and the latencies, and pool
all posts of a key.

B: from where does a stem come that ends at that node, or that was given to a spy there? The guard of a key is
unknown and the same for all its posts; the rest of a stem is a random walk. S: the same, and to which peers
the end of the stem did not push: times tell how well "pushed to all but this peer" fits.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.silence import Sighting, by_guard
from simulation.spread import JITTER, Telling
from simulation.world import World

_ENDS = 0.2  # the chance that a node ends stems
_STEPS = 30  # of a walk; 0.8^30 are 0.1 % of all
_NOISE = 1e-4  # chance of what the model leaves out (embargoes, loops, a wrong end)

Row = dict[int, float]


@dataclass
class Graph:
    """Where stems go, as spies estimate who know the graph."""

    world: World
    both_ways: bool = False  #: inbound peers are relays, too
    crowded: frozenset[int] = frozenset()  #: nodes that end all stems
    ways: list[Row] = field(init=False)  #: node -> peer -> chance that a stem goes there next
    visits: list[Row] = field(init=False)  #: guard -> honest node -> times that a stem comes by, unseen
    around: list[list[int]] = field(init=False)  #: node -> honest nodes from which stems come to it

    def __post_init__(self) -> None:
        self.ways = [self._ways(v) for v in range(self.world.size)]
        self.visits = [self._walk(v) for v in range(self.world.size)]
        self.around = [self._around(v) for v in range(self.world.size)]

    def _ways(self, v: int) -> Row:
        peers = set(self.world.dialled[v])
        if self.both_ways:
            peers |= {w for w in range(self.world.size) if v in self.world.dialled[w]}
        return dict.fromkeys(sorted(peers), (1 - self.ends(v)) / len(peers))

    def ends(self, v: int) -> float:
        """The chance that a node ends a stem."""
        return 1.0 if v in self.crowded else _ENDS

    def _walk(self, guard: int) -> Row:
        total: Row = defaultdict(float)
        now: Row = {} if guard in self.world.spies else {guard: 1.0}
        for _ in range(_STEPS):
            after: Row = defaultdict(float)
            for v, chance in now.items():
                total[v] += chance
                for w, way in self.ways[v].items():
                    if w not in self.world.spies:
                        after[w] += chance * way
            now = after
        return total

    def _around(self, v: int) -> list[int]:
        return [w for w in self.world.honest if v in self.ways[w]]

    def to_spies(self, v: int) -> float:
        return sum(chance for w, chance in self.ways[v].items() if w in self.world.spies)


@dataclass
class Watcher:
    """`silence`: S, else B."""

    graph: Graph
    silence: bool
    _detours: dict[tuple[int, int], float] = field(default_factory=dict)

    def name_all(self, posts: Sequence[Sighting]) -> dict[int, int | None]:
        """The node that the spies name for each key. (A key is given as its author.)"""
        keys: dict[int, list[Sighting]] = defaultdict(list)
        for post in posts:
            keys[post.author].append(post)
        return {key: self.name(own) for key, own in keys.items()}

    def name(self, posts: Sequence[Sighting]) -> int | None:
        """The node that the spies name as the author of one key's posts."""
        if (client := by_guard(posts)) is not None:
            return client
        world = self.graph.world
        likely = {(a, g): 0.0 for a in world.honest for g in world.dialled[a] if g not in world.spies}
        for post in posts:
            self._weigh(post, likely)
        sums: Row = defaultdict(float)
        most = max(likely.values())
        for (a, _), value in likely.items():
            sums[a] += math.exp(value - most)
        return max(sums, key=lambda a: sums[a])

    def _weigh(self, post: Sighting, likely: dict[tuple[int, int], float]) -> None:
        """Add the logarithm of this post's chance to each pair of author and guard."""
        if post.handed is not None:
            by_walk = self._handed(post.handed)
            direct: Row = {}
        else:
            by_walk, direct = self._published(post)
        for a, g in likely:
            likely[a, g] += math.log(by_walk.get(g, 0.0) + direct.get((a, g), 0.0) + _NOISE)

    def _handed(self, teller: int) -> Row:
        onward = self.graph.to_spies(teller)
        return {g: row.get(teller, 0.0) * onward for g, row in enumerate(self.graph.visits)}

    def _published(self, post: Sighting) -> tuple[Row, dict[tuple[int, int], float]]:
        """The chance by each guard, and by author and guard if the guard is the end."""
        by_walk: Row = defaultdict(float)
        direct: dict[tuple[int, int], float] = {}
        graph, end = self.graph, post.end
        if end is None:
            return by_walk, direct
        fits = self._fits(post.told, end)
        for b in graph.around[end]:
            chance = graph.ends(end) * graph.ways[b][end] * fits.get(b, 1.0)
            for g, row in enumerate(graph.visits):
                if b in row:
                    by_walk[g] += row[b] * chance
        for a in graph.world.honest:
            if end in graph.world.dialled[a]:
                direct[a, end] = graph.ends(end) * fits.get(a, 1.0)
        return by_walk, direct

    def _fits(self, told: dict[int, Telling], end: int) -> Row:
        """For each neighbour in the mesh of the end: how much better its time fits if the end left it out."""
        if not self.silence or end not in told:
            return {}
        found = {}
        for b in self.graph.world.mesh[end]:
            if b in told:
                way = self.graph.world.delay(end, b)
                took = told[b].first - told[end].first
                detour = self._detour(end, b)
                found[b] = _density(took - detour) / _density(took - min(way, detour))
        return found

    def _detour(self, end: int, b: int) -> float:
        """The quickest way, without their own connection."""
        if (end, b) not in self._detours:
            self._detours[end, b] = _quickest(self.graph.world, end, b)
        return self._detours[end, b]


def _quickest(world: World, start: int, goal: int) -> float:
    done: set[int] = set()
    queue = [(0.0, start)]
    while queue:
        when, v = heapq.heappop(queue)
        if v == goal:
            return when
        if v in done or v in world.spies:
            continue
        done.add(v)
        for w in world.mesh[v]:
            if (v, w) != (start, goal):
                heapq.heappush(queue, (when + JITTER + world.delay(v, w), w))
    return math.inf


def _density(off: float) -> float:
    """Student's t with three degrees of freedom, of the width of some hops' jitter."""
    x = (off - JITTER) / (1.5 * JITTER)
    return 1 / (1 + x * x / 3) ** 2
