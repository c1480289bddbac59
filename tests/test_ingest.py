"""The one door: everything is checked, whoever comes at the same time, and nobody is let in unseen."""

import threading
from collections.abc import Sequence

import pytest
import trio
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core import limits
from p2pforum.core.errors import StoreError
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post
from p2pforum.core.stamp import Stamp, is_stamped
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door


class SlowStore:
    """In memory. Counts how many are in `add` at once; `gate` holds it up."""

    def __init__(self) -> None:
        self.posts: dict[bytes, bool] = {}
        self.batches: list[int] = []
        self.inside = self.most_inside = 0
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        return {i for i in ids if self.posts.get(i)}

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        return set()

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        assert self.gate.wait(20)
        try:
            if self.error is not None:
                raise self.error
            self.batches.append(len(posts))
            return [self._add(post, released) for post, released in posts]
        finally:
            self.inside -= 1

    def _add(self, post: Post, released: bool) -> bool:
        is_new = post.id not in self.posts or (released and not self.posts[post.id])
        self.posts[post.id] = released or self.posts.get(post.id, False)
        return is_new


def a_door(store: SlowStore) -> Door:
    return Door(store, TEST_NETWORK, lambda: HOUR)


def forged(post: Post) -> bytes:
    return post.raw[:-1] + bytes([post.raw[-1] ^ 1])


@pytest.mark.parametrize("size", [1, 31, 33, 500])
def test_each_gets_its_own_verdict_however_the_work_is_split(size: int) -> None:
    store = SlowStore()
    posts = [a_post(subject=f"{n}", hour=HOUR) for n in range(size)]
    bad = set(range(0, size, 7))
    raws = [forged(post) if n in bad else post.raw for n, post in enumerate(posts)]
    verdicts = a_door(store).ingest_now(raws, Origin.SYNC)
    assert [v.outcome is Outcome.INVALID for v in verdicts] == [n in bad for n in range(size)]
    assert set(store.posts) == {post.id for n, post in enumerate(posts) if n not in bad}


def test_every_outcome() -> None:
    store = SlowStore()
    door = a_door(store)
    here, new = a_post(subject="here"), a_post(subject="new")
    door.ingest_now([here.raw], Origin.SYNC)
    early = a_post(hour=HOUR + limits.FUTURE_HOURS + 1)
    old = a_post(hour=HOUR - limits.RETENTION_HOURS - 1)
    raws = [b"nonsense", early.raw, old.raw, here.raw, new.raw, new.raw]
    assert [verdict.outcome for verdict in door.ingest_now(raws, Origin.BUNDLE)] == [
        Outcome.INVALID,
        Outcome.TOO_EARLY,
        Outcome.REFUSED,
        Outcome.DUPLICATE,
        Outcome.STORED,
        Outcome.DUPLICATE,
    ]


@pytest.mark.parametrize("origin", [Origin.GOSSIP, Origin.STEM, Origin.SYNC, Origin.BUNDLE])
def test_invalid_is_invalid_whatever_the_hour(origin: Origin) -> None:
    """Else a flood of wrong hours costs nothing, and who makes it can't be told from honest peers."""
    stamped = NetworkParams("test-net", stamp_floor=4)
    door = Door(SlowStore(), stamped, lambda: HOUR)
    hours = [HOUR + 2, HOUR + 900, HOUR - limits.GOSSIP_PAST_HOURS - 1, HOUR - limits.RETENTION_HOURS - 1]
    for hour in hours:
        without_stamp = a_post(hour=hour, params=stamped)
        ground = next(
            post
            for n in range(1_000)
            if is_valid(post := a_post(hour=hour, params=stamped, stamp=Stamp(1, 4, n.to_bytes(8, "big"))))
        )
        raws = [without_stamp.raw, forged(ground), ground.raw]
        outcomes = [verdict.outcome for verdict in door.ingest_now(raws, origin)]
        assert outcomes[:2] == [Outcome.INVALID, Outcome.INVALID]
        assert outcomes[2] in (Outcome.TOO_EARLY, Outcome.REFUSED, Outcome.STORED)


@pytest.mark.parametrize("origin", Origin)
def test_a_copy_of_a_known_post_with_another_signature(origin: Origin) -> None:
    """Anybody can make such copies, each another message: who pushes one pays."""
    door, post = a_door(SlowStore()), a_post()
    door.ingest_now([post.raw], Origin.GOSSIP)
    outcomes = [verdict.outcome for verdict in door.ingest_now([post.raw, forged(post)], origin)]
    is_pushed = origin not in (Origin.SYNC, Origin.BUNDLE)
    assert outcomes == [Outcome.DUPLICATE, Outcome.INVALID if is_pushed else Outcome.DUPLICATE]


def is_valid(post: Post) -> bool:
    fields = post.payload
    return is_stamped(post.id, fields.stamp, fields.hour)


async def test_who_comes_while_a_batch_is_written_goes_together_into_the_next() -> None:
    store = SlowStore()
    door = a_door(store)
    store.gate.clear()
    posts = [a_post(subject=f"{n}") for n in range(12)]
    outcomes: list[Outcome] = []

    async def bring(post: Post) -> None:
        outcomes.extend(verdict.outcome for verdict in await door.ingest([post.raw], Origin.GOSSIP))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(bring, posts[0])
        while not store.inside:
            await trio.lowlevel.checkpoint()
        for post in posts[1:]:
            nursery.start_soon(bring, post)
        while len(door._waiting) < 11:
            await trio.lowlevel.checkpoint()
        store.gate.set()
    assert store.batches == [1, 11]
    assert store.most_inside == 1
    assert outcomes == [Outcome.STORED] * 12


async def test_who_is_cancelled_at_its_turn_takes_nobody_along() -> None:
    """Its turn is everybody's: what waits with it is written, or it would be acknowledged and not there."""
    store = SlowStore()
    door = a_door(store)
    store.gate.clear()
    post = a_post(subject="of another")
    turn = trio.CancelScope()
    outcomes: list[Outcome] = []

    async def first() -> None:
        await door.ingest([a_post(subject="first").raw], Origin.SYNC)
        turn.cancel()  # the lock is handed on by now

    async def second() -> None:
        with turn:
            await door.ingest([a_post(subject="second").raw], Origin.SYNC)

    async def third() -> None:
        outcomes.extend(verdict.outcome for verdict in await door.ingest([post.raw], Origin.SYNC))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        while not store.inside:
            await trio.lowlevel.checkpoint()
        for number, bring in enumerate((second, third)):
            nursery.start_soon(bring)
            while len(door._waiting) <= number:
                await trio.lowlevel.checkpoint()
        store.gate.set()
    assert outcomes == [Outcome.STORED]
    assert post.id in store.posts


async def test_the_next_batch_is_checked_while_one_is_written() -> None:
    """The control for the pipeline: were it checked only after, it would not be waiting by now."""
    store = SlowStore()
    door = a_door(store)
    store.gate.clear()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.ingest, [a_post(subject="first").raw], Origin.SYNC)
        while not store.inside:
            await trio.lowlevel.checkpoint()
        nursery.start_soon(door.ingest, [a_post(subject=f"{n}").raw for n in range(100)], Origin.SYNC)
        while not door._waiting:
            await trio.lowlevel.checkpoint()
        assert len(door._waiting[0].accepted()) == 100
        assert store.inside == 1
        store.gate.set()
    assert store.batches == [1, 100]


async def test_the_same_post_from_many_at_once_is_new_once() -> None:
    door = a_door(SlowStore())
    post = a_post()
    outcomes: list[Outcome] = []

    async def bring() -> None:
        outcomes.extend(verdict.outcome for verdict in await door.ingest([post.raw] * 3, Origin.GOSSIP))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(bring)
    assert outcomes.count(Outcome.STORED) == 1
    assert outcomes.count(Outcome.DUPLICATE) == 29


async def test_everyone_hears_of_a_full_disk_and_can_come_again() -> None:
    store = SlowStore()
    door = a_door(store)
    store.error = StoreError("the disk is full")
    with pytest.raises(StoreError):
        await door.ingest([a_post().raw], Origin.SYNC)
    assert door.trouble == "the disk is full", "for doctor and status"
    store.error = None
    assert (await door.ingest([a_post().raw], Origin.SYNC))[0].outcome is Outcome.STORED
    assert not door.trouble


async def test_nothing_to_write_writes_nothing() -> None:
    store = SlowStore()
    assert await a_door(store).ingest([], Origin.SYNC) == []
    assert (await a_door(store).ingest([b"x"], Origin.SYNC))[0].outcome is Outcome.INVALID
    assert store.batches == []


async def test_a_caller_that_gives_up_harms_nobody() -> None:
    store = SlowStore()
    door = a_door(store)
    store.gate.clear()
    posts = [a_post(subject=f"{n}") for n in range(3)]
    scope = trio.CancelScope()

    async def impatient() -> None:
        with scope:
            await door.ingest([posts[1].raw], Origin.SYNC)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.ingest, [posts[0].raw], Origin.SYNC)
        while not store.inside:
            await trio.lowlevel.checkpoint()
        nursery.start_soon(impatient)
        while not door._waiting:
            await trio.lowlevel.checkpoint()
        scope.cancel()
        store.gate.set()
    assert scope.cancelled_caught
    assert (await door.ingest([posts[2].raw], Origin.SYNC))[0].outcome is Outcome.STORED
    assert set(store.posts) == {posts[0].id, posts[2].id}  # nobody would have heard of it
