"""W: spies who dial every node, know no graph, and ask which nodes are told late, and when.

The end of a stem is the node that tells spies first (or at times far apart, if it holds its pushes). Spies
look at the ends that a key often has. If a node gets this key's posts later than it gets others that end
there, the end does not push them to it: so that node brought them. If the end is a guard, its clients are the
only nodes that it leaves out.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.spread import Telling

FAR_APART = 0.2  # seconds: no node that passes on at once tells its spies at times so far apart
_LEAST = 0.005  # seconds of deviation: of a sample of few posts, spies believe no smaller one
_OTHERS = 3  # posts that an end must have had from others, to know its usual times
_OFTEN = 3  # ends of a key that are looked at


@dataclass(frozen=True)
class Sighting:
    """One post as spies see it. `handed` is the node that first gave it to a spy in its stem."""

    author: int  #: for the judge; spies know the key, and one key is one author here
    told: dict[int, Telling]
    handed: int | None = None

    @property
    def end(self) -> int | None:
        """The node that seems to have published it."""
        if not self.told:
            return None
        uneven = max(self.told, key=lambda v: self.told[v].apart)
        if self.told[uneven].apart > FAR_APART:
            return uneven
        return min(self.told, key=lambda v: self.told[v].first)


def by_guard(posts: Sequence[Sighting]) -> int | None:
    """The node that gave spies most of a key's posts in their stem: the author, if a spy is its guard."""
    handed = Counter(post.handed for post in posts if post.handed is not None)
    if not handed:
        return None
    teller, count = handed.most_common(1)[0]
    return teller if count > len(posts) / 2 else None


def by_silence(posts: Sequence[Sighting]) -> dict[int, int | None]:
    """The node that the spies name for each key. (A key is given as its author.)"""
    ends: dict[int, list[Sighting]] = defaultdict(list)
    keys: dict[int, list[Sighting]] = defaultdict(list)
    for post in posts:
        keys[post.author].append(post)
        if post.end is not None:
            ends[post.end].append(post)
    return {key: by_guard(own) or _latest(key, own, ends) for key, own in keys.items()}


def _latest(key: int, own: Sequence[Sighting], ends: dict[int, list[Sighting]]) -> int | None:
    often = Counter(post.end for post in own if post.end is not None)
    best: tuple[float, int | None] = (0.0, None)
    for end, count in often.most_common(_OFTEN):
        others = [post for post in ends[end] if post.author != key]
        if count < 2 or len(others) < _OTHERS:
            continue
        mine = _lateness([post for post in own if post.end == end], end)
        usual = _lateness(others, end)
        for v in mine.keys() & usual.keys() - {end}:
            best = max(best, (_surprise(mine[v], usual[v]), v), key=lambda found: found[0])
    return best[1]


def _lateness(posts: Sequence[Sighting], end: int) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for post in posts:
        for v, telling in post.told.items():
            found[v].append(telling.first - post.told[end].first)
    return found


def _surprise(mine: Sequence[float], usual: Sequence[float]) -> float:
    """How many standard errors this is later than usual."""
    if len(usual) < _OTHERS:
        return 0.0
    deviation = max(_LEAST, statistics.stdev(usual))
    later = statistics.fmean(mine) - statistics.fmean(usual)
    return later / (deviation * (1 / len(mine) + 1 / len(usual)) ** 0.5)
