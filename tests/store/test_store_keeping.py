"""The quota holds at every moment, takes the oldest and cheapest, and what it took does not come again."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_tools import add
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core.post import Post
from p2pforum.core.stamp import blank_stamp
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.store import doctor, pins, retention
from p2pforum.store.keeping import Floor, Keeping, RetentionPolicy
from p2pforum.store.posts import Store, open_store

MIB = 1024 * 1024
NOW = HOUR + 400
WORDS = [f"{n * 7919 % 100_003:x}" for n in range(600)]


def keeping(store: Store, quota: int = 100 * MIB, **policy: object) -> Keeping:
    return Keeping(store, RetentionPolicy(quota=quota, **policy), lambda: NOW)  # type: ignore[arg-type]


def size_on_disk(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.iterdir() if file.suffix != ".db-shm")


def offered(count: int, rng: random.Random, hours: int, bits: int = 0) -> Iterator[Post]:
    for n in range(count):
        words = " ".join(rng.choices(WORDS, k=400))
        stamp = blank_stamp(rng.randrange(bits + 1))
        yield a_post(words, subject=f"Number {n}", hour=HOUR + n * hours // count, stamp=stamp)


@pytest.mark.slow
@pytest.mark.parametrize(("hours", "count"), [(300, 900), (1, 2_000)], ids=["over many hours", "in one hour"])
def test_many_times_the_quota_is_offered(store: Store, tmp_path: Path, hours: int, count: int) -> None:
    """benchmarks/bench_quota.py does the same with 50 MB."""
    quota = MIB
    rng = random.Random(1)
    keep = keeping(store, quota)
    door = Door(store, TEST_NETWORK, lambda: NOW, keep=keep)
    thread = [a_post("Keep me. " * 20, subject="Pinned", hour=HOUR)]
    thread += [a_post(f"{n} " * 50, root=thread[0].id, hour=HOUR) for n in range(50)]
    door.ingest_now([post.raw for post in thread], Origin.SYNC)
    pins.pin(store, thread[0].id)
    total, batch = 0, []
    for post in offered(count, rng, hours):
        batch.append(post.raw)
        if len(batch) == 10:
            door.ingest_now(batch, Origin.SYNC)
            total += sum(len(raw) for raw in batch)
            batch = []
            assert size_on_disk(tmp_path) <= 1.1 * quota
    assert total > 1.5 * quota  # of posts alone; with indexes, twice that
    assert set(store.raw([post.id for post in thread])) == {post.id for post in thread}
    assert store.statistics().size > 0.5 * quota  # and it is not kept by keeping nothing
    assert doctor.check(store, TEST_NETWORK) == []


def test_without_making_room_the_same_test_fails(store: Store, tmp_path: Path) -> None:
    """The negative control."""
    door = Door(store, TEST_NETWORK, lambda: NOW)
    posts = [post.raw for post in offered(500, random.Random(1), 300)]
    door.ingest_now(posts, Origin.SYNC)
    assert size_on_disk(tmp_path) > 1.1 * MIB


@pytest.mark.slow
def test_the_oldest_go_first_and_the_cheapest_within_an_hour(store: Store) -> None:
    posts = list(offered(500, random.Random(2), hours=3, bits=9))
    add(store, posts)
    keep = keeping(store, MIB)
    keep.make_room()
    kept = set(store.raw([post.id for post in posts]))
    assert 0 < len(kept) < len(posts)
    for post in posts:
        fields = post.payload
        assert (post.id in kept) == (Floor(fields.hour, fields.stamp.bits, post.id[0]) >= keep.floor)
        assert keep.refuses(post) == (post.id not in kept)
    assert keep.floor.bits > 0  # the cut is within an hour


@pytest.mark.slow
def test_what_was_removed_is_not_taken_again(store: Store, tmp_path: Path) -> None:
    posts = list(offered(500, random.Random(3), hours=40))
    keep = keeping(store, MIB)
    door = Door(store, TEST_NETWORK, lambda: NOW, keep=keep)
    for start in range(0, len(posts), 100):
        door.ingest_now([post.raw for post in posts[start : start + 100]], Origin.SYNC)
    kept = set(store.raw([post.id for post in posts]))
    gone = [post for post in posts if post.id not in kept]
    assert gone
    for origin in (Origin.SYNC, Origin.GOSSIP, Origin.BUNDLE):
        verdicts = door.ingest_now([post.raw for post in gone], origin)
        assert {verdict.outcome for verdict in verdicts} == {Outcome.REFUSED}
    # Nor does sync ask: it compares nothing below the horizon that it tells.
    horizon = NOW - door.retention_hours
    assert horizon == keep.horizon() == keep.low("general") > max(post.payload.hour for post in gone)
    with store.snapshot() as snapshot:
        assert len(snapshot.items("general", horizon)) > 0.8 * len(kept)
    # The negative control: without the floor they would all come in again.
    verdicts = Door(store, TEST_NETWORK, lambda: NOW).ingest_now([gone[0].raw], Origin.SYNC)
    assert verdicts[0].outcome is Outcome.STORED


@pytest.mark.slow
def test_the_floor_outlives_the_process_and_goes_when_there_is_room(tmp_path: Path) -> None:
    posts = list(offered(500, random.Random(4), hours=40))
    with open_store(tmp_path, TEST_NETWORK) as store:
        add(store, posts)
        keep = keeping(store, MIB)
        keep.make_room()
        floor = keep.floor
        assert floor > Floor()
    with open_store(tmp_path, TEST_NETWORK) as store:
        assert keeping(store, MIB).floor == floor
        keep = keeping(store, MIB)
        keep.expire()
        assert keep.floor == floor  # nearly full: lowering it would bring back what was just removed
        keep = keeping(store, 40 * MIB)
        keep.expire()
        assert keep.floor == Floor()
    with open_store(tmp_path, TEST_NETWORK) as store:
        assert keeping(store, 40 * MIB).floor == Floor()


def test_boards_have_times_of_their_own(store: Store) -> None:
    old = {b: a_post(board=b, hour=NOW - 100) for b in ("short", "usual", "long")}
    older = {b: a_post(board=b, hour=NOW - 300) for b in ("short", "usual", "long")}
    add(store, [*old.values(), *older.values()])
    keep = keeping(store, hours=200, by_board={"short": 50, "long": 400})
    assert keep.expire() == 3
    kept = store.known([post.id for post in [*old.values(), *older.values()]])
    assert kept == {old["usual"].id, old["long"].id, older["long"].id}
    door = Door(store, TEST_NETWORK, lambda: NOW, keep=keep)
    for post in (old["short"], older["short"], older["usual"]):
        assert door.ingest_now([post.raw], Origin.SYNC)[0].outcome is Outcome.REFUSED
    assert door.retention_hours == 400
    assert [keep.low(b) for b in ("short", "usual", "long")] == [NOW - 50, NOW - 200, NOW - 400]
    assert doctor.check(store, TEST_NETWORK) == []


def test_pinned_threads_outlive_their_time(store: Store) -> None:
    root = a_post(subject="Kept", hour=HOUR - 9)
    reply = a_post("Too.", root=root.id, hour=HOUR - 8)
    other = a_post(subject="Not kept", hour=HOUR - 8)
    add(store, [root, reply, other])
    assert pins.pin(store, root.id)
    assert not pins.pin(store, root.id)
    assert retention.expire(store, HOUR) == 1
    assert store.known([root.id, reply.id, other.id]) == {root.id, reply.id}
    assert doctor.check(store, TEST_NETWORK) == []
    assert pins.unpin(store, root.id)
    assert not pins.unpin(store, root.id)
    assert retention.expire(store, HOUR) == 2


@pytest.mark.slow
def test_posts_not_yet_published_outlive_the_quota(store: Store) -> None:
    own = a_post("Mine, and nobody has it yet.", hour=HOUR)
    add(store, [own], released=False)
    add(store, offered(500, random.Random(5), hours=40))
    keeping(store, MIB).make_room()
    assert store.unreleased() == [own.raw]


def test_a_quota_full_of_pinned_threads_ends(store: Store) -> None:
    posts = list(offered(500, random.Random(6), hours=40))
    add(store, posts)
    for post in posts:
        pins.pin(store, post.id)
    keeping(store, MIB).make_room()
    assert len(store.known([post.id for post in posts])) == len(posts)


def test_an_export_sorts_nothing_in_memory(store: Store) -> None:
    """A million posts of a board come out by the index of sync; only a thread's row numbers are sorted."""
    from p2pforum.store import export

    with store.exclusive() as db:
        for source, sorts in ((export._OF_BOARD, False), (export._OF_THREAD, True)):
            rows = db.execute(f"EXPLAIN QUERY PLAN SELECT row {source} ORDER BY hour, id", (1,)).fetchall()
            assert ("TEMP B-TREE" in str(rows)) == sorts
