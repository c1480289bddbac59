"""Strangers who take a node's places, memory or CPU: what it costs.

A script of scenes (e2e_scenes.py). Hoarders are always of this checkout: they speak libp2p only, which is the
same in all.
"""

import runpy
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio
from e2e_floods import (
    LOST,
    PARAMS,
    a_post,
    arrived,
    attackers,
    fill,
    nodes,
    say,
    this_hour,
    wait_for_mesh,
)
from e2e_nodes import CHECKOUT, DemoNode, peak
from e2e_scenes import Scene, play

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.store.posts import open_store

if hasattr(limits, "SHARDS"):  # a checkout from before the parameters of networks had a file of their own
    sys.modules["p2pforum.core.network_params"] = limits
sys.path.append(str(CHECKOUT / "tests" / "sync"))
from trickling import hold_sessions

HELD = 11.0  # seconds after which the sessions of tricklers are on, and may be ended for another's
FIRST_LOOK, LAST_LOOK = 30.0, 40.0  # seconds after a newcomer began to ask
HOARD_PAUSE = 0.5  # seconds between two rounds of a hoarder: 60 of them send 30 MB/s
HOARD_SECONDS = 25.0  # until memory is full, or bounded
MOST = 20.0  # seconds that an honest post is waited for


# --- places and memory ------------------------------------------------------------------------------------
async def trickle(address: str, count: int) -> None:
    async def one() -> None:
        with suppress(*LOST, P2PForumError, OSError):
            async with open_libp2p_network() as network:
                peer = await network.dial(address)
                await hold_sessions(network, peer, PARAMS.sync_protocol)

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(one)


def tricklers(directory: Path, count: int) -> dict[str, Any]:
    """What a newcomer gets of a node all of whose sessions are held; asking again when it was refused."""
    posts = [a_post(f"Post {n}", this_hour() - n) for n in range(300)]
    with nodes(directory, ["plain", "plain"]) as (victim, new):
        fill(victim, posts)
        victim.start()
        new.start()
        with attackers("trickle", victim.address(), count, script=Path(__file__)):
            time.sleep(HELD)
            began = time.monotonic()
            asking = threading.Thread(target=_ask, args=(new, victim.address()), daemon=True)
            asking.start()
            after = [arrived(new, posts, FIRST_LOOK)]
            if after != [len(posts)]:
                after.append(arrived(new, posts, LAST_LOOK - FIRST_LOOK))
            seconds = time.monotonic() - began if after[-1] == len(posts) else None
        return {"posts_after_30s": after[0], "seconds_until_300": seconds}


def _ask(node: DemoNode, address: str) -> None:
    with suppress(P2PForumError, OSError):  # the scene is over
        while node.runs:
            for _ in node.node.sync(address):
                pass


def hoarders(directory: Path, count: int) -> dict[str, Any]:
    with nodes(directory, ["plain", "plain"]) as (victim, friend):
        victim.start()
        friend.start(victim.address())
        wait_for_mesh([victim, friend])
        before = peak(victim)
        script = Path(__file__).with_name("e2e_hoarders.py")
        with attackers(victim.address(), count, HOARD_PAUSE, script=script):
            time.sleep(HOARD_SECONDS)
            began = time.monotonic()
            has_come = arrived(friend, say(victim, 1, 0), MOST)
            seconds = time.monotonic() - began if has_come else None
        return {"peak_mb": peak(victim) // 10**6, "before_mb": before // 10**6, "post_s": seconds}


# --- many boards ------------------------------------------------------------------------------------------
def boards(directory: Path, count: int) -> dict[str, Any]:
    """Whole sessions without a network, CPU of both sides: the first of two stores, and the next."""
    bench = runpy.run_path(str(CHECKOUT / "benchmarks" / "bench_sync_boards.py"))
    hour = bench["HOUR"]
    posts = [a_post("A post", hour - n % 300, f"board-{n}") for n in range(count)]
    with open_store(directory / "a", PARAMS) as a, open_store(directory / "b", PARAMS) as b:
        sides = [bench["Side"](store) for store in (a, b)]
        for side in sides:
            bench["fill"](side.store, posts)
        reports = []
        for seed in (1, 3):
            report = bench["talk"](*sides, seed)
            reports.append((report.moved, report.new, 1_000 * sum(side.opening + side.cpu for side in sides)))
    moved, new, cpu = map(list, zip(*reports, strict=True))
    return {"bytes": moved, "cpu_ms": cpu, "posts": new}


SCENES: dict[str, Scene] = {
    "sync, 16 tricklers": lambda directory: tricklers(directory, limits.MAX_SYNC_INBOUND),
    "memory, 60 hoarders": lambda directory: hoarders(directory, 60),
    "sync, 3,000 boards": lambda directory: boards(directory, 3_000),
}
QUICK: dict[str, Scene] = {"sync, 30 boards": lambda directory: boards(directory, 30)}


def main(*arguments: str) -> None:
    match arguments:
        case ["trickle", address, count]:
            trio.run(trickle, address, int(count))
        case _:
            play(SCENES, QUICK, list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
