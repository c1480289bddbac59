"""`python -m simulation.load [N]`: what a node pays when ten thousand, a hundred thousand or a million people
write five posts a day each; with one topic that all carry, and with k of 64 topics carried.

    python -m simulation.load 10000

Bytes and copies for each post are measured in a network of N nodes by `simulation.scale`, and do not depend
on its size (`docs/ARCHITECTURE.md`, "How it grows"); the rest is multiplied from them, from `docs/STORE.md`
and from `docs/PROTOCOL.md`, section 10. Received is what others sent: the same, on average. Also measured is
what partition takes from the mesh: nodes that find too few peers in a topic lose posts.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from simulation.scale import Result, churn, measure
from simulation.swarm import Setting
from simulation.world import OUTBOUND

SMALLEST = "20 --posts 2 --thin 10"

PEOPLE = (10_000, 100_000, 1_000_000)
POSTS = 5  # a day, by each
TOPICS = 64
CARRIED = (4, 8, 16)  # topics by lot; the control of the table is all of them
READ = 4  # topics of the boards that the user reads
DAY = 86_400
SEEDS = (1, 2, 3)
PEAK = 3  # the busiest hour of a day against the average: a guess

STEM = 82_000  # bytes in the whole network that carry a post to where it becomes public (PROTOCOL 10)
INGEST = 285e-6  # s of CPU: signature, decoding, SQLite 145 us, stamp 140 us (STORE, "What bounds ingest")
KEPT = 1_060  # bytes of disk: 933 for a post of 373 (STORE, "Tables"), and 127 more of text
WRITTEN = (
    5.4 + 2.6
) * 4_096  # bytes to the disk: pages of the log and the database (STORE, the last two days)


def share(carried: int) -> float:
    """Of all posts, the share that a node takes in: in topics carried by lot, and in those it
    reads beside them.
    """
    return (carried + READ * (1 - carried / TOPICS)) / TOPICS


@dataclass(frozen=True)
class Day:
    """What one node pays on one day. Bytes are those it sends, and it receives as many."""

    sent: float
    cpu: float  #: s
    kept: float  #: bytes more on the disk
    written: float  #: bytes that the disk writes

    @property
    def rate(self) -> float:
        """bit/s each way, on average."""
        return self.sent * 8 / DAY

    @property
    def quota_days(self) -> float:
        """Days that the quota of the default configuration holds."""
        return limits.QUOTA / self.kept


def day(people: int, part: float, measured: Result) -> Day:
    """The cost of a day to a node that takes in `part` of all posts."""
    posts = people * POSTS * part
    router = measured.cpu / measured.size / measured.posts  # of the whole simulation: an upper bound
    return Day(
        posts * measured.gossip + POSTS * STEM, posts * (INGEST + router), posts * KEPT, posts * WRITTEN
    )


_HEAD = (
    f"{'people':>9} {'carried':>9} {'of all':>7} | {'sent MB/day':>11} {'kbit/s':>8} {'peak':>8} | "
    f"{'CPU s/day':>9} | {'kept MB/day':>11} {'written GB/day':>14} {'quota lasts':>11}"
)


def _row(people: int, name: str, part: float, paid: Day) -> str:
    kbits = paid.rate / 1e3
    return (
        f"{people:>9} {name:>9} {part:>7.1%} | {paid.sent / 1e6:>11.0f} {kbits:>8.1f} {PEAK * kbits:>8.1f} | "
        f"{paid.cpu:>9.0f} | {paid.kept / 1e6:>11.1f} {paid.written / 1e9:>14.1f} {paid.quota_days:>8.1f} d"
    )


def _print_days(measured: Result) -> None:
    print(_HEAD)
    for people in PEOPLE:
        print(_row(people, "all", 1.0, day(people, 1.0, measured)))
        for carried in CARRIED:
            part = share(carried)
            print(_row(people, f"{carried} of {TOPICS}", part, day(people, part, measured)))


def thin(size: int, posts: int, dials: int) -> tuple[Result, float]:
    """One topic among `size` nodes that carry it, each of which dialled so few others that do. Returns a calm
    run, and the delivered share in the worst of six runs, half of them with restarts and broken links.
    """
    runs = [
        measure(Setting(size, dials=dials), posts, seed, happening, patience=20.0)
        for seed in SEEDS
        for happening in (None, churn(0.05))
    ]
    return runs[0], min(run.delivered for run in runs)


def _print_meshes(size: int, posts: int) -> None:
    print(f"\nOne topic among {size} nodes that carry it; delivered is the worst of {2 * len(SEEDS)} runs")
    needed = ", ".join(map(str, CARRIED))
    print(f"{'dialled':>7} {'peers':>6} | {'delivered':>10} {'copies':>7} | connections needed: k = {needed}")
    for dials in (1, 2, 3, OUTBOUND):
        calm, worst = thin(size, posts, dials)
        needed = "  ".join(f"{calm.degree * TOPICS / carried:>5.0f}" for carried in CARRIED)
        print(f"{dials:>7} {calm.degree:>6.1f} | {worst:>10.3%} {calm.copies:>7.2f} | {needed}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, then print the two tables. Returns 1 if a post did not reach every node."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("size", type=int, nargs="?", default=1_000, metavar="N")
    parser.add_argument("--posts", type=int, default=20)
    parser.add_argument("--thin", type=int, default=300, metavar="N", help="nodes that carry one topic")
    options = parser.parse_args(arguments)
    measured = measure(Setting(options.size), options.posts)
    print(
        f"{measured.size} nodes, {measured.posts} posts: {measured.payload:.0f} bytes of posts and "
        f"{measured.control:.0f} of control sent by each for each, {measured.copies:.2f} copies, "
        f"{measured.cpu / measured.size / measured.posts * 1e6:.0f} us of CPU, "
        f"{measured.delivered:.2%} delivered"
    )
    _print_days(measured)
    _print_meshes(options.thin, options.posts)
    return 0 if measured.delivered == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
