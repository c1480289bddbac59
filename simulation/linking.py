"""`python -m simulation.linking`: how often spies find which two keys are one user's, by where posts end.

Every user has two keys. The spies dial every node, so that they know where each stem ends, and note which
peers hand them posts; they know no graph. Two keys with one guard end at the same nodes: for each key the
spies guess the other one with the nearest counts (cosine). One slot is the control: one guard for all keys.
Ends with 1 if a bound breaks.
"""

import argparse
import dataclasses
import itertools
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from p2pforum.stem.params import GuardParams
from simulation.guess import interval
from simulation.stems import Fate, Stems
from simulation.world import make_world

SMALLEST = "--slots 1 4 --seeds 1 --users 5 --size 40"

POSTS = 25  # of each key
EPOCH = 650.0  # seconds between two posts of one key: each in an epoch of its own
CHANCE = 0.06  # beside one in so many slots: the part of the keys that may be found to be one user's, at most
CONTROL = 0.6  # with one slot, at least


@dataclass(frozen=True)
class Case:
    share: float
    slots: int
    size: int = 200
    users: int = 60
    posts: int = POSTS


@dataclass(frozen=True)
class Linked:
    """Means over keys: the right other key is the nearest one; and nearer than another one
    drawn by lot (AUC).
    """

    first: float
    auc: float
    sharing: float  # the part of the users whose two keys have one slot


def linked(case: Case, seed: int) -> Linked:
    """One network with its users and spies, all their posts, and how often the spies' guess is right."""
    rng = Random(f"{case} {seed}")
    world = make_world(case.size, case.share, rng)
    guards = dataclasses.replace(GuardParams(), slots=case.slots)
    stems = Stems(world, rng, guards=guards)
    users = rng.sample(world.honest, case.users)
    for user, n in itertools.product(users, range(case.posts)):
        for which in (0, 1):
            stems.draw_guard(user, _key(user, which))
            stems.post(user, 30 + EPOCH * (2 * n + which) + rng.uniform(0, 600), _key(user, which))
    clues = _clues(stems.run())
    right, better = [], []
    for user, which in itertools.product(users, (0, 1)):
        mine, mate = _key(user, which), _key(user, 1 - which)
        near = {key: _cosine(clues[mine], clues[key]) for key in clues if key != mine}
        rivals = [value for key, value in near.items() if key != mate]
        right.append(near[mate] > max(rivals))
        better.append(sum((near[mate] > v) + (near[mate] == v) / 2 for v in rivals) / len(rivals))
    sharing = [stems.slot(user, _key(user, 0)) == stems.slot(user, _key(user, 1)) for user in users]
    return Linked(sum(right) / len(right), sum(better) / len(better), sum(sharing) / len(sharing))


def _key(user: int, which: int) -> bytes:
    return f"{user} {which}".encode()


def _clues(fates: Sequence[Fate]) -> dict[bytes, Counter[tuple[str, int]]]:
    found: dict[bytes, Counter[tuple[str, int]]] = {}
    for fate in fates:
        clues = found.setdefault(fate.key, Counter())
        if fate.fluffed_by is not None:
            clues["ends at", fate.fluffed_by] += 1
        for teller in fate.brought_by:
            clues["brought by", teller] += 1
    return found


def _cosine(a: Mapping[tuple[str, int], int], b: Mapping[tuple[str, int], int]) -> float:
    dot = sum(count * b.get(clue, 0) for clue, count in a.items())
    return dot / math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()) or 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how often keys are linked, for each share of spies and number of slots. Returns 1
    if a bound breaks.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 8, 16, 32])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--size", type=int, default=200)
    options = parser.parse_args(arguments)
    broken = []
    for share, slots in itertools.product((0.05, 0.1), options.slots):
        case = Case(share, slots, size=options.size, users=options.users)
        found = [linked(case, seed) for seed in range(options.seeds)]
        first, error = interval([row.first for row in found])
        print(
            f"{share:.0%} spy, {slots:>2} slots: the right other key is first {first:.3f} ± {error:.3f}   "
            f"AUC {interval([row.auc for row in found])[0]:.3f}   (one slot for both: "
            f"{interval([row.sharing for row in found])[0]:.3f}; by chance {1 / (2 * case.users - 1):.3f})",
            flush=True,
        )
        if slots == 1 and first < CONTROL:
            broken.append(f"{share}: one guard for all keys (control) links {first:.3f} only")
        if slots > 1 and first > 1 / slots + CHANCE:
            broken.append(f"{share}, {slots} slots: {first:.3f} are linked")
    print("\n".join(broken) or "All bounds hold, and the control breaks them.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
