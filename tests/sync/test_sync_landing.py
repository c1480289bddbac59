"""Posts on their way from a session to the door: two batches at once, verdicts in the order they came."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from memory_posts import MemoryPosts
from strategies import HOUR, TEST_NETWORK
from sync_nodes import sync_node
from sync_pair import pool

from p2pforum.core import limits
from p2pforum.core.verdict import Origin
from p2pforum.ingest import Door, Verdict
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.sync.service import SyncService

POSTS = pool(600)


class LateDoor(Door):
    """Answers for the first batch of posts only when the second has its answer."""

    def __init__(self, store: MemoryPosts) -> None:
        super().__init__(store, TEST_NETWORK, lambda: HOUR)
        self.batches = 0
        self.first = trio.Event()
        self.second = trio.Event()

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        self.batches += 1
        is_first = self.batches == 1
        verdicts = await super().ingest(raws, origin)
        (self.first if is_first else self.second).set()
        if is_first:
            await self.second.wait()
        return verdicts


@asynccontextmanager
async def a_new_node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[LateDoor, SyncService, PeerID]]:
    """It has dialled one that has all posts, and hands in small batches."""
    monkeypatch.setattr(limits, "SYNC_BATCH", 20)
    monkeypatch.setattr(limits, "SYNC_POSTS_FRAME", 4_000)
    hub, store = MemoryHub(random.Random(1)), MemoryPosts()
    door = LateDoor(store)
    async with sync_node(hub, "whole", POSTS), hub.network("new") as network:
        here = SyncService(network, TEST_NETWORK, store.snapshot, door, random.Random(1), lambda: HOUR)
        yield door, here, await network.dial("/memory/whole/p2p/whole")


async def test_one_batch_is_checked_while_another_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the verdicts are taken in order: pulled posts of the second batch follow those of the first."""
    async with a_new_node(monkeypatch) as (_, here, peer):
        report = await here.sync(peer)
    assert report.complete
    assert report.new == len(POSTS)


async def test_one_batch_at_a_time_would_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(limits, "SYNC_AT_DOOR", 1)
    async with a_new_node(monkeypatch) as (door, here, peer), trio.open_nursery() as nursery:
        nursery.start_soon(here.sync, peer)
        await door.first.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert door.batches == 1
        nursery.cancel_scope.cancel()
