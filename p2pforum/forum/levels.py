"""How far each post of a thread is indented: as little as tells what it answers.

Not the depth in the thread, which the network's rules define (core/thread.py): a discussion of two people is
a column here, however long it is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from p2pforum.forum.reading import PostView


@dataclass(frozen=True, slots=True)
class Level:
    """A post answers the post right above it (`goes_on`), or else the nearest one above that has
    one level less; at level 0 it answers none that is here.
    """

    level: int
    goes_on: bool  #: it is the only answer to the post right above, and stands at the same level


def levels(posts: Sequence[PostView]) -> list[Level]:
    """The level of each post. `posts` are in reading order: each stands below the last shown of its
    parents.
    """
    place = {post.id: number for number, post in enumerate(posts)}
    above = [
        max((place[p] for p in post.parents if place.get(p, n) < n), default=None)
        for n, post in enumerate(posts)
    ]
    answers = Counter(above)
    found: list[Level] = []
    for up in above:
        if up is None:
            found.append(Level(0, goes_on=False))
        elif answers[up] == 1:
            found.append(Level(found[up].level, goes_on=True))
        else:
            found.append(Level(found[up].level + 1, goes_on=False))
    return found
