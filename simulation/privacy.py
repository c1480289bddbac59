"""`python -m simulation.privacy`: how often spies name the author of a post. Ends with 1 if a
bound breaks.

The spies name the node that told one of them first; stronger ones are in `spies.py`. Every figure is printed
with its controls: plain gossip, and guards drawn anew for every post.
"""

import argparse
import dataclasses
import itertools
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from simulation.guess import Figures, interval, judge, judge_keys, mean
from simulation.stems import Fate, Stems, by_gossip, many_posts_each, one_post_each
from simulation.swarm import Setting, Spread, Swarm
from simulation.world import World, make_world

SMALLEST = "--sizes 60 --seeds 2 --authors 5 --routed 20 --routed-seeds 1"

KEY_POSTS = 50
PRECISION = {0.1: 0.085, 0.2: 0.16}  # of the stem, at most, with its interval
CONTROL = {
    0.1: 0.40,
    0.2: 0.60,
}  # recall of plain gossip, at least: else the spies of this simulation are blind
ROUTED_SURPLUS = 0.02  # the same of single posts, which may loop through their author, and few of them
REACH = 0.2  # each spy that wants to hear everything dials this part of all nodes
REDRAWN = 0.35  # recall for a key with guards drawn anew, at least: the same
SURPLUS = 0.06  # of keys that are named though their guard does not spy, at most: a guard tells its clients
# among the first, when it ends their stem


@dataclass(frozen=True)
class Case:
    """A network of `size`, of which spies are `share`; each of these dials `reach` of all nodes."""

    size: int
    share: float
    seeds: int
    reach: float = 0.0

    def worlds(self) -> Iterator[tuple[World, Random]]:
        for seed in range(self.seeds):
            rng = Random(f"{self.size} {self.share} {seed}")
            yield make_world(self.size, self.share, rng, reach=self.reach), rng


@dataclass(frozen=True)
class Single:
    """One post of each node."""

    gossip: Figures
    stem: Figures
    holes: Figures
    lost: int  # posts that never became public although spies drop what they get
    waits: Sequence[float]  # seconds until public, with spies that drop nothing
    waits_holes: Sequence[float]

    def complaints(self, share: float) -> list[str]:
        """The bounds that these figures break, in words; `share` is the part of the nodes that spy."""
        found = []
        for name, figures in (("stem", self.stem), ("stem with black holes", self.holes)):
            if figures.worst_recall > share + 0.03:
                found.append(f"{name}: recall {figures.worst_recall:.3f} may be above {share + 0.03:.3f}")
            if figures.precision + figures.precision_error > PRECISION[share]:
                found.append(f"{name}: precision {figures.precision:.3f} may be above {PRECISION[share]:.3f}")
        if self.gossip.recall - self.gossip.recall_error < CONTROL[share]:
            found.append(f"control: plain gossip has a recall of {self.gossip.recall:.3f} only")
        if self.lost:
            found.append(f"{self.lost} posts never became public")
        return found


def single(case: Case) -> Single:
    """One post of each node by plain gossip, by the stem, and by the stem with spies that drop posts."""
    rows: dict[str, list[Figures]] = {"gossip": [], "stem": [], "holes": []}
    waits: dict[str, list[float]] = {"stem": [], "holes": []}
    lost = 0
    for world, rng in case.worlds():
        rows["gossip"].append(judge(by_gossip(world)))
        for name in ("stem", "holes"):
            fates = one_post_each(world, rng, black_holes=name == "holes")
            rows[name].append(judge(fates))
            waits[name] += [fate.public - fate.sent for fate in fates if fate.public is not None]
            lost += sum(fate.public is None for fate in fates)
    gossip, stem, holes = (mean(rows[name]) for name in ("gossip", "stem", "holes"))
    return Single(gossip, stem, holes, lost, waits["stem"], waits["holes"])


@dataclass(frozen=True)
class Routed:
    """One post of each node, with the node's own Router instead of the model of gossip. Spies read offers,
    too. Slow: it is the control of that model.
    """

    gossip: Figures
    stem: Figures
    surplus: tuple[float, float]  # of recall by the stem, as in Named

    def complaints(self, share: float) -> list[str]:
        """The bounds that these figures break, in words; `share` is the part of the nodes that spy."""
        found = []
        if self.gossip.recall < CONTROL[share]:
            found.append(f"control: own Router, plain gossip has a recall of {self.gossip.recall:.3f} only")
        if self.surplus[0] > ROUTED_SURPLUS:
            found.append(f"own Router: {_pm(self.surplus)} are named though their guard is no spy")
        return found


def by_routers(size: int, share: float, seeds: int) -> Routed:
    """The figures of `size` nodes with routers of their own. A part `share` of them spies."""
    rows: list[list[Figures]] = [[], []]
    surplus = []
    for seed, hidden in itertools.product(range(seeds), (False, True)):
        rng = Random(f"{size} {share} {seed} {hidden}")
        spies = frozenset(rng.sample(range(size), round(share * size)))
        swarm = Swarm(Setting(size, hidden=hidden, spies=spies), rng)
        swarm.run(15)
        for v in rng.sample(range(size), size):
            if v not in spies:
                swarm.post(v, swarm.now + rng.uniform(0, size / 2), 500)
        swarm.run(swarm.now + size / 2 + 60)
        rows[hidden].append(judge([fate_of(spread) for spread in swarm.posts]))
        if hidden:
            spied = statistics.mean(_guard(swarm, spread.author) in spies for spread in swarm.posts)
            surplus.append(rows[hidden][-1].recall - spied)
    return Routed(mean(rows[False]), mean(rows[True]), interval(surplus))


def _guard(swarm: Swarm, author: int) -> int:
    guards = swarm.stem_router(author).guards
    return int(guards.of(guards.slot_of(b""))[0])


def fate_of(spread: Spread) -> Fate:
    seen = None if spread.told_by is None else (0.0, spread.told_by)
    return Fate(spread.author, spread.written, seen, spread.public)


def everywhere(case: Case) -> tuple[Figures, Figures]:
    """Plain gossip and stem where every spy dials a fifth of all nodes, so that it hears all
    gossip at once.
    """
    rows: list[tuple[Figures, Figures]] = []
    for world, rng in dataclasses.replace(case, reach=REACH).worlds():
        rows.append((judge(by_gossip(world)), judge(one_post_each(world, rng))))
    return mean([gossip for gossip, _ in rows]), mean([stem for _, stem in rows])


def complaints_everywhere(found: tuple[Figures, Figures], share: float) -> list[str]:
    """The bounds that the two figures of `everywhere` break, in words."""
    gossip, stem = found
    broken = []
    if stem.worst_recall > share + 0.03:
        broken.append(f"spies everywhere: recall {stem.worst_recall:.3f} may be above {share + 0.03:.3f}")
    if gossip.recall < 0.8:
        broken.append(f"control: spies everywhere see plain gossip with a recall of {gossip.recall:.3f} only")
    return broken


@dataclass(frozen=True)
class Named:
    """Keys of fifty posts. Means with the half widths of their 95 % intervals."""

    recall: tuple[float, float]
    surplus: tuple[float, float]  # of recall over the part of the keys whose guard spies


@dataclass(frozen=True)
class Keys:
    """Fifty posts under one key, with the node's guards and in the control."""

    pinned: Named
    redrawn: Named  # with guards drawn anew

    def complaints(self, share: float) -> list[str]:
        """The bounds that these figures break, in words; `share` is the part of the nodes that spy."""
        found = []
        if sum(self.pinned.recall) > share + 0.06:
            found.append(f"one key: recall {_pm(self.pinned.recall)} may be above {share + 0.06:.3f}")
        if sum(self.pinned.surplus) > SURPLUS:
            found.append(f"one key: {_pm(self.pinned.surplus)} are named though their guard is no spy")
        if self.redrawn.recall[0] - self.redrawn.recall[1] < REDRAWN:
            found.append(f"control: guards drawn anew have a recall of {_pm(self.redrawn.recall)} only")
        return found


def keys(case: Case, authors: int) -> Keys:
    """Fifty posts under one key of each of `authors`, with guards that stay and with guards drawn anew."""
    rows: list[list[tuple[float, float]]] = [[], []]
    for world, rng in case.worlds():
        ways = (Stems(world, rng), Stems(world, rng, pinned=False))
        for row, stems in zip(rows, ways, strict=True):
            fates = many_posts_each(stems, authors, KEY_POSTS)
            spied = statistics.mean(stems.guard_spies(v) for v in {fate.author for fate in fates})
            row.append((judge_keys(fates), judge_keys(fates) - spied))
    return Keys(*(Named(*(interval(column) for column in zip(*row, strict=True))) for row in rows))


def _pm(value: tuple[float, float]) -> str:
    return f"{value[0]:.3f} ± {value[1]:.3f}"


def _row(name: str, figures: Figures) -> str:
    return (
        f"  {name:<24} precision {figures.precision:.3f} ± {figures.precision_error:.3f}   "
        f"recall {figures.recall:.3f} ± {figures.recall_error:.3f}"
    )


def _wait(waits: Sequence[float]) -> str:
    cuts = statistics.quantiles(waits, n=100)
    return f"median {cuts[49]:.0f} s, 99 % within {cuts[98]:.0f} s"


def _report(case: Case, authors: int) -> list[str]:
    began = time.monotonic()
    print(f"N = {case.size}, spies {case.share:.0%}, {case.seeds} seeds (± is the 95 % interval)")
    one = single(case)
    print(_row("plain gossip (control)", one.gossip))
    print(_row("stem", one.stem))
    print(_row("stem, spies drop posts", one.holes))
    print(f"  public after             {_wait(one.waits)}; spies drop posts: {_wait(one.waits_holes)}")
    wide = everywhere(case)
    print(_row("plain, spies everywhere", wide[0]))
    print(_row("stem, spies everywhere", wide[1]))
    many = keys(case, authors)
    print(
        f"  {KEY_POSTS} posts of one key      recall {_pm(many.pinned.recall)}, without spying guards "
        f"{_pm(many.pinned.surplus)}"
    )
    print(f"  guards drawn anew (ctl)  recall {_pm(many.redrawn.recall)}")
    print(f"  ({time.monotonic() - began:.0f} s)\n", flush=True)
    broken = (
        one.complaints(case.share) + complaints_everywhere(wide, case.share) + many.complaints(case.share)
    )
    return [f"N = {case.size}, p = {case.share}: {complaint}" for complaint in broken]


def _report_routed(size: int, share: float, seeds: int) -> list[str]:
    routed = by_routers(size, share, seeds)
    print(f"N = {size}, spies {share:.0%}, {seeds} seeds, with the node's own Router")
    print(_row("plain gossip (control)", routed.gossip))
    print(_row("stem", routed.stem) + f", without spying guards {_pm(routed.surplus)}\n", flush=True)
    return routed.complaints(share)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all figures and controls. Returns 1 if a bound breaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--authors", type=int, default=150, help="keys in a run that write fifty posts each")
    parser.add_argument("--routed", type=int, default=100, help="nodes with their own Router, for the model")
    parser.add_argument("--routed-seeds", type=int, default=4)
    options = parser.parse_args(arguments)
    broken = [
        complaint
        for size in options.sizes
        for share in (0.1, 0.2)
        for complaint in _report(Case(size, share, options.seeds), options.authors)
    ]
    for share in (0.1, 0.2):
        broken += _report_routed(options.routed, share, options.routed_seeds)
    print("\n".join(broken) or "All bounds hold, and all controls break them.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
