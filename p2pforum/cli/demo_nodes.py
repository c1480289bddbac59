"""Real nodes as processes of their own, for the demo."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from p2pforum.app.session import Session
from p2pforum.app.unlocking import made_keystore
from p2pforum.app.writing import Done, Writer
from p2pforum.core.errors import NodeUnreachable, P2PForumError
from p2pforum.core.post import Post
from p2pforum.core.post_id import format_id
from p2pforum.core.verdict import Outcome
from p2pforum.forum.publish import Published
from p2pforum.store.queries import Reader

# A test network, because minting six stamps would take most of the demo's time. It makes no detours: three
# nodes are too few to hide an origin.
_LISTEN = 'listen = ["/ip4/127.0.0.1/tcp/0"]\n'  # only this machine can reach them
_CONFIG = f'network = "test.demo"\nhide_origin = false\n{_LISTEN}'
_CHECKOUT = Path(__file__).parent.parent.parent  # where `-m p2pforum` is found, installed or not
_PATIENCE = 30.0  # seconds for anything that should take one
_PAUSE = 0.01  # seconds between two looks


class DemoNode:
    """A node under a home of its own. Leaving the `with` ends its process."""

    def __init__(self, name: str, home: Path, config: str = _CONFIG) -> None:
        self.name = name
        self._home = home
        self.process: subprocess.Popen[bytes] | None = None
        self._log = home.with_suffix(".log")
        home.mkdir(mode=0o700)
        self.session = Session(str(home))
        self.session.paths.config_file.write_text(config)
        self.node = self.session.node
        self._keystore, _ = made_keystore(self.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.session.close()

    @property
    def data_dir(self) -> Path:
        return self.session.paths.data_dir

    @property
    def runs(self) -> bool:
        return self.process is not None

    @property
    def reader(self) -> Reader:
        return self.session.reader

    def start(self, *peers: str) -> None:
        """Returns when the node answers. If it ends instead, raises P2PForumError with its output."""
        named = [part for peer in peers for part in ("--peer", peer)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command("run", *named), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=_CHECKOUT
            )
        wait_until(self._answers, f"node {self.name} did not start")

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "p2pforum", "--home", str(self._home), *arguments]

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            said = self._log.read_text(errors="replace").strip()
            raise P2PForumError(f"node {self.name} ended at once:\n{said[-2000:]}")
        try:
            return bool(self.node.status())
        except NodeUnreachable:
            return False

    def stop(self) -> None:
        """End the node's process; kill it if it still runs after 10 seconds."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def address(self) -> str:
        return str(self.node.status()["addresses"][0])

    # -- writing as a user of this node would ------------------------------------------------------

    def new_thread(self, board: str, subject: str, body: str) -> Published:
        return self._write(lambda writer: writer.post(board, subject, body))

    def reply(self, to: Sequence[Post], body: str) -> Published:
        return self._write(lambda writer: writer.reply([post.id for post in to], body))

    def _write(self, act: Callable[[Writer], Done]) -> Published:
        with Writer(self.session, self._keystore) as writer:
            published = act(writer).published
        if published.outcome is not Outcome.STORED:
            raise P2PForumError(f"a post was not taken: {published.problem}")
        return published

    # -- looking ------------------------------------------------------------------------------------

    def holds(self, post: Post) -> bool:
        row = self.reader.post(post.id)
        return row is not None and row.released

    def print_thread(self, root: bytes, *, color: bool) -> None:
        """By the command that a user would use."""
        options = ["--color", "always" if color else "never"]
        subprocess.run(
            self._command(*options, "read", format_id(root), "--no-pager"), check=True, cwd=_CHECKOUT
        )

    def authors(self) -> set[bytes]:
        reader = self.reader
        return {row.author for thread in reader.threads(None, 100) for row in reader.thread(thread.root)}

    def seeds(self) -> list[bytes]:
        return [key.seed for key in self._keystore.read().keys.values()]

    def files(self) -> list[bytes]:
        return [path.read_bytes() for path in self.session.paths.data_dir.iterdir() if path.is_file()]


@dataclass(frozen=True, slots=True)
class TraceCounts:
    """What a search of a node's files found."""

    peer_ids: int
    seeds: int


def traces(node: DemoNode, others: Sequence[DemoNode]) -> TraceCounts:
    """Search the data directory of a node for the other nodes' peer IDs, and for any seed of any of them."""
    files = node.files()

    def found(needle: bytes) -> bool:
        return any(needle in file for file in files)

    peer_ids = [other.node.status()["peer_id"].encode() for other in others]
    return TraceCounts(
        sum(map(found, peer_ids)), sum(found(seed) for n in (node, *others) for seed in n.seeds())
    )


def wait_until(condition: Callable[[], bool], complaint: str) -> None:
    """Look again and again. Raises P2PForumError after half a minute."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise P2PForumError(complaint)
        time.sleep(_PAUSE)


def wait_for_posts(nodes: Sequence[DemoNode], posts: Sequence[Post]) -> list[float]:
    """Seconds from now until each node holds all of these posts, as the node publishes them."""
    began = time.monotonic()
    missing = {node.name: node for node in nodes}
    waits: list[float] = []

    def all_there() -> bool:
        for node in list(missing.values()):
            if all(map(node.holds, posts)):
                waits.append(time.monotonic() - began)
                del missing[node.name]
        return not missing

    wait_until(all_there, f"post {format_id(posts[-1].id)[:8]} did not reach every node")
    return waits


def wait_for_mesh(nodes: Sequence[DemoNode]) -> None:
    """Wait until every node pushes posts to a peer: until subscriptions have been exchanged."""
    wait_until(
        lambda: all(node.node.status()["gossip"]["mesh_peers"] > 0 for node in nodes),
        "the nodes did not find each other",
    )


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
