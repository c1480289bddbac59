"""`python -m simulation.scale [N …]`: what a network of N nodes delivers, how fast, for how many bytes. Ends
with 1 if a post did not reach every node where it should.

    python -m simulation.scale 100 1000 10000 --troubled 1000

Nodes come within ten seconds, dial eight others each, and settle; then nodes drawn by lot write posts of 500
bytes. First the growth, with own posts through the stem; then what goes wrong, by gossip alone.
"""

import argparse
import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from p2pforum.gossip.params import GossipParams
from simulation.swarm import Setting, Swarm

SMALLEST = "20 10 --troubled 20 --posts 2"

SETTLED = 25.0  # seconds after which the first post is written
PACE = 0.5  # seconds between two posts
POST = 500  # bytes: some fifty words with what a post needs to be one
AFTERWARDS = 5.0  # seconds for which what is public is still offered
MENDED = 0.995  # delivered by gossip alone, at least, when things go wrong
PATIENCE = 60 + 5 * 120.0  # seconds after which a stem that died has ended
QUIET = 10.0  # seconds, the last before the first post, in which bytes are those of an idle network

NO_OFFERS = GossipParams(gossip_beats=0)
TO_ALL = GossipParams(degree=64, degree_low=64, degree_high=64)  # more than any node has connections

Happening = Callable[[Swarm, Random], None]


@dataclass(frozen=True)
class Result:
    """Times in seconds, from publication and, with a stem, from writing; bytes for each node and post."""

    size: int
    posts: int
    delivered: float
    delays: Sequence[float]  #: sorted
    totals: Sequence[float]  #: the same from writing, sorted
    payload: float
    control: float
    stem: float
    busiest: float  #: bytes of all kinds that the busiest node sent for each post
    copies: float  #: of a message, that each node sent
    idle: float  #: bytes a second and node, before the first post
    degree: float
    expelled: int
    wall: float
    cpu: float
    memory: int  #: MiB, of the whole process at most

    @property
    def gossip(self) -> float:
        return self.payload + self.control

    def after(self, share: float) -> float:
        return quantile(self.delays, share)


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(
    setting: Setting,
    posts: int,
    seed: int = 1,
    happening: Happening | None = None,
    patience: float = PATIENCE,
) -> Result:
    """`happening` plans what goes wrong from the first post on. Ends early when every node has every post."""
    wall, cpu, rng = time.monotonic(), time.process_time(), Random(f"{setting.size} {seed}")
    swarm = Swarm(setting, rng)
    swarm.run(SETTLED - QUIET)
    gc.freeze()  # these objects stay: looking through them again and again takes as long as all the rest
    before = sum(swarm.control)
    swarm.run(SETTLED)
    idle = (sum(swarm.control) - before) / QUIET / setting.size
    swarm.reset()
    for n in range(posts):
        swarm.post(rng.randrange(setting.size), SETTLED + n * PACE, POST)
    if happening is not None:
        happening(swarm, rng)
    end = SETTLED + posts * PACE
    swarm.run(end)
    while swarm.now < end + patience and not all(spread.is_everywhere for spread in swarm.posts):
        swarm.run(swarm.now + 1)
    swarm.run(swarm.now + AFTERWARDS)
    gc.unfreeze()
    return _result(swarm, idle, time.monotonic() - wall, time.process_time() - cpu)


def _result(swarm: Swarm, idle: float, wall: float, cpu: float) -> Result:
    size, count = swarm.setting.size, len(swarm.posts)
    each = size * count
    public = [(spread, spread.public) for spread in swarm.posts if spread.public is not None]
    sent = map(sum, zip(swarm.payload, swarm.control, swarm.stem, strict=True))
    return Result(
        size=size,
        posts=count,
        delivered=sum(spread.holders for spread in swarm.posts) / each,
        delays=sorted(delay for spread in swarm.posts for delay in spread.delays),
        totals=sorted(public - s.written + delay for s, public in public for delay in s.delays),
        payload=sum(swarm.payload) / each,
        control=sum(swarm.control) / each,
        stem=sum(swarm.stem) / each,
        busiest=max(sent) / count,
        copies=swarm.copies / each,
        idle=idle,
        degree=statistics.mean(map(len, swarm.links)),
        expelled=swarm.expelled,
        wall=wall,
        cpu=cpu,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


# -- what goes wrong -----------------------------------------------------------------------------------


def churn(share: float) -> Happening:
    """So many of the nodes restart, and so many of all connections break, at random in ten seconds."""

    def happen(swarm: Swarm, rng: Random) -> None:
        size = swarm.setting.size
        for v in rng.sample(range(size), round(share * size)):
            swarm.at(SETTLED + 10 * rng.random(), swarm.restart, v)
        pairs = [(v, w) for v in range(size) for w in swarm.dialled[v]]
        for v, w in rng.sample(pairs, round(share * len(pairs))):
            swarm.at(SETTLED + 10 * rng.random(), swarm.drop, v, w)

    return happen


@dataclass(frozen=True)
class Trouble:
    name: str
    setting: Setting
    happening: Happening | None = None
    is_control: bool = False  #: not every post arrives, or it costs much

    def measure(self, posts: int) -> Result:
        return measure(self.setting, posts, happening=self.happening, patience=40.0)


def troubles(size: int) -> list[Trouble]:
    calm = Setting(size)
    return [
        Trouble("nothing", calm),
        Trouble("5 % of messages lost", replace(calm, loss=0.05)),
        Trouble("5 % of nodes are slow", replace(calm, slow=0.05)),
        Trouble("5 % restart, 5 % of links break", calm, churn(0.05)),
        Trouble("these three together", replace(calm, loss=0.05, slow=0.05), churn(0.05)),
        Trouble("half of all messages lost", replace(calm, loss=0.5)),
        Trouble("  without IHAVE (control)", replace(calm, loss=0.5, gossip=NO_OFFERS), is_control=True),
        Trouble("all to all peers (control)", replace(calm, gossip=TO_ALL), is_control=True),
    ]


# -- what is printed -----------------------------------------------------------------------------------

_DELAYS = "  50 %   90 %   99 %   last"
_GROWTH = (
    f"{'nodes':>7} {'delivered':>10} | s, public:{_DELAYS} | written: 50 %   99 % | "
    "bytes: posts control  stem busiest copies | idle B/s links | wall s  CPU s    MiB"
)
_TROUBLE = (
    f"{'':<33} {'delivered':>10} | s, public:{_DELAYS} | bytes: posts control  busiest copies | expelled"
)


def _delays(r: Result) -> str:
    return " ".join(f"{delay:>6.2f}" for delay in (*map(r.after, (0.5, 0.9, 0.99)), r.delays[-1]))


def _grown(r: Result) -> str:
    return (
        f"{r.size:>7} {r.delivered:>10.4%} |           {_delays(r)} | "
        f"{quantile(r.totals, 0.5):>13.1f} {quantile(r.totals, 0.99):>6.1f} | "
        f"{r.payload:>12.0f} {r.control:>7.0f} {r.stem:>5.0f} {r.busiest:>7.0f} {r.copies:>6.2f} | "
        f"{r.idle:>8.1f} {r.degree:>5.1f} | {r.wall:>6.0f} {r.cpu:>6.0f} {r.memory:>6}"
    )


def _troubled(name: str, r: Result) -> str:
    return (
        f"{name:<33} {r.delivered:>10.4%} |           {_delays(r)} | "
        f"{r.payload:>12.0f} {r.control:>7.0f} {r.busiest:>8.0f} {r.copies:>6.2f} | {r.expelled:>8}"
    )


def _growth(rows: Sequence[Result]) -> str:
    first, last = rows[0], rows[-1]
    return (
        f"From {first.size} to {last.size} nodes, times as much: median delay "
        f"{last.after(0.5) / first.after(0.5):.2f}, 99 % {last.after(0.99) / first.after(0.99):.2f}; "
        f"bytes of gossip for each node and post {last.gossip / first.gossip:.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the growth and the troubles. Returns 1 if too few posts arrived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=[100, 1_000, 10_000], metavar="N")
    parser.add_argument("--posts", type=int, default=40)
    parser.add_argument("--troubled", type=int, default=1_000, metavar="N", help="nodes when things go wrong")
    options = parser.parse_args(arguments)
    rows, complaints = [], []
    print("Bytes are those that a node sends for each post; the busiest node, the same.")
    print(_GROWTH)
    for size in sorted(options.sizes):
        rows.append(measure(Setting(size, hidden=True), options.posts))
        print(_grown(rows[-1]), flush=True)
    print(_growth(rows))
    print(f"\n{options.troubled} nodes, no stem, and no sync, which brings what is missing\n" + _TROUBLE)
    for trouble in troubles(options.troubled):
        result = trouble.measure(options.posts)
        print(_troubled(trouble.name, result), flush=True)
        if not trouble.is_control and result.delivered < MENDED:
            complaints.append(f"{trouble.name}: {result.delivered:.4%} delivered")
    complaints += [f"{row.size} nodes: {row.delivered:.4%} delivered" for row in rows if row.delivered < 1]
    print("\n".join(complaints) or "Every post reached everybody while nothing went wrong, and nearly then.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
