"""Which peer to disconnect when a new peer dials in and all slots are taken. After Bitcoin Core's
eviction.cpp.

An attacker who can open many connections must not push out the peers that a node already has. So most of
these are protected, each kind by something that an attacker can't get at will: an address in a part of the
internet that a secret chooses, new posts (each costs a stamp), and time.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from p2pforum.core import limits


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connection that a peer opened.

    `group` is the part of the internet it came from, "" for this machine and private networks; `worth` counts
    the new posts that it brought of late; `since` is in seconds.
    """

    number: int
    since: float
    group: str = ""
    worth: float = 0.0


def to_evict(inbound: Sequence[Candidate], secret: bytes) -> Candidate | None:
    """The connection to end, or None if all are protected.

    `secret` is this node's own, so that an attacker can't tell which network groups it favours.
    """
    rest = sorted(inbound, key=lambda c: (c.since, c.number))  # the longest connected first
    for protected in (_of_groups(rest, secret), _of_worth(rest)):
        rest = [candidate for candidate in rest if candidate not in protected]
    protected = _longest(rest)
    rest = [candidate for candidate in rest if candidate not in protected]
    if not rest:
        return None
    # The youngest of the largest group; of equal groups, the one with the youngest.
    sizes = Counter(candidate.group for candidate in rest)
    return max(rest, key=lambda c: (sizes[c.group], c.since, c.number))


def _of_groups(rest: Sequence[Candidate], secret: bytes) -> set[Candidate]:
    """The longest connected of some groups. One peer of a group is protected, so an attacker gains nothing
    from many addresses in it."""
    first: dict[str, Candidate] = {}
    for candidate in rest:
        if candidate.group:
            first.setdefault(candidate.group, candidate)
    drawn = sorted(first, key=lambda group: hashlib.blake2b(group.encode(), key=secret).digest())
    return {first[group] for group in drawn[: limits.EVICTION_GROUPS]}


def _of_worth(rest: Sequence[Candidate]) -> set[Candidate]:
    useful = sorted((c for c in rest if c.worth > 0), key=lambda c: -c.worth)
    return set(useful[: limits.EVICTION_WORTHY])


def _longest(rest: Sequence[Candidate]) -> set[Candidate]:
    """The longest connected half: an attack that begins later does not reach them.

    Up to half of these slots go to peers without a group, even if others were there before them. The reason:
    all peers that come through an onion service look alike, and would be the largest group for ever.
    """
    places = (len(rest) + 1) // 2  # of one peer, one: a very small node keeps the peer it has
    local = set([candidate for candidate in rest if not candidate.group][: places // 2])
    others = [candidate for candidate in rest if candidate not in local]
    return local.union(others[: places - len(local)])
