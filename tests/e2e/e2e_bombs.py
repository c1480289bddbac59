"""Posts, files and requests made to be dear: what a command, or the node, pays for one.

A script of scenes (e2e_scenes.py). CPU in seconds. A command's is that of its process, the start of the
program included; it gets COMMAND_MOST seconds by the clock.
"""

import http.client
import itertools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from e2e_floods import PARAMS, a_post, environment, fill, nodes, this_hour
from e2e_key import KEY, SEED
from e2e_nodes import DemoNode, peak
from e2e_scenes import Scene, play

from p2pforum.api.client import _UnixConnection
from p2pforum.core import limits, stamp
from p2pforum.core.bundle import Header, write_bundle
from p2pforum.core.post import Payload, Post, sign
from p2pforum.core.post_id import format_id

COMMAND_MOST = 50.0
MIB = 2**20
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


# --- posts ------------------------------------------------------------------------------------------------
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


def a_chain(count: int) -> list[Post]:
    """Retracts of nothing: each answers the one before and three posts nobody has. 20 answer the last."""
    root = a_post("A chain", this_hour())
    posts = [root]
    for n in range(count):
        missing = [(3 * n + m).to_bytes(32, "big") for m in range(1, 4)]
        posts.append(an_answer(root, [posts[-1].id, *missing], [bytes(32)], _RETRACT))
    return posts + [an_answer(root, [posts[-1].id], [f"Reply {n}"]) for n in range(20)]


def read(directory: Path, posts: Sequence[Post]) -> dict[str, Any]:
    """To show a thread."""
    with nodes(directory, ["plain"]) as (node,):
        fill(node, posts)
        return paid(node, "read", format_id(posts[0].id), "--no-pager")


def paid(node: DemoNode, *arguments: str) -> dict[str, Any]:
    """For one command at a node that does not run."""
    command = [sys.executable, "-c", _WATCHED, "--home", str(node.data_dir.parent), *arguments]
    try:
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=COMMAND_MOST
        )
    except subprocess.TimeoutExpired:
        return {"cpu": f"more than {COMMAND_MOST}"}
    *said, cpu, memory = done.stderr.split()
    answer = {"cpu": float(cpu), "peak_mb": int(memory) * 1024 // 10**6}
    return answer | ({"said": " ".join(said)[-60:]} if done.returncode else {"characters": len(done.stdout)})


# --- files ------------------------------------------------------------------------------------------------
def import_text(directory: Path, size: int) -> dict[str, Any]:
    """Short comments, as a copied page has them."""
    head, part = b"Title\nSome text.\nComments\n", b"A body\nA body says a word.\n" * 1_000
    parts = itertools.chain([head], itertools.repeat(part, size // len(part)))
    return take_file(directory, parts, how=["publish", "--dry-run"])


def import_sparse(directory: Path, size: int) -> dict[str, Any]:
    """A file that begins as a bundle, and has a hole for the rest."""
    bundle = write_bundle(Header(PARAMS.name, 1, 1), [])
    return take_file(directory, itertools.islice(bundle, 2), size)


def import_deep(directory: Path, count: int) -> dict[str, Any]:
    """A bundle of posts that are arrays in arrays, as deep as they are long."""
    deep = (b"\x81" * (limits.MAX_POST - 4) + n.to_bytes(4, "big") for n in range(count))
    return take_file(directory, write_bundle(Header(PARAMS.name, 1, count), deep))


def take_file(
    directory: Path, parts: Iterable[bytes], size: int = 0, how: Sequence[str] = ("import",)
) -> dict[str, Any]:
    """A file of at least this size."""
    path = directory / "bomb"
    with path.open("wb") as file:
        file.writelines(parts)
        file.truncate(max(size, file.tell()))
    with nodes(directory, ["plain"]) as (node,):
        return paid(node, *how, str(path))


# --- requests ---------------------------------------------------------------------------------------------
def requests(directory: Path, count: int) -> dict[str, Any]:
    """`[`s as many as a request may have, to the endpoints that take JSON: CPU and memory of the node."""
    body = b"[" * (limits.MAX_API_BODY - 96)
    with nodes(directory, ["plain"]) as (node,):
        node.start()
        before, cpu = peak(node), node.cpu()
        answers = {
            path: Counter(_status(node, path, body) for _ in range(count))
            for path in ("/v1/forget", "/v1/pin", "/v1/sync")
        }
        cpu = (node.cpu() - cpu) / count / len(answers)
        return {
            **{path: " ".join(sorted(statuses)) for path, statuses in answers.items()},
            "tracebacks": node.log().count("Traceback"),
            "cpu_ms": 1_000 * cpu,
            "grew_mb": (peak(node) - before) / 10**6,
        }


def _status(node: DemoNode, path: str, body: bytes) -> str:
    with closing(_UnixConnection(node.node._path, 10.0)) as connection:
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__


SCENES: dict[str, Scene] = {
    "read, 20 bombs": lambda directory: bombs(directory, 20),
    "read, chain of 2,000": lambda directory: read(directory, a_chain(2_000)),
    "import, 256 MiB of text": lambda directory: import_text(directory, 256 * MIB),
    "import, 10 GiB that are not there": lambda directory: import_sparse(directory, 10 * 1024 * MIB),
    "import, 5,000 deep posts": lambda directory: import_deep(directory, 5_000),
    "requests, 600 of 4,000 [": lambda directory: requests(directory, 200),
}
QUICK: dict[str, Scene] = {
    "read, 2 bombs": lambda directory: bombs(directory, 2),
    "import, 5 MiB of text": lambda directory: import_text(directory, 5 * MIB),
    "requests, 6 of 4,000 [": lambda directory: requests(directory, 2),
}


if __name__ == "__main__":
    play(SCENES, QUICK, sys.argv[1:])
