"""Sessions between real services over in-process streams: who starts them, and how each way to end ends."""

import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, SimpleNamespace

import pytest
import trio
import trio.testing
from list_items import Key, two_sets
from memory_posts import KeysOnly, MemoryPosts, MemorySnapshot
from strategies import HOUR, TEST_NETWORK
from sync_nodes import SyncNode, sync_node, two_nodes
from sync_pair import pool

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, RemoteProtocolError, StoreError
from p2pforum.core.post import Post
from p2pforum.network.memory_network import MemoryHub
from p2pforum.sync import service
from p2pforum.sync.terms import Settings
from p2pforum.sync.wire.frames import SyncFrameReader, encode
from p2pforum.sync.wire.payloads import Code, End, Hello

POSTS = pool(600)
PROTOCOL = TEST_NETWORK.sync_protocol
Clock = trio.testing.MockClock
buffers = pytest.mark.parametrize("buffer", [64 * 1024, 0], ids=["buffered", "lockstep"])


@buffers
async def test_both_sides_come_to_the_union(buffer: int) -> None:
    async with two_nodes(POSTS[:350], POSTS[250:], buffer=buffer) as (a, b):
        steps: list[int] = []
        report = await a.sync.sync(b.network.peer_id, lambda r: steps.append(r.new))
        assert a.ids == b.ids == {p.id for p in POSTS}
        assert (report.new, report.sent, report.code) == (250, 250, Code.DONE)
        assert report.complete
        assert steps == sorted(steps)
        assert steps[-1] == 250
        again = await b.sync.sync(a.network.peer_id)
        assert (again.received, again.sent, again.differing) == (0, 0, 0)
        assert again.moved < 400


async def test_each_side_learns_what_hour_it_is_for_the_other() -> None:
    async with two_nodes(POSTS, []) as (a, b):
        assert (a.sync.clocks.offset(), b.sync.clocks.is_confirmed) == (None, False)
        heard_at: list[bool] = []
        await b.sync.sync(a.network.peer_id, lambda r: heard_at.append(b.sync.clocks.is_confirmed))
        assert len(heard_at) > 1
        assert heard_at[0], "long before the session ends"
        assert (a.sync.clocks.offset(), b.sync.clocks.offset()) == (0, None), (
            "only who dialled takes its word"
        )
        assert b.sync.clocks.is_confirmed


@buffers
async def test_a_new_node_fetches_everything(buffer: int) -> None:
    async with two_nodes([], POSTS, buffer=buffer) as (a, b):
        report = await a.sync.sync(b.network.peer_id)
        assert a.ids == b.ids
        assert report.complete
        assert report.wanted == report.new == 600


@buffers
async def test_both_may_start_at_once(buffer: int) -> None:
    async with two_nodes(POSTS[:400], POSTS[200:], buffer=buffer) as (a, b), trio.open_nursery() as nursery:
        for here, there in ((a, b), (b, a), (a, b)):
            nursery.start_soon(here.sync.sync, there.network.peer_id)
    assert a.ids == b.ids == {p.id for p in POSTS}


@pytest.mark.slow
async def test_a_lost_connection_loses_nothing_that_came() -> None:
    hub = MemoryHub(random.Random(1))
    async with sync_node(hub, "left") as a, sync_node(hub, "right", pool(2500, 3, 200)) as b:

        def cut(report: object) -> None:
            hub.partition([["left"], ["right"]])

        peer = await a.dial(b)
        with pytest.raises(NetworkError):
            await a.sync.sync(peer, cut)
        got = len(a.ids)
        assert 0 < got < 2500
        hub.heal()
        report = await a.sync.sync(await a.dial(b))
        assert report.new == 2500 - got
        assert a.ids == b.ids


async def test_a_stream_that_just_ends_is_no_success() -> None:
    async with two_nodes(POSTS, []) as (a, b):

        async def leave(_: str, stream: trio.abc.Stream) -> None:
            await stream.send_all(encode(Hello(bytes(16), HOUR, 0)))

        b.network.set_handler(PROTOCOL, leave)
        with pytest.raises(NetworkError, match="in the middle"):
            await a.sync.sync(b.network.peer_id)


async def test_a_long_bootstrap_keeps_no_snapshot_open() -> None:
    """An open snapshot keeps the database from shrinking its log, and this side has nothing to show."""
    async with two_nodes([], pool(2500, 3, 200)) as (a, b):
        opened: list[bool] = []
        seal = a.store.snapshot

        @contextmanager
        def watched() -> Iterator[MemorySnapshot]:
            with seal() as snapshot:
                opened.append(True)
                yield snapshot
            opened.clear()

        a.sync._store_snapshot = watched
        open_at: list[int] = []
        await a.sync.sync(b.network.peer_id, lambda r: open_at.append(r.new) if opened else None)
        assert a.ids == b.ids
        assert len(open_at) <= 1
        assert max(open_at, default=0) < 1_000


class TestRunning:
    async def test_the_dialler_starts_a_session_at_once(self) -> None:
        hub = MemoryHub(random.Random(1))
        async with (
            sync_node(hub, "left", POSTS[:10]) as a,
            sync_node(hub, "right", POSTS[5:]) as b,
            trio.open_nursery() as nursery,
        ):
            for node in (a, b):
                node.sync.settings = Settings(every=1e9)
                nursery.start_soon(node.sync.run)
            await a.dial(b)
            await until(lambda: a.ids == b.ids)
            assert (a.door.came, b.door.came) == (590, 5)  # one session, not one from each side
            nursery.cancel_scope.cancel()

    async def test_a_session_with_a_peer_drawn_by_lot_now_and_then(self, patient_clock: Clock) -> None:
        async with two_nodes(POSTS[:10], POSTS[5:20]) as (a, b), trio.open_nursery() as nursery:
            nursery.start_soon(b.sync.run)  # b was dialled: it starts none by itself at first
            await trio.sleep(limits.SYNC_EVERY_SECONDS * 0.4)
            assert len(b.ids) == 15
            await trio.sleep(limits.SYNC_EVERY_SECONDS * 1.2)
            assert a.ids == b.ids
            nursery.cancel_scope.cancel()

    async def test_sessions_go_on_while_a_budget_leaves_something(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with two_nodes(POSTS[::3], POSTS) as (a, b), trio.open_nursery() as nursery:
            budget = Settings().budget.__class__(wants=70)
            a.sync.settings = Settings(budget=budget, every=1e9)
            monkeypatch.setattr(limits, "SYNC_PULL_FROM", 10_000)
            report = await a.sync.sync(b.network.peer_id)
            assert (report.new, report.left, report.complete) == (70, 330, False)
            nursery.start_soon(a.sync.run)
            await until(lambda: a.ids == b.ids)
            nursery.cancel_scope.cancel()


async def until(done: Callable[[], bool]) -> None:
    """A test that never gets there ends by its timeout."""
    while not done():
        await trio.sleep(0.005)


class TestManyPeers:
    async def test_two_peers_are_not_asked_for_the_same_post(self) -> None:
        hub = MemoryHub(random.Random(1))
        async with (
            sync_node(hub, "a", POSTS[::2]) as a,
            sync_node(hub, "b", POSTS) as b,
            sync_node(hub, "c", POSTS) as c,
        ):
            peers = [await a.dial(b), await a.dial(c)]
            async with trio.open_nursery() as nursery:
                for peer in peers:
                    nursery.start_soon(a.sync.sync, peer)
            assert a.ids == b.ids
            assert a.door.came == 300

    async def test_a_new_board_is_pulled_from_one_of_them(self) -> None:
        """But for the newest posts of boards whose names were unknown."""
        posts = pool(2500, 3, 200)
        hub = MemoryHub(random.Random(1))
        async with (
            sync_node(hub, "a") as a,
            sync_node(hub, "b", posts) as b,
            sync_node(hub, "c", posts) as c,
        ):
            peers = [await a.dial(b), await a.dial(c)]
            reports = []

            async def sync(peer: str) -> None:
                reports.append(await a.sync.sync(peer))

            async with trio.open_nursery() as nursery:
                for peer in peers:
                    nursery.start_soon(sync, peer)
            assert a.ids == b.ids
            assert a.door.came <= 2500 + 3 * limits.SYNC_FIRST_PULL
            assert sum(r.left for r in reports) == 3

    async def test_posts_that_a_peer_lists_and_never_sends_come_from_another(
        self, patient_clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub = MemoryHub(random.Random(1))
        async with (
            sync_node(hub, "a", POSTS[::2]) as a,
            sync_node(hub, "silent", POSTS) as silent,
            sync_node(hub, "honest", POSTS) as honest,
        ):
            monkeypatch.setattr("p2pforum.sync.serve.Serving.on_want", lambda *_: None)
            monkeypatch.setattr(limits, "SYNC_CLAIM_SECONDS", 10)
            stuck: list[Code] = []

            async def wait_for_silent(peer: str) -> None:
                stuck.append((await a.sync.sync(peer)).code)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait_for_silent, await a.dial(silent))
                await trio.sleep(5)
                monkeypatch.undo()
                began = trio.current_time()
                report = await a.sync.sync(await a.dial(honest))
                assert report.new == 300
                assert a.ids == honest.ids
                assert trio.current_time() - began < 10
                assert not stuck
            assert stuck == [Code.TIME]

    async def test_sessions_that_do_not_move_end_though_nobody_waits(self, patient_clock: Clock) -> None:
        hub = MemoryHub(random.Random(1))
        async with sync_node(hub, "busy", POSTS), trio.open_nursery() as nursery:
            codes: list[Code] = []

            async def stall(name: str) -> None:
                async with hub.network(name) as network:
                    stream = await network.open_stream(await network.dial("/memory/busy/p2p/busy"), PROTOCOL)
                    codes.append(await _end_of(stream))

            for n in range(limits.MAX_SYNC_INBOUND):
                nursery.start_soon(stall, f"peer-{n}")
            await trio.sleep(limits.SYNC_STALL_SECONDS - 1)
            assert not codes
            await trio.sleep(limits.SYNC_STALL_SECONDS)
            assert codes == [Code.TIME] * limits.MAX_SYNC_INBOUND

    async def test_who_has_used_up_its_seconds_is_told_so(self) -> None:
        async with two_nodes(POSTS[:5], POSTS) as (a, b):
            b.sync._reputation.had_session(a.network.peer_id, limits.SYNC_CPU_SECONDS + 60)
            assert (await a.sync.sync(b.network.peer_id)).code is Code.SPENT


async def _end_of(stream: trio.abc.Stream) -> Code:
    reader = SyncFrameReader()
    while received := await stream.receive_some():
        for frame, _ in reader.feed(bytes(received)):
            if isinstance(frame, End):
                return frame.code
    raise AssertionError("no END")


class TestFaults:
    async def test_an_invalid_post_ends_the_session_and_the_connection(self) -> None:
        async with two_nodes(POSTS[:10], POSTS[5:40]) as (a, b):
            _damage(b, POSTS[20])
            with pytest.raises(RemoteProtocolError, match="breaks a rule"):
                await a.sync.sync(b.network.peer_id)
            assert not a.network.connections()
            assert POSTS[20].id not in a.ids
            with pytest.raises(NetworkError):  # a has not forgotten
                await b.dial(a)
            with pytest.raises(NetworkError, match="broke the rules"):
                await a.dial(b)

    async def test_one_broken_peer_does_not_hurt_a_session_beside_it(self) -> None:
        hub = MemoryHub(random.Random(1))
        async with (
            sync_node(hub, "a", POSTS[:10]) as a,
            sync_node(hub, "bad", POSTS[:300]) as bad,
            sync_node(hub, "good", POSTS) as good,
        ):
            for post in POSTS[10:300]:
                _damage(bad, post)
            peers = [await a.dial(bad), await a.dial(good)]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_expect_fault, a, peers[0])
                while not len(a.sync._claims):  # that session is to be the one that asks
                    await trio.lowlevel.checkpoint()
                nursery.start_soon(a.sync.sync, peers[1])
            report = await a.sync.sync(peers[1])
            assert report.complete
            assert a.ids == good.ids

    @pytest.mark.parametrize("garbage", [b"\x16\x03\x01" * 20, bytes(100), b"\xff" * 100])
    async def test_garbage_from_an_initiator(self, garbage: bytes) -> None:
        hub = MemoryHub(random.Random(1))
        async with sync_node(hub, "node", POSTS[:9]) as node, sync_node(hub, "other", POSTS) as other:
            async with hub.network("stranger") as stranger:
                stream = await stranger.open_stream(await stranger.dial("/memory/node/p2p/node"), PROTOCOL)
                with suppress(trio.BrokenResourceError):
                    await stream.send_all(garbage)
                    while await stream.receive_some():
                        pass
                await until(lambda: not stranger.connections())
            assert (await other.sync.sync(await other.dial(node))).complete

    async def test_a_store_that_fails_is_our_fault(self) -> None:
        async with two_nodes(POSTS[:5], POSTS) as (a, b):
            add = a.store.add

            def full(posts: Sequence[tuple[Post, bool]]) -> list[bool]:
                raise StoreError("the disk is full")

            a.store.add = full  # type: ignore[method-assign]
            with pytest.raises(StoreError, match="full"):
                await a.sync.sync(b.network.peer_id)
            assert a.network.connections()  # the peer did nothing wrong
            a.store.add = add  # type: ignore[method-assign]
            assert (await a.sync.sync(b.network.peer_id)).complete

    async def test_posts_that_are_early_are_nobodys_fault(self) -> None:
        """As when the door's clock was put back in the middle of a session."""
        async with two_nodes(POSTS[:50], POSTS[40:]) as (a, b):
            young = max(post.payload.hour for post in POSTS)
            a.door.now = lambda: young - limits.FUTURE_HOURS - 1
            report = await a.sync.sync(b.network.peer_id)
            early = sum(post.payload.hour == young for post in POSTS[50:])
            assert (report.new, report.early, report.code) == (550 - early, early, Code.DONE)
            assert early > 0
            assert not report.complete
            assert a.network.connections()


def _damage(node: SyncNode, post: Post) -> None:
    """Let a node serve a post with another signature."""
    broken = Post(**{**post.__dict__, "raw": post.raw[:-1] + bytes([post.raw[-1] ^ 1])})
    node.store.posts[post.id] = broken


async def _expect_fault(node: SyncNode, peer: str) -> None:
    with pytest.raises(RemoteProtocolError):
        await node.sync.sync(peer)


class _Gauge(trio.abc.Instrument):
    """Counts calls of functions, and the most in one turn of the loop. As a clock, one takes 0.25 us.

    So slices are as long, and turns as full of work, on a machine that has other things to do.
    """

    calls = worst = 0
    _begun = 0

    def __call__(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.calls += event in ("call", "c_call")

    def clock(self) -> float:
        return self.calls * 0.25e-6

    def after_io_wait(self, timeout: float) -> None:
        self._begun = self.calls

    def before_io_wait(self, timeout: float) -> None:
        self.worst = max(self.worst, self.calls - self._begun)


@pytest.mark.slow
@pytest.mark.parametrize("slice_seconds", [limits.SYNC_SLICE_SECONDS, 1.0])
async def test_the_event_loop_does_not_stall(slice_seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn of the loop works for less than 20 ms; with slices of a second (the control) for more."""
    gauge = _Gauge()
    monkeypatch.setattr(limits, "SYNC_SLICE_SECONDS", slice_seconds)
    monkeypatch.setattr(service, "time", SimpleNamespace(perf_counter=gauge.clock))
    hub = MemoryHub(random.Random(1))
    left, right = (_Keys(_lately(keys)) for keys in two_sets(random.Random(1), 80_000, 3000, 3000, 400))
    async with sync_node(hub, "left", store=left) as a, sync_node(hub, "right", store=right) as b:
        peer = await a.dial(b)
        trio.lowlevel.add_instrument(gauge)
        sys.setprofile(gauge)
        try:
            report = await a.sync.sync(peer)
        finally:
            sys.setprofile(None)
        trio.lowlevel.remove_instrument(gauge)
    assert report.gone == 3000
    assert (gauge.worst * 0.25e-6 < 0.02) == (slice_seconds < 0.01)


def _lately(keys: Iterable[Key]) -> list[Key]:
    """The same, in the last 400 hours."""
    return [(HOUR - 400 + hour % 400, id_) for hour, id_ in keys]


class _Keys(MemoryPosts):
    """A store of items whose posts are gone."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__()
        self._snapshot = KeysOnly(keys)

    @contextmanager
    def snapshot(self) -> Iterator[KeysOnly]:
        yield self._snapshot
