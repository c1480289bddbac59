"""What a node does not keep, sync does not bring again: after an eviction, and of boards kept shorter."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.ingest import Door, Verdict
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.store.keeping import Floor, Keeping, RetentionPolicy
from p2pforum.store.posts import open_store
from p2pforum.sync.boards import BoardChoice
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService
from p2pforum.sync.terms import Settings

FULL, SMALL = PeerID("full"), PeerID("small")
MIB = 1024 * 1024
WORDS = [f"{n * 7919 % 100_003:x}" for n in range(600)]


class CountingDoor(Door):
    came = 0

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        self.came += len(raws)
        return await super().ingest(raws, origin)


class Forgetful(Keeping):
    """The control: makes room and forgets that it did."""

    @property
    def floor(self) -> Floor:
        return Floor()

    @floor.setter
    def floor(self, _: Floor) -> None:
        pass


@asynccontextmanager
async def a_small_node(
    tmp_path: Path, posts: list[Post], rules: RetentionPolicy, kind: type[Keeping] = Keeping
) -> AsyncIterator[tuple[SyncService, CountingDoor, Keeping]]:
    """It is connected to one that has all of `posts`."""
    hub = MemoryHub(random.Random(1))
    with ExitStack() as stack:
        full, small = (stack.enter_context(open_store(tmp_path / n, TEST_NETWORK)) for n in ("f", "s"))
        full.add([(post, True) for post in posts])
        keep = kind(small, rules, lambda: HOUR)
        door = CountingDoor(small, TEST_NETWORK, lambda: HOUR, keep=keep)
        async with hub.network("full") as a, hub.network("small") as b:
            other = Door(full, TEST_NETWORK, lambda: HOUR)
            SyncService(a, full.snapshot, other, random.Random(1), Clocks(lambda: HOUR))
            service = SyncService(b, small.snapshot, door, random.Random(1), Clocks(lambda: HOUR))
            service.settings = Settings(BoardChoice(low=keep.low, also=frozenset(rules.by_board)))
            await b.dial("/memory/full/p2p/full")
            yield service, door, keep


def many(count: int) -> list[Post]:
    rng = random.Random(1)
    return [
        a_post(" ".join(rng.choices(WORDS, k=300)), subject=f"{n}", hour=HOUR - n // 10) for n in range(count)
    ]


async def sessions(service: SyncService, door: CountingDoor, count: int) -> list[int]:
    """How many posts came in each."""
    came = []
    for _ in range(count):
        door.came = 0
        await service.sync(FULL)
        came.append(door.came)
    return came


@pytest.mark.slow
async def test_what_the_quota_took_is_not_fetched_again(tmp_path: Path) -> None:
    posts = many(600)
    async with a_small_node(tmp_path, posts, RetentionPolicy(quota=MIB)) as (service, door, keep):
        came = await sessions(service, door, 3)
        assert came[0] > 200
        assert keep.floor > Floor()
        assert sum(came[2:]) <= 0.02 * len(posts)
        kept = door.store.known([post.id for post in posts])
        newest = sorted(posts, key=lambda p: (p.payload.hour, p.id))[-len(kept) :]
        assert len(kept & {post.id for post in newest}) > 0.9 * len(kept)


@pytest.mark.slow
async def test_without_a_floor_it_would_be_fetched_again_and_again(tmp_path: Path) -> None:
    posts = many(600)
    async with a_small_node(tmp_path, posts, RetentionPolicy(quota=MIB), Forgetful) as (service, door, _):
        assert min(await sessions(service, door, 3)) > 100


async def test_a_board_that_is_kept_shorter_is_not_fetched_beyond(tmp_path: Path) -> None:
    """Also while none of its posts are here, and its name is known from the config alone."""
    posts = [a_post(board=b, subject=f"{n}", hour=HOUR - n) for n in range(60) for b in ("short", "usual")]
    old = [a_post(board="gone", subject=f"{n}", hour=HOUR - 50 - n) for n in range(30)]
    rules = RetentionPolicy(hours=100, by_board={"short": 20, "gone": 20})
    async with a_small_node(tmp_path, posts + old, rules) as (service, door, _):
        assert await sessions(service, door, 3) == [60 + 21, 0, 0]
