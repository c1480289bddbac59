"""Strangers who take a node's places, memory or CPU, and posts made to be dear to display: what it costs.

    e2e_costs.py NAME        runs one of SCENES and prints what came of it

It tries the checkout that `p2pforum` is imported from, as e2e_floods does. Hoarders are always of this
checkout: they speak libp2p only, which is the same in all.
"""

import json
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
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
    environment,
    nodes,
    say,
    wait_for_mesh,
)
from e2e_key import KEY, SEED
from e2e_nodes import CHECKOUT, DemoNode, peak

from p2pforum.cli.times import this_hour
from p2pforum.core import limits, stamp
from p2pforum.core.errors import P2PForumError
from p2pforum.core.post import Payload, Post, sign
from p2pforum.core.post_id import format_id
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
READ_MOST = 50.0  # seconds for one command
_RETRACT = 1  # the kind; where it is defined differs between checkouts

_WATCHED = """
import os, sys, time
end = os._exit
def tell(code):
    peak = open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]
    print(time.process_time(), peak, file=sys.stderr, flush=True)
    end(code)
os._exit = tell
from p2pforum.cli.main import main
try:
    main()
finally:
    tell(0)
"""
"""A command that says at its end what it cost: seconds of CPU, and kB of memory at the peak."""


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
        _fill(victim, posts)
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


# --- reading ----------------------------------------------------------------------------------------------
def an_answer(root: Post, parents: Sequence[bytes], content: Sequence[Any], kind: int = 0) -> Post:
    hour = root.payload.hour
    fields = Payload(
        kind, "general", root.id, tuple(sorted(parents)), hour, tuple(content), stamp.blank_stamp(0)
    )
    return sign(fields, SEED, KEY, PARAMS)


def bombs(directory: Path, count: int) -> dict[str, Any]:
    """Letters that are shown as `<U+200D>`, all in one line."""
    root = a_post("Bombs", this_hour())
    body = "\u200d" * 4_070 + "é"
    return read(directory, [root, *[an_answer(root, [root.id], [f"{n}{body}"]) for n in range(count)]])


def chain(directory: Path, count: int) -> dict[str, Any]:
    """Retracts of nothing: each answers the one before and three posts nobody has. 20 answer the last."""
    root = a_post("A chain", this_hour())
    posts = [root]
    for n in range(count):
        missing = [(3 * n + m).to_bytes(32, "big") for m in range(1, 4)]
        posts.append(an_answer(root, [posts[-1].id, *missing], [bytes(32)], _RETRACT))
    return read(directory, posts + [an_answer(root, [posts[-1].id], [f"Reply {n}"]) for n in range(20)])


def read(directory: Path, posts: Sequence[Post]) -> dict[str, Any]:
    """What it costs to show a thread, the start of the program included."""
    with nodes(directory, ["plain"]) as (node,):
        _fill(node, posts)
        home = str(node.data_dir.parent)
        command = [
            sys.executable,
            "-c",
            _WATCHED,
            "--home",
            home,
            "read",
            format_id(posts[0].id),
            "--no-pager",
        ]
        try:
            done = subprocess.run(
                command, env=environment(), capture_output=True, text=True, timeout=READ_MOST, check=True
            )
        except subprocess.TimeoutExpired:
            return {"cpu": f"more than {READ_MOST}"}
        cpu, memory = done.stderr.split()[-2:]
        return {"cpu": float(cpu), "peak_mb": int(memory) * 1024 // 10**6, "characters": len(done.stdout)}


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


def _fill(node: DemoNode, posts: Sequence[Post]) -> None:
    with open_store(node.data_dir, PARAMS) as store:
        store.add([(post, True) for post in posts])


SCENES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "sync, 16 tricklers": lambda directory: tricklers(directory, limits.MAX_SYNC_INBOUND),
    "memory, 60 hoarders": lambda directory: hoarders(directory, 60),
    "read, 2 bombs": lambda directory: bombs(directory, 2),
    "read, 20 bombs": lambda directory: bombs(directory, 20),
    "read, chain of 2,000": lambda directory: chain(directory, 2_000),
    "sync, 3,000 boards": lambda directory: boards(directory, 3_000),
}


def main(name: str, *arguments: str) -> None:
    if name == "trickle":
        trio.run(trickle, arguments[0], int(arguments[1]))
    else:
        with tempfile.TemporaryDirectory() as directory:
            print(json.dumps(SCENES[name](Path(directory))))


if __name__ == "__main__":
    main(*sys.argv[1:])
