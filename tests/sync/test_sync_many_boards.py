"""Thousands of boards, and slow peers: neither stalls the loop, nor what comes next."""

import itertools
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio
from list_items import ListItems
from memory_posts import MemoryPosts, MemorySnapshot
from strategies import HOUR, TEST_NETWORK, a_post
from sync_nodes import sync_node
from sync_pair import TERMS, Side, meet, pool
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.network.memory_network import MemoryHub
from p2pforum.store import block_rows
from p2pforum.store.blocks import BoardBlocks, BoardCache
from p2pforum.store.posts import open_store
from p2pforum.sync import boards as boards_module
from p2pforum.sync.budget import Report
from p2pforum.sync.claims import Claims
from p2pforum.sync.look import stretches
from p2pforum.sync.session import SyncSession
from p2pforum.sync.terms import Settings
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.payloads import NONCE_SIZE, Hello, Look

NAMES = [f"board-{n:05}" for n in range(20_000)]


class ManyBoards(MemorySnapshot):
    """One post on each board; counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked = 0

    def boards(self, after: str, most: int, low_hour: int) -> list[tuple[str, bool]]:
        start = NAMES.index(after) + 1 if after else 0
        found = NAMES[start : start + most]
        self.asked += len(found)
        return [(name, True) for name in found]

    def items(self, board: str, low_hour: int = 0, end: int = limits.MAX_HOUR) -> ListItems:
        self.asked += 1
        return ListItems([(HOUR, board.encode().ljust(32))])

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        return {}


def begin(snapshot: ManyBoards, clock: Any) -> SyncSession:
    return SyncSession(snapshot, TERMS, Claims(lambda: 0.0), random.Random(1), clock, initiator=False)


HELLO = encode(Hello(bytes(NONCE_SIZE), HOUR, 0))
LOOK = encode(Look((bytes(16),) * len(stretches((0, HOUR + 2)))))


def test_each_step_with_many_boards_is_small(monkeypatch: Any) -> None:
    snapshot, ticks = ManyBoards(), itertools.count()
    session = begin(snapshot, lambda: next(ticks) / 1e6)
    hashed = 0
    real = boards_module.BoardTable.tag

    def tag(table: boards_module.BoardTable, name: str) -> bytes:
        nonlocal hashed
        hashed += 1
        return real(table, name)

    monkeypatch.setattr(boards_module.BoardTable, "tag", tag)
    session.receive(HELLO + LOOK)
    assert snapshot.asked == hashed == 0
    steps = []
    while session.is_busy:
        before = snapshot.asked, hashed
        session.work(1.5 / 1e6)  # the clock ticks once before each turn: one of them
        steps.append((snapshot.asked - before[0], hashed - before[1]))
    assert max(asked for asked, _ in steps) <= 256
    assert max(count for _, count in steps) <= 256
    assert hashed == 20_000
    assert snapshot.asked == 20_000 + 16_384


ONE_EACH = [a_post("Text.", board=f"board-{n}", hour=HOUR) for n in range(150)]


def test_of_too_many_boards_both_sides_look_at_the_same(monkeypatch: Any) -> None:
    """So none that both have is pulled as if it were new; and over the sessions all are looked at."""
    monkeypatch.setattr(limits, "MAX_SYNC_BOARDS", 100)
    left, right = Side(MemoryPosts(ONE_EACH)), Side(MemoryPosts(ONE_EACH[:120]))
    sessions = 0
    while left.ids != right.ids:
        sessions += 1
        meet(left, right, sessions)
        assert sessions < 30
        assert left.session.report.received == 0
        assert right.session.report.duplicate == 0
    assert sessions > 1


def test_reading_is_charged_as_work() -> None:
    ticks = itertools.count()
    session = begin(ManyBoards(), lambda: next(ticks))
    session.receive(HELLO)
    assert session.report.cpu == 1


def test_a_board_that_is_looked_up_is_remembered_without_a_copy() -> None:
    cache = BoardCache(most=3)
    cache.publish({0: BoardBlocks(())})
    view = cache.current()
    for board in range(1, 5):
        cache.remember(board, BoardBlocks(()))
    assert cache.current() is view
    assert list(view) == [2, 3, 4], "the oldest go first"
    cache.publish({9: BoardBlocks(())})
    assert cache.current() is not view
    assert 9 not in view


@pytest.mark.parametrize(("most", "loads"), [(40, 0), (39, 40)])
def test_all_boards_of_a_session_stay_in_memory(
    tmp_path: Path, most: int, loads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are walked in order, so that with room for one less (the control) each is loaded each time."""
    assert limits.BOARDS_LOADED >= limits.MAX_SYNC_BOARDS
    loaded: list[int] = []
    load = block_rows.load_board
    with open_store(tmp_path / "data", TEST_NETWORK) as store:
        store.add([(post, True) for post in ONE_EACH[:40]])
        store._blocks = BoardCache(most)
        for again in (False, True):
            if again:
                monkeypatch.setattr(
                    block_rows, "load_board", lambda db, board: (loaded.append(board), load(db, board))[1]
                )
            with store.snapshot() as snapshot:
                for name, _ in snapshot.boards():
                    snapshot.items(name)
    assert len(loaded) == loads


async def test_one_slow_peer_does_not_hold_up_the_others(autojump_clock: MockClock) -> None:
    hub = MemoryHub(random.Random(1))
    async with (
        sync_node(hub, "node", pool(4)) as node,
        sync_node(hub, "slow", pool(4)) as slow,
        sync_node(hub, "good", pool(4)) as good,
    ):
        node.sync.settings = Settings(every=10)
        peers = [await node.dial(slow), await node.dial(good)]
        asked = []

        async def converse(peer: str, stream: trio.abc.Stream, *_: object, initiator: bool = False) -> Report:
            async with stream:
                if initiator:
                    asked.append(peer)
                    await trio.sleep(600 if peer == peers[0] else 0)
            return Report()

        node.sync._converse = converse
        async with trio.open_nursery() as nursery:
            nursery.start_soon(node.sync.run)
            await trio.sleep(500)
            nursery.cancel_scope.cancel()
        assert asked.count(peers[0]) <= 2  # never twice at once by lot
        assert asked.count(peers[1]) > 20
