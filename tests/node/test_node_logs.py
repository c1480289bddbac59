"""A thousand posts by stem, gossip and sync, among bad peers: what the logs say of them at DEBUG."""

import base64
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
import trio
from log_lint import LogLint
from strategies import TEST_NETWORK, a_post

from p2pforum.api.client import NodeClient
from p2pforum.api.server import serve_api
from p2pforum.config import Config
from p2pforum.core.errors import P2PForumError
from p2pforum.core.post import Post
from p2pforum.core.post_id import format_id, short_id
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.service import PROTOCOL, GossipService
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import Message, Rpc, encode_rpc
from p2pforum.ingest import Verdict
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.node import Node, now_hours
from p2pforum.stem import router
from p2pforum.stem.params import StemParams
from p2pforum.stem.wire import encode_frame
from p2pforum.store.posts import Store, open_store

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BOARDS = [f"board-of-{name}" for name in ("cats", "code", "music", "books", "garden", "maps")]
PEERS = ["12D3KooW" + "".join(Random(n).choices(BASE58, k=44)) for n in range(5)]
OPEN = Config(network=TEST_NETWORK.name, hide_origin=False)
HIDING = replace(OPEN, hide_origin=True)


def some_posts(count: int, name: str) -> list[Post]:
    hour = now_hours()
    return [
        a_post(f"{name} {n}", key=n % 40 + 1, board=BOARDS[n % len(BOARDS)], hour=hour) for n in range(count)
    ]


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """In real time: the stores work in threads. The bound is for a failing test only."""
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.02)


@dataclass
class Resident:
    node: Node
    store: Store
    network: MemoryNetwork
    client: NodeClient

    def holds(self, posts: Sequence[Post]) -> bool:
        return len(self.store.known([post.id for post in posts])) == len(posts)


async def reside(
    hub: MemoryHub, directory: Path, config: Config, task_status: trio.TaskStatus[Resident]
) -> None:
    """A whole node with its socket, until cancelled."""
    peer = PEERS[int(directory.name)]
    with open_store(directory, TEST_NETWORK) as store:
        async with hub.network(peer) as network, trio.open_nursery() as nursery:
            node = Node(config, store, network, Random(peer))
            await nursery.start(serve_api, node.desk, directory / "api.sock")
            await nursery.start(node.run)
            task_status.started(Resident(node, store, network, NodeClient(directory / "api.sock")))


async def misbehave(hub: MemoryHub, victim: Resident, invalid: Message) -> None:
    """Peers that break one protocol each."""
    told = [
        (TEST_NETWORK.sync_protocol, b"\xff" * 500),
        (TEST_NETWORK.stem_protocol, encode_frame(invalid.data)),
        (PROTOCOL, frame(encode_rpc(Rpc(publish=(invalid,))))),
        (PROTOCOL, b"\xff" * 500),
    ]
    for n, (protocol, data) in enumerate(told):
        async with hub.network(f"{PEERS[4]}{n}") as network:
            peer = await network.dial(victim.network.addresses[0])
            async with await network.open_stream(peer, protocol) as stream:
                with trio.move_on_after(1), contextlib.suppress(trio.BrokenResourceError):
                    await stream.send_all(data)
                    while await stream.receive_some():
                        pass


def told_of(client: NodeClient, post: Post, invalid: bytes) -> list[str]:
    """What commands print: of the node, of its peers, and of what can't be."""
    found = [json.dumps(client.status()), *map(json.dumps, client.peers())]
    asked: list[Callable[[], object]] = [
        lambda: client.submit(invalid),
        lambda: client.submit(b"junk"),
        lambda: client.forget(post.id),
        lambda: client.pin(post.id, True),
        lambda: list(client.sync()),
        lambda: list(client.sync("nobody")),
    ]
    for ask in asked:
        try:
            found.append(json.dumps(ask()))
        except P2PForumError as error:
            found.append(str(error))
    return found


class World:
    """An author that hides behind a guard, which hides nothing; one that has old posts; and a late one."""

    def __init__(self, directory: Path, count: int) -> None:
        self.hidden, self.open = some_posts(15, "Hidden."), some_posts(count // 2, "Open.")
        self.old = some_posts(count - len(self.hidden) - len(self.open), "Old.")
        self.posts = [*self.hidden, *self.open, *self.old]
        (self.forged,) = some_posts(1, "Forged.")
        self.shown: list[str] = []  # what commands print
        self._directory = directory

    async def live(self) -> None:
        hub = MemoryHub(Random(1))
        async with trio.open_nursery() as nursery:
            author, guard, before, late = [
                await nursery.start(reside, hub, self._directory / str(n), OPEN if n else HIDING)
                for n in range(4)
            ]
            before.store.add([(post, True) for post in self.old])
            for one, other in ((author, guard), (guard, before), (late, guard), (late, before)):
                await one.network.dial(other.network.addresses[0])
            await until(lambda: guard.node.gossip.has_taker and author.node.stem.view().guards_connected)
            for one, posts in ((author, self.hidden), (guard, self.open)):
                for post in posts:
                    await one.node.desk.submit(post.raw)
            wrong = self.forged.raw[:-1] + bytes([self.forged.raw[-1] ^ 1])
            await misbehave(hub, guard, Message(TEST_NETWORK.topic, wrong))
            for one in (author, guard, late, before):
                self.shown += await trio.to_thread.run_sync(told_of, one.client, self.old[0], wrong)
            await until(lambda: all(one.holds(self.posts) for one in (author, guard, before, late)))
            nursery.cancel_scope.cancel()


async def said(directory: Path, count: int, caplog: pytest.LogCaptureFixture) -> tuple[LogLint, str]:
    """Everything that the logs and the commands said of a run, tracebacks included."""
    caplog.set_level(logging.DEBUG)
    world = World(directory, count)
    await world.live()
    return LogLint([*world.posts, world.forged], PEERS), "\n".join([caplog.text, *world.shown])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    params = StemParams(settle=0.05, hop_delay=0.05, embargo=0.5, embargo_mean=0.2)
    monkeypatch.setattr(router, "StemParams", lambda: params)
    monkeypatch.setattr("p2pforum.core.limits.STEM_LOOK_SECONDS", 0.05)


@pytest.mark.slow
async def test_a_thousand_posts_and_no_line_names_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lint, text = await said(tmp_path, 1_000, caplog)
    assert lint.complaints(text) == []
    for word in ("dropped a peer", "a sync session:", "stem frame", "invalid post", PEERS[1]):
        assert word in text, "or there was nothing to find"


@pytest.mark.slow
async def test_control_a_line_that_joins_them_is_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pronounce = GossipService._pronounce

    def leak(self: GossipService, batch: Sequence[Validate], verdicts: Sequence[Verdict]) -> None:
        for validate, verdict in zip(batch, verdicts, strict=True):
            if verdict.post:
                log = logging.getLogger("p2pforum.gossip.service")
                log.debug("%s came from %s", short_id(verdict.post.id), validate.peer)
        pronounce(self, batch, verdicts)

    monkeypatch.setattr(GossipService, "_pronounce", leak)
    lint, text = await said(tmp_path, 60, caplog)
    assert len(lint.complaints(text)) >= 30


WAYS = [
    lambda post: post.id.hex(),
    lambda post: format_id(post.id),
    lambda post: short_id(post.id).upper(),
    lambda post: base64.b64encode(post.author).decode()[:12],
    lambda post: f"{post.author!r}",
    lambda post: message_id(post.raw).hex()[-10:],
    lambda post: f"{post.payload.board} from {PEERS[2]}",
]


@pytest.mark.parametrize("way", WAYS)
def test_control_however_it_is_written(way: Callable[[Post], str]) -> None:
    posts = some_posts(50, "A post.")
    lint = LogLint(posts, PEERS)
    assert lint.complaints(f"a sync session: 12345678 new posts\n{PEERS[2]}\n{BOARDS[0]}\n") == []
