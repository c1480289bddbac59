"""Sync: what it costs to find how two sets differ, and how fast posts cross.

    python -m benchmarks.bench_sync [ITEMS] [POSTS]        100,000 and 5,000; ITEMS 0 for sessions only

First table: what it costs to find how two sets differ (reconciling.py): our policy in messages of 32 KiB,
warm and with the digests of hours still to be made; stock Negentropy v1 without a limit; and nostr-tools
(npm, JavaScript) as the initiator of that, on the same machine in the same run. At 1,000,000 items it takes
two minutes, most of it in nostr-tools. Second table: whole sessions between two real stores in this process,
posts without stamps.
"""

import logging
import random
import sys
import tempfile
import time
from pathlib import Path

import trio

from benchmarks.bench_posts import HOUR, Writer
from benchmarks.reconciling import print_table
from p2pforum.core.network_params import params_for
from p2pforum.ingest import Door
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.store.posts import Store, open_store
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService

SMALLEST = "2000 200"

NETWORK = params_for("test.bench")


async def session(left: Store, right: Store, label: str) -> None:
    """One session over a network in memory; prints posts, seconds, CPU seconds, rate, bytes
    and round trips.
    """
    hub = MemoryHub(random.Random(1))
    async with hub.network("left") as a, hub.network("right") as b:
        here, _ = (
            SyncService(
                network,
                store.snapshot,
                Door(store, NETWORK, lambda: HOUR),
                random.Random(1),
                Clocks(lambda: HOUR),
            )
            for network, store in ((a, left), (b, right))
        )
        await a.dial("/memory/right/p2p/right")
        begun, cpu = time.perf_counter(), time.process_time()
        report = await here.sync(PeerID("right"))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert report.complete, report
    posts = report.new + report.sent
    rate = f"{posts / seconds:>9,.0f}" if posts else f"{'-':>9}"
    print(f"{label:<38}{posts:>8,}{seconds:>9.3f}{cpu:>9.3f}{rate}{report.moved:>13,}{report.rounds:>4}")


async def sessions(count: int) -> None:
    """The second table: two stores with `count` posts between them, in three sessions."""
    titles = f"{'posts':>8}{'s':>9}{'CPU s':>9}{'posts/s':>9}{'bytes':>13}{'RT':>4}"
    print(f"\n{'whole sessions, two stores':<38}{titles}")
    posts = sorted(Writer(NETWORK).posts(count), key=lambda p: p.payload.hour)
    few = max(2, count // 10)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder) / "a", NETWORK) as left,
        open_store(Path(folder) / "b", NETWORK) as right,
    ):
        for start in range(0, count - few, 1000):
            right.add([(post, True) for post in posts[start : min(start + 1000, count - few)]])
        await session(left, right, "a new node fetches everything")
        await session(left, right, "nothing differs, 20 boards")
        left.add([(post, True) for post in posts[count - few : count - few // 2]])
        right.add([(post, True) for post in posts[count - few // 2 :]])
        await session(left, right, "the newest tenth differs, half each")


def main() -> None:
    """Print both tables; a size of 0 leaves one out."""
    logging.disable()
    numbers = [int(text) for text in sys.argv[1:]]
    count, posts = (numbers + [100_000, 5_000][len(numbers) :])[:2]
    if count:
        print_table(count)
    if posts:
        trio.run(sessions, posts)


if __name__ == "__main__":
    main()
