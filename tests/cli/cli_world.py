"""The program in this process, at an hour that stands still, with streams that are no terminal."""

import io
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import trio
from nacl.bindings import crypto_sign_seed_keypair
from node_answers import a_peer, a_status, sums

from p2pforum.api.answers import NodeStatus, PeerStatus, SyncResult
from p2pforum.api.backend import Submitted, SyncProgress
from p2pforum.api.new_posts import NewPosts
from p2pforum.api.server import serve_api
from p2pforum.cli.main import run
from p2pforum.config import find_paths, load_config
from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, NotFound
from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Payload, Post, sign
from p2pforum.core.stamp import blank_stamp
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.store import pins
from p2pforum.store.posts import open_store
from p2pforum.store.retention import clean, forget

HOUR = 498_765  # 2026-11-24 21:00 UTC
PARAMS = params_for("test.cli")
# It names the board "library", so that posts there start no new one; the number of days is the usual one.
CONFIG = f'network = "test.cli"\nretention = {{ library = {limits.RETENTION_HOURS // 24} }}\n'
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class World:
    """One person's machine: `home` is P2PFORUM_HOME, with a config for a network without stamps."""

    home: Path
    keys: dict[str, bytes] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str | bytes = "") -> Result:
        """Run one command as `main` would, but for leaving the process."""
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        streams = [io.TextIOWrapper(io.BytesIO(b), "utf-8", write_through=True) for b in (raw, b"", b"")]
        before = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = streams
        try:
            code = run(arguments)
        finally:
            sys.stdin, sys.stdout, sys.stderr = before
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])  # type: ignore[attr-defined]
        return Result(code, out, err)

    def ok(self, *arguments: str, stdin: str | bytes = "") -> Result:
        result = self.run(*arguments, stdin=stdin)
        assert result.code == 0, result
        return result

    def process(self, *arguments: str, stdin: str = "") -> Result:
        """Run one command in a process of its own."""
        program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from p2pforum.cli.main import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def keep(self, *posts: Post, released: bool = True) -> None:
        """Put posts into the store, as if they had come in."""
        with open_store(find_paths(self.home).data_dir, PARAMS) as store:
            store.add([(post, released) for post in posts])

    @contextmanager
    def node(self) -> Iterator["SmallNode"]:
        """A running node without a network: the real API, door and store, in a thread."""
        node = SmallNode(self.home)
        thread = threading.Thread(target=trio.run, args=(node.run,))
        thread.start()
        assert node.ready.wait(20)
        try:
            yield node
        finally:
            with suppress(trio.RunFinishedError):  # `p2pforum stop` was the test
                trio.from_thread.run_sync(node.stop, trio_token=node.token)
            thread.join()


def post(
    author: str,
    body: str,
    *,
    subject: str = "",
    to: Sequence[Post] = (),
    board: str = "library",
    hour: int = HOUR,
    content: tuple[Any, ...] | None = None,
    kind: int = Kind.POST,
) -> Post:
    """A valid post; the same arguments give the same post. `author` is any text."""
    seed = author.encode().ljust(32, b".")[:32]
    public = crypto_sign_seed_keypair(seed)[0]
    root = to[0].thread if to else b""
    parents = tuple(sorted(p.id for p in to))
    content = content or ((body,) if to else (subject, body))
    board = to[0].payload.board if to else board
    return sign(Payload(kind, board, root, parents, hour, content, blank_stamp(0)), seed, public, PARAMS)


def discussion() -> list[Post]:
    """A root, two answers to it, an answer to one of those, and one that joins both ends."""
    root = post(
        "ada", "Ran a node all week.\n\nAnyone syncing over a bundle?", subject="A week", hour=HOUR - 30
    )
    yes = post("bob", "> Anyone syncing over a bundle?\n\nYes, weekly.", to=[root], hour=HOUR - 5)
    same = post("cyd", "Same here.", to=[root], hour=HOUR - 2)
    which = post("ada", "Which stick?", to=[yes], hour=HOUR - 1)
    join = post("bob", "Thanks, both.", to=[same, which], hour=HOUR)
    return [root, yes, same, which, join]


class SmallNode:
    """`ApiBackend` on a real store. `peers_connected` and `syncs` are what it pretends of a network."""

    def __init__(self, home: Path) -> None:
        self._paths = find_paths(home)
        self.new_posts = NewPosts()
        self.ready = threading.Event()
        self.token: trio.lowlevel.TrioToken
        self.peers_connected: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.reloads = 0
        self.facts: dict[str, Any] = {}  # of `status`, beyond the usual
        self.result: dict[str, Any] = {"wanted": 3, "got": 3, "new": 3, "sent": 1, "bytes": 900}

    async def run(self) -> None:
        self.token = trio.lowlevel.current_trio_token()
        self._stopping = trio.Event()
        params = load_config(self._paths).params
        with open_store(self._paths.data_dir, params) as store:
            self._store = store
            self._door = Door(store, params, lambda: HOUR, public=self.new_posts.tell)
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_api, self, self._paths.socket_path)
                self.ready.set()
                await self._stopping.wait()
                nursery.cancel_scope.cancel()

    async def submit(self, raw: bytes, listen: float) -> Submitted:
        (verdict,) = await self._door.ingest([raw], Origin.LOCAL)
        spread = {"handed": 2, "told": 1, "heard": 1 if listen else 0}
        is_new = verdict.outcome is Outcome.STORED
        post_id = verdict.post and verdict.post.id
        return Submitted(verdict.outcome, post_id, verdict.reason, spread if is_new else None)

    async def forget(self, post_id: bytes) -> bool:
        return bool(await trio.to_thread.run_sync(forget, self._store, [post_id]))

    async def scrub(self) -> bool:
        return await trio.to_thread.run_sync(clean, self._store)

    async def submit_bundle(self, raws: Sequence[bytes]) -> Counter[Outcome]:
        return Counter(verdict.outcome for verdict in await self._door.ingest(raws, Origin.BUNDLE))

    async def pin(self, root: bytes, pinned: bool) -> bool:
        return await trio.to_thread.run_sync(pins.pin if pinned else pins.unpin, self._store, root)

    def status(self) -> NodeStatus:
        usual: dict[str, Any] = {
            "network": "test.cli",
            "addresses": ["/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWself"],
            "peers": len(self.peers_connected),
            "book": {"new": 340, "tried": 12, "outbound": 3},
            "lan": {"told": 1, "found": 2},
        }
        return a_status(**usual | self.facts)

    def peers(self) -> list[PeerStatus]:
        return [a_peer(**peer) for peer in self.peers_connected]

    async def sync(self, target: str, progress: SyncProgress) -> SyncResult:
        if target == "nobody":
            raise NotFound('no connected peer is called "nobody"')
        if target.startswith("/"):
            raise NetworkError("nobody listens there")
        for step in self.steps:
            progress(sums(**step))
            await trio.testing.wait_all_tasks_blocked()
        result: Any = {"done": 1, "sessions": [], **sums()}
        return result | self.result

    def reload(self) -> None:
        self.reloads += 1

    def stop(self) -> None:
        self._stopping.set()


def still_clock(module: Any) -> SimpleNamespace:
    """In place of the module `time`: its hour stands still at HOUR."""
    return SimpleNamespace(
        time_ns=lambda: HOUR * 3_600_000_000_000 + 1, strftime=module.strftime, gmtime=module.gmtime
    )
