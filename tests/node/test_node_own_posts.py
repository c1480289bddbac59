"""When own posts leave the house, and what the disk says of them afterwards."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import trio
from gossip_nodes import Probe, a_probe
from strategies import TEST_NETWORK, a_post

from p2pforum import node as node_module
from p2pforum import outbound_posts, timekeeping
from p2pforum.config import Config
from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.core.verdict import Outcome
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node, now_hours
from p2pforum.stem.router import Fluff
from p2pforum.store.posts import Store, open_store
from p2pforum.sync.clocks import Clocks

CONFIG = Config(network=TEST_NETWORK.name, retention_days=7, hold_minutes=0)


def written(name: str, key: int = 1) -> Post:
    return a_post(name, key=key, board=f"board-{key}", hour=now_hours(), params=TEST_NETWORK)


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """In real time: the store works in threads. The bound is for a failing test only."""
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.01)


class House:
    """A node with its store and its network, and peers made by hand."""

    def __init__(self, directory: Path, store: Store, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._hub = MemoryHub(Random(1))
        self.directory = directory
        self.store = store

    async def start(self, config: Config = CONFIG) -> Node:
        self._config = config
        await self._nursery.start(self._live)
        return self.node

    async def _live(self, task_status: trio.TaskStatus[None]) -> None:
        async with self._hub.network("node") as self.network:
            self.node = Node(self._config, self.store, self.network, Random(2))
            await self.node.run(task_status)

    async def _live_peer(self, name: str, task_status: trio.TaskStatus[Probe]) -> None:
        async with a_probe(self._hub, name) as probe:
            task_status.started(probe)
            await trio.sleep_forever()

    async def peer(self, name: str = "peer", *, says_hour: bool = True) -> Probe:
        """It speaks gossip only; what hour it is for it is told to the node as by a session of sync."""
        probe = await self._nursery.start(self._live_peer, name)
        if says_hour:
            self.node.sync.clocks.note(name, node_module.now_hours(), dialled=False)
        await probe.join(self)  # needs the network only
        await until(lambda: self.node.gossip.has_taker)
        return probe

    def released(self, *posts: Post) -> int:
        return len(self.store.known([post.id for post in posts]))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    with open_store(tmp_path / "data", TEST_NETWORK) as store:
        async with trio.open_nursery() as nursery:
            yield House(tmp_path / "data", store, nursery)
            nursery.cancel_scope.cancel()


async def test_a_backlog_goes_out_one_by_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 0.2)
    posts = [written(f"Offline {n}", key=n + 1) for n in range(6)]
    house.store.add([(post, False) for post in posts])
    await house.start()
    await trio.sleep(0.5)
    assert house.released(*posts) == 0, "nobody was there to take them"
    peer = await house.peer()
    await until(lambda: len(peer.posts()) == 6)
    pushed = [rpc for rpc in peer.heard if rpc.publish]
    assert [len(rpc.publish) for rpc in pushed] == [1] * 6
    assert peer.posts() != [post.raw for post in posts], "the order of writing"
    assert house.store.unreleased() == []


async def test_a_post_that_is_damaged_on_the_disk_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 0.2)
    damaged, whole = written("Damaged", key=1), written("Whole", key=2)
    house.store.add([(damaged, False), (whole, False)])
    with house.store.exclusive() as db:
        db.execute("UPDATE post SET raw = x'00' WHERE id = ?", (damaged.id,))
    await house.start()
    peer = await house.peer()
    await until(lambda: peer.posts() == [whole.raw])
    assert house.store.unreleased() == [bytes(1)]


async def test_what_is_handed_in_while_peers_are_there_does_not_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 1e9)
    old = [written("Old", key=1), written("Older", key=2)]
    house.store.add([(post, False) for post in old])
    node = await house.start()
    peer = await house.peer()
    await until(lambda: len(peer.posts()) == 1)
    for n in range(3):
        await node.desk.submit(written(f"New {n}").raw)
    await until(lambda: len(peer.posts()) == 4)
    assert house.released(*old) == 1, "the second one of the backlog waits"


async def test_a_backlog_does_not_leave_when_its_node_comes(house: House) -> None:
    """Whoever sees a node come and a new post right after would know who wrote it."""
    old = written("Old", key=1)
    house.store.add([(old, False)])
    node = await house.start(replace(CONFIG, hold_minutes=24 * 60))
    peer = await house.peer()
    new = written("New", key=2)
    await node.desk.submit(new.raw)
    await until(lambda: peer.posts() == [new.raw])
    await trio.sleep(0.5)
    assert house.released(old) == 0, "its time is drawn over a day; with none it goes (above)"


async def test_what_is_handed_in_without_peers_is_kept_for_the_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 0.1)
    node = await house.start()
    await trio.sleep(0.1)  # the node waits for something to do
    posts = [written("One"), written("Two", key=2)]
    for post in posts:
        await node.desk.submit(post.raw)
    await trio.sleep(0.5)
    assert house.released(*posts) == 0
    peer = await house.peer()
    await until(lambda: len(peer.posts()) == 2)
    assert house.store.unreleased() == []


async def leaves_though_it_is_dated(house: House, hour: int) -> bool:
    """Whether a post of that hour, kept from before, has left when one of this hour has."""
    odd = a_post("Odd", key=7, board="odd", hour=hour, params=TEST_NETWORK)
    house.store.add([(odd, False)])
    await house.start()
    peer = await house.peer()
    for number in range(3):
        await house.node.desk.submit(written(f"Now {number}").raw)
    await until(lambda: len(peer.posts()) >= 3)
    await trio.sleep(1)  # the backlog has had time for many more
    return odd.raw in peer.posts()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 0.05)


@pytest.mark.parametrize(
    ("hours", "leaves"),
    [
        (limits.FUTURE_HOURS + 1, False),
        (limits.FUTURE_HOURS, True),
        (-limits.RETENTION_HOURS, True),
        (-limits.RETENTION_HOURS - 1, False),
        (-limits.RETENTION_HOURS * 20, False),
    ],
)
async def test_what_no_peer_would_take_stays_here_and_never_expires(
    house: House, quick: None, hours: int, leaves: bool
) -> None:
    hour = now_hours() + hours
    assert await leaves_though_it_is_dated(house, hour) == leaves
    house.node.keeping.expire()
    assert (len(house.store.unreleased()) == 1) != leaves


async def test_control_a_node_that_lets_all_go_loses_what_nobody_took(
    house: House, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timekeeping.Timekeeping, "may_leave", lambda _self, _raw: True)
    assert await leaves_though_it_is_dated(house, now_hours() - limits.RETENTION_HOURS * 20)
    house.node.keeping.expire()
    assert not house.store.unreleased(), "released, refused by all, and expired here"


async def test_with_a_clock_that_peers_contradict_nothing_leaves_and_nothing_expires(
    house: House, quick: None
) -> None:
    kept, old = written("Kept"), a_post("Old", key=3, board="b", hour=now_hours() - 200, params=TEST_NETWORK)
    house.store.add([(old, True), (written("Of another", key=4), True)])
    house.store.add([(kept, False)])
    node = await house.start()
    node.sync.clocks.note("friend", now_hours() - 300, dialled=True)
    peer = await house.peer()
    refused = await node.desk.submit(written("New", key=5).raw)
    assert refused.outcome is Outcome.REFUSED
    assert "those of peers are 12 days behind it" in refused.reason
    await trio.sleep(1)
    assert not peer.posts()
    node.sync.clocks.note("friend", now_hours(), dialled=True)
    assert (await node.desk.submit(written("New", key=5).raw)).outcome is Outcome.STORED
    await until(lambda: len(peer.posts()) == 1)


async def kept_while_the_clock_is_behind(house: House, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A post signed by a clock that is far behind, and given to a peer that says nothing of that. Then the
    clock is set. Whether the post is still here after housekeeping."""
    hour = now_hours()
    shown = [hour]
    monkeypatch.setattr(node_module, "now_hours", lambda: shown[0])
    node = await house.start()
    await house.peer(says_hour=False)
    mine = written("Mine")
    assert (await node.desk.submit(mine.raw)).outcome is Outcome.STORED
    await trio.sleep(1)  # the backlog has had time for many more
    shown[0] = hour + limits.RETENTION_HOURS + 1
    new = a_post("New", key=9, board="b", hour=shown[0], params=TEST_NETWORK)
    house.store.add([(new, True)])  # else the node takes the new hour for wrong, and drops nothing
    node.keeping.expire()
    return mine.raw in house.store.unreleased()


async def test_a_clock_that_no_peer_has_confirmed_costs_no_post(
    house: House, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await kept_while_the_clock_is_behind(house, monkeypatch)


async def test_control_without_waiting_for_that_the_post_is_lost(
    house: House, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clocks, "is_confirmed", True)
    assert not await kept_while_the_clock_is_behind(house, monkeypatch)


async def test_a_post_waits_for_a_peer_that_says_the_hour_and_leaves_then(house: House, quick: None) -> None:
    node = await house.start()
    peer = await house.peer(says_hour=False)
    handed_in, kept = written("Handed in"), written("Kept", key=2)
    house.store.add([(kept, False)])
    await node.desk.submit(handed_in.raw)
    await trio.sleep(0.5)
    assert not peer.posts()
    assert node.desk.status()["clock"]["confirmed"] is False
    node.sync.clocks.note("peer", now_hours(), dialled=False)
    await until(lambda: set(peer.posts()) == {handed_in.raw, kept.raw})
    assert node.desk.status()["clock"]["confirmed"] is True


@pytest.mark.parametrize(
    ("hours", "own", "leaves"),
    [(300, True, False), (0, True, True), (300, False, True)],
    ids=["wrong", "right", "wrong, and the post of another"],
)
async def test_a_stem_that_ends_while_the_clock_is_wrong_releases_nothing_of_mine(
    house: House, hours: int, own: bool, leaves: bool
) -> None:
    kept = written("On its way")
    house.store.add([(kept, False)])
    node = await house.start(replace(CONFIG, hold_minutes=24 * 60))  # else it leaves by itself
    await house.peer()
    node.sync.clocks.note("friend", now_hours() - hours, dialled=True)
    await node.after_stem.fluff([Fluff(kept.id, kept.raw, own)])
    assert house.released(kept) == leaves


# -- the write-ahead log -----------------------------------------------------------------------------------


def ever_unreleased(directory: Path, into: Path) -> int:
    """Replays the log commit by commit, as who takes the disk can. Posts that were once kept back."""
    database = (directory / "node.db").read_bytes()
    log_path = directory / "node.db-wal"
    log = log_path.read_bytes() if log_path.exists() else b""
    size = int.from_bytes(log[8:12], "big")
    at, found = 32, set()
    while size and at + 24 + size <= len(log) and log[at + 8 : at + 16] == log[16:24]:
        is_commit = log[at + 4 : at + 8] != bytes(4)
        at += 24 + size
        if is_commit:
            shutil.rmtree(into, ignore_errors=True)
            into.mkdir()
            (into / "node.db").write_bytes(database)
            (into / "node.db-wal").write_bytes(log[:at])
            db = sqlite3.connect(into / "node.db")
            found |= set(db.execute("SELECT id FROM post WHERE NOT released"))
            db.close()
    return len(found)


async def publish_some(house: House) -> None:
    node = await house.start()
    await house.peer()
    posts = [written(f"Mine {n}", key=n + 1) for n in range(3)]
    for post in posts:
        await node.desk.submit(post.raw)
    await until(lambda: house.released(*posts) == 3)


async def test_the_log_does_not_say_which_posts_were_own(house: House, tmp_path: Path) -> None:
    await publish_some(house)
    await until(lambda: ever_unreleased(house.directory, tmp_path / "step") == 0)


async def test_control_without_emptying_the_log_says_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.store, "checkpoint", lambda: True)
    await publish_some(house)
    await trio.sleep(0.5)
    assert ever_unreleased(house.directory, tmp_path / "step") == 3


@pytest.mark.slow
async def test_a_log_that_a_reader_needs_is_emptied_later(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound_posts, "_LOG_SECONDS", 0.1)
    house.store.add([(written("Of another", key=9), True)])
    with house.store.snapshot():
        await publish_some(house)
        assert ever_unreleased(house.directory, tmp_path / "step") > 0
    await until(lambda: ever_unreleased(house.directory, tmp_path / "step") == 0)
