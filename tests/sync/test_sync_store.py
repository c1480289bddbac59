"""Sync over the real store: what it indexes, serves and takes is what the sessions need."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from list_items import ListItems, result_of
from strategies import HOUR, TEST_NETWORK, a_post
from sync_pair import pool

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.ingest import Door
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.store.posts import Store, open_store
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.reconcile import TUNED, Items, Reconciler
from p2pforum.sync.service import SyncService
from p2pforum.sync.snapshot import Snapshot

POSTS = pool(1500, 3, 200)
LEFT, RIGHT = PeerID("left"), PeerID("right")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    with ExitStack() as stack:
        left, right = (stack.enter_context(open_store(tmp_path / n, TEST_NETWORK)) for n in ("a", "b"))
        yield left, right


def fill(store: Store, posts: list[Post], *, released: bool = True) -> None:
    store.add([(post, released) for post in posts])


def ids(store: Store) -> set[bytes]:
    """All that the store shows to sync."""
    with store.snapshot() as snapshot:
        items = [snapshot.items(board) for board, _ in snapshot.boards()]
        return {id_ for board in items for _, id_ in board.keys(0, len(board))}


@asynccontextmanager
async def connected(left: Store, right: Store) -> AsyncIterator[tuple[SyncService, SyncService]]:
    hub = MemoryHub(random.Random(1))
    async with hub.network("left") as a, hub.network("right") as b:
        services = service(a, left), service(b, right)
        await a.dial("/memory/right/p2p/right")
        yield services


def service(network: MemoryNetwork, store: Store) -> SyncService:
    door = Door(store, TEST_NETWORK, lambda: HOUR)
    return SyncService(network, store.snapshot, door, random.Random(1), Clocks(lambda: HOUR))


async def test_two_stores_come_to_the_union(stores: tuple[Store, Store]) -> None:
    left, right = stores
    fill(left, POSTS[:1100])
    fill(right, POSTS[300:])
    async with connected(left, right) as (a, _):
        report = await a.sync(RIGHT)
        assert (report.new, report.sent) == (400, 300)
        assert report.complete
        assert ids(left) == ids(right) == {p.id for p in POSTS}
        again = await a.sync(RIGHT)
        assert (again.received, again.sent, again.differing) == (0, 0, 0)


async def test_an_empty_store_fetches_everything(stores: tuple[Store, Store]) -> None:
    left, right = stores
    fill(right, POSTS)
    async with connected(left, right) as (a, _):
        assert (await a.sync(RIGHT)).complete
    assert ids(left) == ids(right)


async def test_posts_in_their_stem_phase_are_not_shown(stores: tuple[Store, Store]) -> None:
    """Else any peer that syncs learns who wrote them. Control: once released, they cross."""
    left, right = stores
    secret = [a_post("Mine.", board="general", hour=HOUR), a_post("Mine too.", board="board-1", hour=HOUR)]
    fill(left, POSTS[:50])
    fill(left, secret, released=False)
    fill(right, POSTS[30:90])
    hidden = {p.id for p in secret}
    async with connected(left, right) as (a, b):
        for side, peer in ((a, RIGHT), (b, LEFT)):
            await side.sync(peer)
        assert not right.known(list(hidden))
        left.release(hidden)
        await b.sync(LEFT)
        assert right.known(list(hidden)) == hidden


async def test_a_stem_post_that_the_peer_already_shows_becomes_public_here(
    stores: tuple[Store, Store],
) -> None:
    left, right = stores
    fill(left, POSTS[:5], released=False)
    fill(right, POSTS[:5])
    async with connected(left, right) as (a, _):
        report = await a.sync(RIGHT)
        assert report.new == 5
    assert ids(left) == {p.id for p in POSTS[:5]}


async def test_posts_that_come_meanwhile_are_not_fetched_again(stores: tuple[Store, Store]) -> None:
    """The snapshot is sealed when the session begins; the store is asked again before each WANT."""
    left, right = stores
    fill(left, POSTS[:700])
    fill(right, POSTS[:800])

    @contextmanager
    def sealed_before_the_rest_came() -> Iterator[Snapshot]:
        with left.snapshot() as snapshot:
            fill(left, POSTS[700:790])
            yield snapshot

    async with connected(left, right) as (a, _):
        a._store_snapshot = sealed_before_the_rest_came
        report = await a.sync(RIGHT)
        assert report.received == 10
        assert report.complete


def test_the_items_of_the_store_answer_like_a_sorted_list(stores: tuple[Store, Store]) -> None:
    left, _ = stores
    fill(left, POSTS)
    rng = random.Random(1)
    with left.snapshot() as snapshot:
        for board, _ in snapshot.boards():
            keys = [(p.payload.hour, p.id) for p in POSTS if p.payload.board == board]
            for low in (0, HOUR - 100):
                for end in (HOUR - 20, limits.MAX_HOUR):
                    expected = ListItems(k for k in keys if low <= k[0] < end)
                    _check_same(snapshot.items(board, low, end), expected, rng)


def _check_same(items: Items, expected: ListItems, rng: random.Random) -> None:
    assert len(items) == len(expected)
    for _ in range(200):
        hour, prefix = HOUR - rng.randrange(-5, 210), rng.randbytes(rng.randrange(33))
        assert items.find(hour, prefix) == expected.find(hour, prefix)
        lo, hi = sorted(rng.randrange(len(expected) + 1) for _ in range(2))
        assert items.keys(lo, hi) == expected.keys(lo, hi)
        assert items.cells(lo, hi) == expected.cells(lo, hi)
        i = rng.randrange(len(expected))
        assert items.key(i) == expected.key(i)
        assert items.find(*expected.key(i)) == i


def test_a_store_and_a_list_reconcile(stores: tuple[Store, Store]) -> None:
    left, _ = stores
    fill(left, POSTS[:1000])
    other = ListItems((p.payload.hour, p.id) for p in POSTS[100:] if p.payload.board == "board-1")
    with left.snapshot() as snapshot:
        fingerprint = Fingerprint(bytes(32))
        asking = Reconciler(snapshot.items("board-1"), TUNED, fingerprint, initiator=True)
        answering = Reconciler(other, TUNED, fingerprint, initiator=False)
        waiting = [m for m in asking.emit(asking.opening()) if m]
        while waiting:
            replies = [r for m in waiting for r in answering.emit(result_of(answering.examine(m))) if r]
            waiting = [m for r in replies for m in asking.emit(result_of(asking.examine(r))) if m]
        have = {id_ for lo, hi in asking.have for _, id_ in snapshot.items("board-1").keys(lo, hi)}
    board = [p for p in POSTS if p.payload.board == "board-1"]
    assert have == {p.id for p in POSTS[:100] if p in board}
    assert set(asking.need) == {p.id for p in POSTS[1000:] if p in board}
