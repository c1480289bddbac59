"""A node that comes back before its peer has noticed that it was gone: seconds until gossip reaches it again.

A script of scenes (e2e_scenes.py). Sync brings posts, too, but later, and many at once: gossip is there from
the first of IN_A_ROW posts that each arrive within AT_ONCE seconds.
"""

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2e_floods import CONFIG, OddNode, arrived, say, wait_for_mesh
from e2e_nodes import kill
from e2e_relay import ForgetfulRouter
from e2e_scenes import Scene, play

AT_ONCE = 0.8
IN_A_ROW = 3
PAUSE = 0.4  # seconds between two posts
LOOKED = 60.0  # seconds for which it is looked at: without a mend nothing comes for hours

ComeBack = Callable[[OddNode, ForgetfulRouter], None]


def forgotten(leaf: OddNode, router: ForgetfulRouter) -> None:
    """The router lost its table: the leaf finds its connection dead, and dials again."""
    router.lose_connections()


def killed(leaf: OddNode, router: ForgetfulRouter) -> None:
    """And started again, under the same peer ID; the router does not tell."""
    router.lose_connections()
    kill(leaf)
    leaf.start(router.address)


def deafness(directory: Path, come_back: ComeBack) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fixed = CONFIG.replace("/tcp/0", f"/tcp/{port}")  # and so with a peer ID that lasts
    home, leaf = OddNode("home", directory / "home", CONFIG), OddNode("leaf", directory / "leaf", fixed)
    with home, leaf:
        home.start()
        with ForgetfulRouter(home.address()) as router:
            leaf.start(router.address)
            wait_for_mesh([home, leaf])
            before = _heard(home, leaf)
            come_back(leaf, router)
            return {"before_s": before, "after_s": _heard(home, leaf)}


def _heard(home: OddNode, leaf: OddNode) -> float | None:
    """Seconds until what home says is heard at the leaf; None: never."""
    began, first, row = time.monotonic(), 0.0, 0
    while row < IN_A_ROW and time.monotonic() < began + LOOKED:
        (post,) = say(home, 1, 0)
        if arrived(leaf, [post], AT_ONCE):
            first = first if row else time.monotonic() - began
            row += 1
        else:
            row = 0
        time.sleep(PAUSE)
    return first if row == IN_A_ROW else None


SCENES: dict[str, Scene] = {
    "deafness, a router forgot": lambda directory: deafness(directory, forgotten),
    "deafness, killed": lambda directory: deafness(directory, killed),
}


if __name__ == "__main__":
    play(SCENES, {}, sys.argv[1:])
