"""Attacks on privacy, in models with the program's own classes: what spies find out now, and
in the control.

The control is what the program did before, or what it would do without the defence. It runs beside, because
older versions of the program lack the classes for these models. Sizes are small, so that the table of attacks
takes minutes: the figures of docs/THREATS.md come from `python -m simulation.NAME` with many seeds.
"""

import statistics
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from p2pforum.peers.book import Book
from simulation import address_book, linking, online, oracle, privacy, spies, year
from simulation.swarm import Swarm

Scene = Callable[[], Mapping[str, Any]]

SHARE = 0.1  # the part of the nodes that can be dialled which are spies
POSTS = 30  # of a key


def first_tellers(size: int, seeds: int) -> Mapping[str, Any]:
    """Single posts. The spies take the node that first told one of them for the author. Control: no stem."""
    found = privacy.single(privacy.Case(size, SHARE, seeds))
    return {"now": found.stem.recall, "control": found.gossip.recall}


def redrawn(size: int, seeds: int, authors: int) -> Mapping[str, Any]:
    """Keys of fifty posts, by first tellers. Control: guards drawn anew for each post."""
    found = privacy.keys(privacy.Case(size, SHARE, seeds), authors)
    return {"now": found.pinned.recall[0], "control": found.redrawn.recall[0]}


@cache
def _rates(size: int, seeds: int, authors: int, posts: int, is_control: bool) -> Mapping[str, float]:
    variant = spies.CONTROLS[0] if is_control else spies.TAKEN
    rows = [spies.rates(size, SHARE, seed, authors, variant, (posts,)) for seed in range(seeds)]
    return {name: mean for name, (mean, _) in spies.pooled(rows).items()}


def naming(methods: str, size: int, seeds: int, authors: int, posts: int = POSTS) -> Mapping[str, Any]:
    """Keys of so many posts. The spies use times and silence, with a graph (B, in the control S) or without
    one (W). Control: the node that ends a stem does not push to the peers that brought the post.
    """
    now, control = (_rates(size, seeds, authors, posts, is_control) for is_control in (False, True))
    return {
        "now": now[f"{methods[0]}{posts}"],
        "control": control[f"{methods[-1]}{posts}"],
        "guards_that_spy": now["guards"],
    }


def asked_by_a_stranger(nodes: int, posts: int) -> Mapping[str, Any]:
    """Of single posts. Control: a node does not offer its own posts to peers that connect."""
    now, control = (
        oracle.standing_out(kind, young=False, pause=1.0, nodes=nodes, posts=posts)
        for kind in (Swarm, oracle.LeavingOut)
    )
    return {"now": now / posts, "control": control / posts}


def linked(size: int, users: int, seeds: int) -> Mapping[str, Any]:
    """Whether the spies find the right second key of a user as the nearest. Control: one
    guard for all keys.
    """
    now, control = (
        statistics.fmean(
            linking.linked(linking.Case(SHARE, slots, size, users), seed).first for seed in range(seeds)
        )
        for slots in (16, 1)
    )
    return {"now": now, "control": control, "by_chance": 1 / (2 * users - 1)}


def in_a_year(runs: int, hours: int = year.HOURS) -> Mapping[str, Any]:
    """Keys with a post a day; the node restarts weekly. Control: guards are drawn from the
    connections, for weeks.
    """
    now, control = (
        year.years(year.Case(SHARE, year.HABITS[1], fresh=fresh, hours=hours), runs)
        for fresh in (True, False)
    )
    return {
        "now": statistics.fmean(life.named for life in now),
        "control": statistics.fmean(life.named for life in control),
        "posts_seen": statistics.fmean(life.seen for life in now),
        "posts_seen_control": statistics.fmean(life.seen for life in control),
    }


def connections(hosts: int, hours: int) -> Mapping[str, Any]:
    """The connections that an attacker gets whose hosts have IPv6, four ports and twenty names. Control:
    every record counts.
    """
    setting = address_book.Setting(hosts, SHARE, ports=4, names=20, both=True, hours=hours)
    (now,), (control,) = (address_book.share(setting, 1, make) for make in (Book, address_book.ByRecord))
    return {"now": now, "control": control, "of_addresses": setting.fair}


def held(size: int, runs: int) -> Mapping[str, Any]:
    """Posts that waited for their node, by spies who see which nodes come and go. Control:
    they leave at once.
    """
    now, control = (online.rate(size, 1.0, hold, 1, runs) for hold in (online.NOW, online.BEFORE))
    return {"now": now, "control": control}


SCENES: dict[str, Scene] = {
    "posts named by first tellers": lambda: first_tellers(200, 4),
    "keys named by first tellers": lambda: redrawn(200, 2, 40),
    "keys named, no graph": lambda: naming("W", 200, 2, 40),
    "keys named with the graph": lambda: naming("BS", 200, 2, 40),
    "publishers found by asking": lambda: asked_by_a_stranger(30, 15),
    "keys linked by guards": lambda: linked(200, 60, 2),
    "keys named in a year": lambda: in_a_year(8),
    "connections got by one party": lambda: connections(100, 48),
    "held posts named": lambda: held(1_000, 200),
}
QUICK: dict[str, Scene] = {
    "posts named by first tellers": lambda: first_tellers(60, 1),
    "keys named by first tellers": lambda: redrawn(60, 1, 5),
    "keys named, no graph": lambda: naming("W", 60, 1, 5, 3),
    "keys named with the graph": lambda: naming("BS", 60, 1, 5, 3),
    "publishers found by asking": lambda: asked_by_a_stranger(12, 3),
    "keys linked by guards": lambda: linked(60, 10, 1),
    "keys named in a year": lambda: in_a_year(1, 24 * 20),
    "connections got by one party": lambda: connections(20, 6),
    "held posts named": lambda: held(50, 5),
}
