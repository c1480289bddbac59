"""What a node drops by itself, at hours that are right and at hours that can't be."""

import logging
from pathlib import Path
from random import Random

import pytest
import trio
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum import node as node_module
from p2pforum.config import Config
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node
from p2pforum.store.posts import open_store

CONFIG = Config(network=TEST_NETWORK.name, retention_days=7)


async def test_a_clock_that_is_ahead_costs_no_post(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    old, new = a_post("Old.", hour=HOUR - 7 * 24 - 1), a_post("New.", hour=HOUR)
    mine = a_post("Mine, and not out yet.", hour=HOUR - 7 * 24 - 2)
    with open_store(tmp_path, TEST_NETWORK) as store:
        store.add([(old, True), (new, True), (mine, False)])
        hub = MemoryHub(Random(1))
        async with hub.network("a") as network:
            node = Node(CONFIG, store, network, Random(2))

            async def dropped_at(hour: int) -> int:
                monkeypatch.setattr(node_module, "now_hours", lambda: hour)
                return await trio.to_thread.run_sync(node.keeping.expire)

            assert await dropped_at(HOUR + 200 * 24) == 0
            assert await dropped_at(HOUR + 200 * 24) == 0
            assert store.known([old.id, new.id]) == {old.id, new.id}
            assert await dropped_at(HOUR) == 1  # the clock is right again
            assert await dropped_at(HOUR + 200 * 24) == 0
            assert store.known([old.id, new.id]) == {new.id}
            assert store.unreleased() == [mine.raw]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2, "once each time that the clock went ahead"
    assert all("stood still" in text for text in warnings)
