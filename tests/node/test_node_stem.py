"""Own posts of a whole node with a guard: what is counted, what the log says, and what can be taken back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
from gossip_nodes import Probe, a_probe
from strategies import TEST_NETWORK, a_post

from p2pforum.config import Config
from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node, now_hours
from p2pforum.stem import router
from p2pforum.stem.params import StemParams
from p2pforum.stem.wire import ANSWER, FRAME_SIZE, decode_frame
from p2pforum.store.posts import open_store

HIDING = Config(network=TEST_NETWORK.name, retention_days=7, hold_minutes=0)
OPEN = Config(network=TEST_NETWORK.name, retention_days=7, hide_origin=False)


def written(text: str) -> Post:
    return a_post(text, hour=now_hours(), params=TEST_NETWORK)


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """In real time: the store works in threads. The bound is for a failing test only."""
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.01)


class Guard:
    """Takes gossip and stem frames, and passes nothing on."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.frames: list[bytes] = []
        probe.network.set_handler(TEST_NETWORK.stem_protocol, self._take)

    async def _take(self, _peer: PeerID, stream: trio.abc.Stream) -> None:
        frame = b""
        while len(frame) < FRAME_SIZE:
            frame += await stream.receive_some()
        await stream.send_all(ANSWER)
        if raw := decode_frame(frame):
            self.frames.append(raw)


class House:
    def __init__(self, directory: Path, config: Config, nursery: trio.Nursery) -> None:
        self._config = config
        self._nursery = nursery
        self._directory = directory

    async def start(self) -> None:
        await self._nursery.start(self._live)
        await self.meet()

    async def meet(self) -> None:
        await self.node.network.dial("/memory/guard/p2p/guard")
        await self.guard.probe.join(self)  # needs the network only
        self.node.sync.clocks.note("guard", now_hours(), dialled=True)  # as in a session of sync
        await until(lambda: self.node.gossip.has_taker)
        await until(lambda: self.node.stem.view().guards_connected)

    async def _live(self, task_status: trio.TaskStatus[None]) -> None:
        hub = MemoryHub(Random(1))
        with open_store(self._directory, TEST_NETWORK) as self.store:
            async with a_probe(hub, "guard") as probe, hub.network("node") as self.network:
                self.guard = Guard(probe)
                self.node = Node(self._config, self.store, self.network, Random(2))
                await self.node.run(task_status)


@pytest.fixture
def params(monkeypatch: pytest.MonkeyPatch) -> StemParams:
    return StemParams(settle=0.05, hop_delay=0.05)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, params: StemParams) -> None:
    monkeypatch.setattr(router, "StemParams", lambda: params)
    monkeypatch.setattr("p2pforum.core.limits.STEM_LOOK_SECONDS", 0.05)


async def test_an_own_post_goes_to_the_guard_alone_and_is_counted(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, HIDING, nursery)
        await house.start()
        post = written("Hidden.")
        submitted = await house.node.desk.submit(post.raw, listen=0.2)
        assert submitted.spread == {"handed": 1, "told": 0, "heard": 0}
        assert house.guard.frames == [post.raw]
        assert house.guard.probe.posts() == []
        assert house.store.unreleased() == [post.raw]
        nursery.cancel_scope.cancel()


async def test_control_without_hiding_it_goes_to_all_peers(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, OPEN, nursery)
        await house.start()
        post = written("Open.")
        submitted = await house.node.desk.submit(post.raw, listen=0.2)
        assert submitted.spread is not None
        assert submitted.spread["handed"] == 1
        await until(lambda: house.guard.probe.posts() == [post.raw])
        assert (house.guard.frames, house.store.unreleased()) == ([], [])
        nursery.cancel_scope.cancel()


async def test_heard_back_it_is_public_and_the_log_is_emptied(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, HIDING, nursery)
        await house.start()
        post = written("Hidden.")
        await house.node.desk.submit(post.raw)
        log = tmp_path / "node.db-wal"
        assert log.stat().st_size > 0
        await house.node.door.ingest([post.raw], Origin.GOSSIP)
        await until(lambda: log.stat().st_size == 0)
        await until(lambda: house.node.stem.view().own == 0)
        assert house.store.known([post.id]) == {post.id}
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("params", [StemParams(settle=0.05, hop_delay=0.05, embargo=0.5, embargo_mean=0.1)])
async def test_what_does_not_come_back_is_released_and_gossiped(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, HIDING, nursery)
        await house.start()
        post = written("Swallowed.")
        await house.node.desk.submit(post.raw)
        assert house.guard.frames == [post.raw]
        await until(lambda: house.guard.probe.posts() == [post.raw])
        assert house.store.known([post.id]) == {post.id}
        await until(lambda: (tmp_path / "node.db-wal").stat().st_size == 0)
        nursery.cancel_scope.cancel()


async def test_what_the_guard_has_can_not_be_forgotten_what_waits_can(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, HIDING, nursery)
        await house.start()
        posts = [written(f"{n}") for n in range(20)]
        for post in posts:
            await house.node.desk.submit(post.raw)
        assert house.guard.frames, "a guard takes eighteen at once"
        sent, waiting = posts[0], posts[-1]
        assert not await house.node.desk.forget(sent.id)
        assert await house.node.desk.forget(waiting.id)
        assert waiting.raw not in house.store.unreleased()
        assert house.node.stem.view().own == len(posts) - 1
        nursery.cancel_scope.cancel()


async def test_what_is_written_while_nobody_is_there_waits_though_a_guard_is_kept(tmp_path: Path) -> None:
    """Else it would leave the moment its guard is seen to be back."""
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, replace(HIDING, hold_minutes=24 * 60), nursery)
        await house.start()
        await house.node.network.disconnect(PeerID("guard"))
        await until(lambda: not house.node.gossip.has_taker and not house.node.stem.router.has_dialled)
        alone = written("Alone.")
        await house.node.desk.submit(alone.raw)
        assert house.node.stem.view().own == 0
        await house.meet()
        met = written("In company.")
        await house.node.desk.submit(met.raw)
        await until(lambda: house.guard.frames)
        await trio.sleep(0.5)
        assert house.guard.frames == [met.raw], "the control: it goes at once"
        assert {*house.store.unreleased()} == {alone.raw, met.raw}
        nursery.cancel_scope.cancel()


async def test_a_backlog_goes_to_the_guard_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 0.2)
    posts = [written(f"Offline {n}") for n in range(8)]
    with open_store(tmp_path, TEST_NETWORK) as store:
        store.add([(post, False) for post in posts])
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, HIDING, nursery)
        await house.start()
        await until(lambda: len(house.guard.frames) == 8)
        assert {*house.guard.frames} == {post.raw for post in posts}
        assert house.guard.frames != [post.raw for post in posts], (
            "the order of writing, which is one of 40,320"
        )
        assert house.guard.probe.posts() == []
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("hides", [True, False])
async def test_a_post_is_sent_or_forgotten_never_both(tmp_path: Path, hides: bool, is_first: bool) -> None:
    """Both orders: the user takes the post back just before the node sends it, and just after."""
    async with trio.open_nursery() as nursery:
        house = House(tmp_path, HIDING if hides else OPEN, nursery)
        await house.start()
        post, said = written("Taken back?"), []
        seen = house.store.is_kept

        def slowly(post_id: bytes) -> bool:
            """The node looks whether the post is still here; the request to forget it comes meanwhile."""
            trio.from_thread.run_sync(came.set)
            trio.from_thread.run(trio.testing.wait_all_tasks_blocked)
            return seen(post_id)

        async def take_back() -> None:
            if not is_first:
                await came.wait()
            said.append(await house.node.desk.forget(post.id))
            done.set()

        came, done = trio.Event(), trio.Event()
        house.store.is_kept = slowly  # type: ignore[method-assign]
        if is_first:
            ingest = house.node.door.ingest

            async def ingest_and_forget(*arguments: Any) -> Any:
                verdicts = await ingest(*arguments)
                await take_back()
                return verdicts

            house.node.door.ingest = ingest_and_forget  # type: ignore[method-assign]
            await house.node.desk.submit(post.raw)
        else:
            nursery.start_soon(take_back)
            await house.node.desk.submit(post.raw)
        with trio.fail_after(20):
            await done.wait()
        assert said == [is_first] or hides, "a stem waits a moment, in which the user may still take it back"
        last = written("The next.")
        house.store.is_kept = seen  # type: ignore[method-assign]
        if is_first:
            house.node.door.ingest = ingest  # type: ignore[method-assign]
        await house.node.desk.submit(last.raw)
        got = (lambda: house.guard.frames) if hides else house.guard.probe.posts
        await until(lambda: last.raw in got())
        assert (post.raw in got()) is (not said[0])
        nursery.cancel_scope.cancel()
