"""`python -m simulation.spies`: what stronger spies name than the first-spy rule of `privacy.py` does. Ends
with 1 if a bound breaks.

Every spy dials every node. F: the node that told a spy first. W: no graph, silence and lateness
(`silence.py`). B, S: the graph and all times (`bayes.py`). Controls: the node that ends a stem does not push
to the peers that brought the post. Variants that were not taken: the end holds its pushes, or hands the post
to a peer drawn anew. An attack besides: spies fill the stempools of one relay in ten, or of all, which then
publish at once the posts that others bring. (A pool holds 256 posts until they are public: to keep one full,
spies need 20 to 50 stamps a second.)
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from p2pforum.stem.params import StemParams
from simulation.bayes import Graph, Watcher
from simulation.guess import interval
from simulation.silence import Sighting, by_silence
from simulation.spread import Push, tell
from simulation.stems import Fate, Stems, many_posts_each
from simulation.swarm import Setting
from simulation.watched import Watched
from simulation.world import World, make_world

SMALLEST = "--size 60 --shares 0.1 --seeds 1 --authors 5 --counts 1 3 --routed 20 --others"

POSTS = 50
SURPLUS = 0.05  # the part of the keys that W names beyond those whose guard spies, at most
CONTROL = 0.1  # the same in the control, at least: else these spies are blind
BAYES, SILENCE = 0.25, 0.3  # the same of B at most; of S in the control at least
ROUTED_EPOCH = 60.0  # seconds of an epoch with own routers: shorter, so that 20 posts take minutes

Rates = dict[str, float]  # method and count of posts -> share of keys that are named


@dataclass(frozen=True)
class Variant:
    """How stems end. `graph`: whether to run B and S, which take longest."""

    name: str
    push: Push
    hands_over: bool = False
    both_ways: bool = False
    graph: bool = True
    crowded: float = 0.0  #: part of the honest nodes whose pools spies fill


CONTROLS = (Variant("bringers left out (control)", Push(exempting=True)),)
TAKEN = Variant("pushed to all alike", Push())
OTHERS = (
    Variant("pushed after U(0, 1 s) each", Push(end_hold=1.0)),
    Variant("handed to a peer drawn anew", Push(), hands_over=True),
    Variant("inbound relays, too", Push(), both_ways=True),
    Variant("a tenth of pools filled", Push(), crowded=0.1),
    Variant("all pools filled", Push(), crowded=1.0),
)


def watch(world: World, fates: Sequence[Fate], push: Push, rng: Random) -> list[Sighting]:
    """What spies see of each post. If a spy publishes a post, its times tell the spies nothing."""
    return [
        Sighting(
            fate.author,
            tell(world, fate.fluffed_by, fate.bringers, push, rng)
            if fate.fluffed_by is not None and fate.fluffed_by not in world.spies
            else {},
            fate.handed,
        )
        for fate in fates
    ]


def hand_over(world: World, fates: Sequence[Fate], rng: Random) -> None:
    """The end of each stem hands the post to a peer drawn anew, which publishes it."""
    for fate in fates:
        if (end := fate.fluffed_by) is None:
            continue
        fate.bringers, fate.fluffed_by = frozenset({end}), rng.choice(world.dialled[end])
        if fate.fluffed_by in world.spies and end not in world.spies and fate.handed is None:
            fate.handed = end


def rates(size: int, share: float, seed: int, authors: int, variant: Variant, counts: Sequence[int]) -> Rates:
    """The part of the keys that each method names, in one world."""
    rng = Random(f"{size} {share} {seed}")
    world = make_world(size, share, rng, reach=1.0)
    crowded = frozenset(rng.sample(world.honest, round(variant.crowded * len(world.honest))))
    stems = Stems(world, rng, both_ways=variant.both_ways, crowded=crowded)
    fates = many_posts_each(stems, authors, max(counts))
    keys = {fate.author for fate in fates}
    found = {"guards": sum(map(stems.guard_spies, keys)) / len(keys)}
    if variant.hands_over:
        hand_over(world, fates, rng)
    seen = watch(world, fates, variant.push, rng)
    found["F1"] = sum(first_teller(post) == post.author for post in seen) / len(seen)
    methods: dict[str, Callable[[list[Sighting]], dict[int, int | None]]] = {"W": by_silence}
    if variant.graph:
        graph = Graph(world, both_ways=variant.both_ways, crowded=crowded)
        name = "S" if variant.push.exempting else "B"
        methods[name] = Watcher(graph, silence=variant.push.exempting).name_all
    for count in counts:
        posts = first_of_each(seen, count)
        for name, method in methods.items():
            found[f"{name}{count}"] = right(method(posts))
    return found


def first_teller(post: Sighting) -> int | None:
    if post.handed is not None:
        return post.handed
    return min(post.told, key=lambda v: post.told[v].first) if post.told else None


def first_of_each(posts: Sequence[Sighting], count: int) -> list[Sighting]:
    """The first `count` posts of each key."""
    had: dict[int, int] = {}
    chosen = []
    for post in posts:
        had[post.author] = had.get(post.author, 0) + 1
        chosen += [post] if had[post.author] <= count else []
    return chosen


def right(named: dict[int, int | None]) -> float:
    return sum(key == author for key, author in named.items()) / len(named)


def by_routers(size: int, share: float, seed: int, posts: int, *, exempting: bool) -> Rates:
    """The part of thirty keys that W names, with the node's own Router and StemRouter in each node."""
    rng = Random(f"routers {size} {share} {seed}")
    spies = frozenset(rng.sample(range(size), round(share * size)))
    params = StemParams(epoch=ROUTED_EPOCH, epoch_jitter=ROUTED_EPOCH / 20)
    swarm = Watched(Setting(size, hidden=True, spies=spies, stem=params), rng)
    swarm.exempting = exempting
    swarm.run(15)
    swarm.dial_everybody()
    swarm.run(30)
    honest = [v for v in range(size) if v not in spies]
    authors = rng.sample(honest, min(30, len(honest)))
    pause = 1.1 * ROUTED_EPOCH
    for author in authors:
        for n in range(posts):
            swarm.post(author, swarm.now + pause * n + rng.uniform(0, ROUTED_EPOCH), 200)
    swarm.run(swarm.now + pause * posts + 60)
    guards = sum(swarm.guard(author) in spies for author in authors) / len(authors)
    return {"guards": guards, f"W{posts}": right(by_silence(swarm.sightings()))}


# -- the report ------------------------------------------------------------------------------------------


def pooled(rows: Sequence[Rates]) -> dict[str, tuple[float, float]]:
    """Means over worlds, with the half widths of their 95 % intervals."""
    return {name: interval([row[name] for row in rows]) for name in rows[0]}


def complaints(control: Rates, taken: Rates, count: int) -> list[str]:
    """The bounds that the means of the two break, in words."""
    found = []
    for name, most in ((f"W{count}", SURPLUS), (f"B{count}", BAYES)):
        if name in taken and taken[name] - taken["guards"] > most:
            found.append(f"{name} names {taken[name]:.3f} where {taken['guards']:.3f} of the guards spy")
    for name, least in ((f"W{count}", CONTROL), (f"S{count}", SILENCE)):
        if name in control and control[name] - control["guards"] < least:
            found.append(f"control: {name} names {control[name]:.3f} only")
    return found


def _print(name: str, row: dict[str, tuple[float, float]]) -> None:
    figures = "  ".join(f"{key} {mean:.3f}±{error:.3f}" for key, (mean, error) in row.items())
    print(f"  {name:<28} {figures}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what each method names, with the controls. Returns 1 if a bound breaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--authors", type=int, default=60, help="keys in a world")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 10, 20, POSTS], help="posts of a key")
    parser.add_argument("--others", action="store_true", help="variants that were not taken, too")
    parser.add_argument("--routed", type=int, default=60, help="nodes with their own Router; 0 for none")
    options = parser.parse_args(arguments)
    last, broken = max(options.counts), []
    for share in options.shares:
        print(f"N = {options.size}, spies {share:.0%}, {options.seeds} worlds of {options.authors} keys")
        means: list[Rates] = []
        for variant in (*CONTROLS, TAKEN, *(OTHERS if options.others else ())):
            seeds = range(options.seeds)
            rows = [rates(options.size, share, s, options.authors, variant, options.counts) for s in seeds]
            row = pooled(rows)
            _print(variant.name, row)
            means.append({name: value for name, (value, _) in row.items()})
        broken += complaints(means[0], means[1], last)
    if options.routed:
        print(f"N = {options.routed}, spies 10%, with the node's own routers")
        both = []
        for exempting in (True, False):
            rows = [by_routers(options.routed, 0.1, s, 20, exempting=exempting) for s in range(options.seeds)]
            _print(CONTROLS[0].name if exempting else TAKEN.name, pooled(rows))
            both.append({name: value for name, (value, _) in pooled(rows).items()})
        broken += complaints(both[0], both[1], 20)
    print("\n".join(broken) or "All bounds hold, and all controls break them.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
