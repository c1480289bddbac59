"""`python -m simulation.online`: spies who see which nodes come and go, and when a post becomes public.

Some posts waited while their author's node was off, others were written while it was there. How often is that
node the spies' first guess among all? A model: 60 % of nodes are there for four hours a day, 20 % for ten, 20
% always, at hours of their own that shift by half an hour; the author is one of the first kind. Spies know
the habits, how posts are held, and a part `seen` of the nodes: those that dialled one of them.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from p2pforum.core import limits

SMALLEST = "--sizes 20 --seen 1 --backlogs 1 --runs 2"

HOURS = 3_600.0
DAY = 24 * HOURS
DAYS = 4  # between two backlogs of one author
WRITTEN_OFF = 0.5  # of all posts, as spies reckon, were written while the author's node was off
NEVER = 1e-6  # the weight of a node that was not there, or that no spy saw


@dataclass(frozen=True)
class Hold:
    """A time drawn from zero to `most` seconds, after some for the first connection; drawn
    anew at each start.
    """

    most: float
    joining: float = 5.0

    def draw(self, length: float, rng: Random) -> float:
        """Seconds after a session of that length began."""
        return rng.uniform(0, self.joining) + rng.uniform(0, self.most)

    def density(self, since: float) -> float:
        """The density of posts that become public so long after a node came, as the spies reckon."""
        span = self.most + self.joining
        return 1 / span if 0 <= since <= span else 0.0


@dataclass(frozen=True)
class Habit:
    start: float  # second of the day
    length: float
    seen: bool

    def session(self, day: int, rng: Random) -> tuple[float, float]:
        begin = day * DAY + self.start + rng.uniform(-0.5, 0.5) * HOURS
        return begin, begin + self.length


def draw_habits(count: int, seen: float, rng: Random) -> list[Habit]:
    def one(n: int) -> Habit:
        length = (4 if n < 0.6 * count else 10 if n < 0.8 * count else 24) * HOURS
        return Habit(rng.random() * DAY, length, rng.random() < seen)

    return [one(n) for n in range(count)]


def rank_first(count: int, seen: float, hold: Hold, backlogs: int, rng: Random) -> bool:
    """Whether the author is the spies' first guess after so many backlogs, each of one post."""
    habits = draw_habits(count, seen, rng)
    author = 0
    weights = [0.0] * count
    for n in range(backlogs):
        day = 1 + n * DAYS
        while (waited := hold.draw(habits[author].length, rng)) > habits[author].length:
            day += 1  # its session ended before
        sessions = [habit.session(day, rng) for habit in habits]
        public = sessions[author][0] + waited
        for v, habit in enumerate(habits):
            weights[v] += math.log(_weight(habit, sessions[v], public, hold))
    best = max(weights)
    return rng.choice([v for v in range(count) if weights[v] > best - 1e-9]) == author


def _weight(habit: Habit, session: tuple[float, float], public: float, hold: Hold) -> float:
    """How likely this node is to have published a post at that moment of the day."""
    if not habit.seen:
        return NEVER
    if habit.length >= DAY:
        return (1 - WRITTEN_OFF) / DAY
    moments = [public + shift for shift in (-DAY, 0.0, DAY)]  # sessions may go past midnight
    begin, end = session
    there = any(begin <= moment < end for moment in moments)
    fresh = (1 - WRITTEN_OFF) / habit.length if there else 0.0
    held = WRITTEN_OFF * max(hold.density(moment - begin) for moment in moments)
    return max(fresh + held, NEVER * 1e-3)


def rate(count: int, seen: float, hold: Hold, backlogs: int, runs: int) -> float:
    rng = Random(f"{count} {seen} {hold} {backlogs}")
    return sum(rank_first(count, seen, hold, backlogs, rng) for _ in range(runs)) / runs


@dataclass(frozen=True)
class WhileThere(Hold):
    """Not held: written at any time while the node is there."""

    def draw(self, length: float, rng: Random) -> float:
        return rng.uniform(0, length)

    def density(self, since: float) -> float:
        return 0.0


BEFORE = Hold(10.0)
NOW = Hold(60.0 * limits.HOLD_MINUTES)
HOLDS = {"10 s (as it was)": BEFORE, "30 min": NOW, "4 h": Hold(4 * HOURS), "24 h": Hold(DAY)}
HOLDS["written while there"] = WhileThere(0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how often the author is the first guess, for each way to hold posts. Always returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--seen", type=float, nargs="+", default=[1.0, 0.57, 0.34])
    parser.add_argument("--backlogs", type=int, nargs="+", default=[1, 3, 10, 20])
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args(arguments)
    for size in options.sizes:
        for seen in options.seen:
            print(f"N = {size}, {seen:.0%} of nodes seen; author first after {options.backlogs} backlogs")
            for name, hold in HOLDS.items():
                row = [rate(size, seen, hold, count, options.runs) for count in options.backlogs]
                print(f"  {name:<20} " + "  ".join(f"{value:.3f}" for value in row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
