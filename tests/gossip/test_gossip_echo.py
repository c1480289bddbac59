"""What a node tells of an own post's way is what a tap on its streams saw, and it keeps nothing of it.

Negative controls: the two counts that would be easier, of connected peers and of those that the post was
first sent to, are both wrong in the same run.
"""

import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import trio
from strategies import HOUR, TEST_NETWORK, a_post
from trio.testing import MockClock

from p2pforum import node as composition
from p2pforum.config import Config
from p2pforum.core.post import Post
from p2pforum.core.verdict import Outcome
from p2pforum.gossip.echo import Echo
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.service import PROTOCOL, GossipService
from p2pforum.gossip.wire.framing import FrameSplitter
from p2pforum.gossip.wire.rpc import Rpc, decode_rpc
from p2pforum.ingest import Door
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.store.posts import open_store

CONFIG = Config(network=TEST_NETWORK.name, hide_origin=False)
PEERS = [f"peer{n}" for n in range(16)]


class Tap(trio.abc.Stream):
    """A stream on which somebody listens."""

    def __init__(self, inner: trio.abc.Stream, sent: bytearray, received: bytearray) -> None:
        self._inner, self._sent, self._received = inner, sent, received

    async def send_all(self, data: bytes) -> None:
        self._sent += data
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        chunk = await self._inner.receive_some(max_bytes)
        self._received += chunk
        return bytes(chunk)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Capture:
    """All bytes of all gossip streams of one node, by peer."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._streams: list[tuple[str, bytearray, bytearray]] = []
        self._open, self._set = network.open_stream, network.set_handler
        network.open_stream, network.set_handler = self._open_stream, self._set_handler  # type: ignore[method-assign]

    def _tap(self, peer: str, stream: trio.abc.Stream) -> Tap:
        sent, received = bytearray(), bytearray()
        self._streams.append((peer, sent, received))
        return Tap(stream, sent, received)

    async def _open_stream(self, peer: str, protocol: str) -> trio.abc.Stream:
        stream = await self._open(peer, protocol)
        return self._tap(peer, stream) if protocol == PROTOCOL else stream

    def _set_handler(self, protocol: str, handler: object) -> None:
        async def tapped(peer: str, stream: trio.abc.Stream) -> None:
            await handler(peer, self._tap(peer, stream) if protocol == PROTOCOL else stream)  # type: ignore[operator]

        self._set(protocol, tapped)

    def counts(self, post: Post) -> dict[str, int]:
        handed, told, heard = set(), set(), set()
        name = message_id(post.raw)
        for peer, sent, received in self._streams:
            for rpc in _rpcs(sent):
                if any(message.data == post.raw for message in rpc.publish):
                    handed.add(peer)
                if any(name in offer.ids for offer in rpc.ihave):
                    told.add(peer)
            for rpc in _rpcs(received):
                if any(m.data == post.raw for m in rpc.publish) or any(name in o.ids for o in rpc.ihave):
                    heard.add(peer)
        return {"handed": len(handed), "told": len(told - handed), "heard": len(heard)}


def _rpcs(data: bytearray) -> list[Rpc]:
    return [decode_rpc(body) for body in FrameSplitter().feed(bytes(data))]


class Shelf:
    """A store in memory: another node's, of which nothing is asked here."""

    def __init__(self) -> None:
        self.posts: dict[bytes, Post] = {}

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        return self.posts.keys() & set(ids)

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        return set()

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        new = [post.id not in self.posts for post, _ in posts]
        self.posts |= {post.id: post for post, _ in posts}
        return new


@asynccontextmanager
async def author(directory: Path, seed: int) -> AsyncIterator[tuple[composition.Node, Capture]]:
    """A whole node, connected to sixteen others that are connected to some of each other."""
    rng = Random(seed)
    hub = MemoryHub(rng, (0.01, 0.4))
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        for name in PEERS:
            network = await stack.enter_async_context(hub.network(name))
            gossip = GossipService(network, Door(Shelf(), TEST_NETWORK, lambda: HOUR), rng, _nothing)
            await nursery.start(gossip.run)
        network = await stack.enter_async_context(hub.network("author"))
        capture = Capture(network)
        store = stack.enter_context(open_store(directory, TEST_NETWORK))
        node = composition.Node(CONFIG, store, network, rng)
        await nursery.start(node.run)
        for n, name in enumerate(PEERS):
            await network.dial(f"/memory/{name}/p2p/{name}")
            for other in rng.sample(PEERS[:n], min(n, 4)):
                await hub.find(name).dial(f"/memory/{other}/p2p/{other}")  # type: ignore[union-attr]
        node.sync.clocks.note(PEERS[0], HOUR, dialled=True)  # its peers speak gossip only
        await trio.sleep(20)
        yield node, capture
        nursery.cancel_scope.cancel()


async def _nothing(_: Sequence[bytes]) -> None:
    pass


async def inline(function: Callable[..., object], *arguments: object) -> object:
    """In place of a thread: a virtual clock jumps while a thread works."""
    await trio.lowlevel.checkpoint()
    return function(*arguments)


@pytest.fixture(autouse=True)
def _still_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "now_hours", lambda: HOUR)
    monkeypatch.setattr(trio.to_thread, "run_sync", inline)


@pytest.mark.parametrize("seed", range(3))
async def test_the_report_is_what_a_tap_on_the_streams_saw(
    autojump_clock: MockClock, tmp_path: Path, seed: int
) -> None:
    async with author(tmp_path, seed) as (node, capture):
        post = a_post("Who has seen this?", subject="Mine")
        submitted = await node.desk.submit(post.raw, listen=5)
        assert submitted.outcome is Outcome.STORED
        truth = capture.counts(post)
        assert submitted.spread == truth
        assert 0 < truth["handed"] < len(PEERS)
        assert truth["told"] + truth["heard"] > 0
        assert truth["handed"] != len(node.desk.peers())  # the negative control: a count of connected peers


@pytest.mark.slow
async def test_without_listening_it_is_what_left_at_once(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with author(tmp_path, 1) as (node, capture):
        post = a_post("Who has seen this?", subject="Mine")
        at_once = (await node.desk.submit(post.raw)).spread
        assert at_once is not None
        assert at_once["handed"] > 0
        assert (at_once["told"], at_once["heard"]) == (0, 0)
        await trio.sleep(5)
        assert capture.counts(post) != at_once  # the negative control: what comes later counts, too


@pytest.mark.slow
async def test_only_a_new_post_is_counted_and_then_forgotten(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with author(tmp_path, 2) as (node, _):
        post = a_post("Who has seen this?", subject="Mine")
        with trio.move_on_after(1.5):  # a front end that goes away
            await node.desk.submit(a_post("Another.", subject="Other").raw, listen=5)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.desk.submit, post.raw, 3)
            await trio.sleep(1)
            assert len(_echoes()) == 1  # the negative control: while somebody waits there is one
        assert (await node.desk.submit(post.raw, listen=3)).spread is None  # a duplicate
        assert _echoes() == []
        assert node.after_stem.leaving == {}


def _echoes() -> list[Echo]:
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, Echo)]


async def test_alone_nobody_is_handed_anything(autojump_clock: MockClock, tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with hub.network("author") as network, trio.open_nursery() as nursery:
        with open_store(tmp_path, TEST_NETWORK) as store:
            node = composition.Node(CONFIG, store, network, Random(1))
            await nursery.start(node.run)
            submitted = await node.desk.submit(a_post("Alone.").raw, listen=1)
            assert submitted.spread == {"handed": 0, "told": 0, "heard": 0}
            nursery.cancel_scope.cancel()
