"""Adding, releasing and sealing, where the comparison with a dict (test_store_model.py) does not reach."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_tools import add, assert_items, opened
from strategies import HOUR, TEST_NETWORK, a_post, a_thread

from p2pforum.core.post import Post
from p2pforum.store import doctor
from p2pforum.store.posts import Store


def keys_of(posts: list[Post]) -> list[tuple[int, bytes]]:
    return sorted((post.payload.hour, post.id) for post in posts)


def test_what_is_only_here_is_on_the_disk_before_it_is_acknowledged(store: Store, tmp_path: Path) -> None:
    """The keystore forgets a post once it is acknowledged, and a power cut must not take it then."""
    levels: list[str] = []

    def note(statement: str) -> None:
        if statement.startswith("PRAGMA synchronous"):
            levels.append(statement.split()[-1])
        elif statement == "COMMIT":
            levels.append("commit")

    public, mine = a_post("From a peer."), a_post("Mine.")
    with store.exclusive() as db:
        db.set_trace_callback(note)
    add(store, [public])
    add(store, [public, mine], released=False)
    store.release([mine.id])
    assert levels == ["NORMAL", "commit", "FULL", "commit", "NORMAL", "commit"]


def test_one_post_twice_in_a_batch(store: Store) -> None:
    first, second, third = a_thread(3)
    assert store.add([(first, True), (first, True)]) == [True, False]
    assert store.add([(second, False), (second, True), (second, True)]) == [True, True, False]
    assert store.add([(third, True), (third, False)]) == [True, False]
    assert store.known([first.id, second.id, third.id]) == {first.id, second.id, third.id}
    assert store.add([]) == []
    assert store.known([]) == set()


def test_two_signatures_of_one_post_are_one_post(store: Store) -> None:
    post = a_post()
    again = Post(post.raw[:-1] + b"?", post.id, post.author, post.payload, b"", b"")
    assert store.add([(post, True), (again, True)]) == [True, False]
    assert store.raw([post.id]) == {post.id: post.raw}


def test_what_fails_midway_did_not_happen(store: Store) -> None:
    old, new = a_thread(2)
    add(store, [old])

    def fail_midway() -> None:
        with store.writing() as change:
            change.drop(change.find([old.id])[old.id])
            change.insert(new, True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_midway()
    assert store.raw([old.id, new.id]) == {old.id: old.raw}
    assert doctor.check(store, TEST_NETWORK) == []
    assert add(store, [old, new]) == [False, True]


def test_a_view_is_sealed_and_what_it_loads_late_does_not_become_the_truth(tmp_path: Path) -> None:
    """After a start no blocks are in memory: an old view loads them, after others have written."""
    posts = a_thread(700, hour=HOUR)
    with ExitStack() as stack:
        add(opened(stack, tmp_path), posts[:600])
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        before = stack.enter_context(store.snapshot())
        add(store, posts[600:650])
        between = stack.enter_context(store.snapshot())
        add(store, [a_post("x", board="other")])
        assert_items(before.items("general"), keys_of(posts[:600]))
        add(store, posts[650:])
        assert_items(between.items("general"), keys_of(posts[:650]))
        with store.snapshot() as after:
            assert_items(after.items("general"), keys_of(posts))
        assert_items(before.items("general"), keys_of(posts[:600]))
        assert doctor.check(store, TEST_NETWORK) == []


def test_a_view_of_untouched_boards_is_remembered(tmp_path: Path) -> None:
    """An old view must not put its blocks in memory once something was written."""
    posts = a_thread(40)
    with ExitStack() as stack:
        add(opened(stack, tmp_path), posts[:20])
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        old = stack.enter_context(store.snapshot())
        add(store, posts[20:30])
        store._blocks.clear()  # as when many boards have pushed it out
        assert len(old.items("general")) == 20
        with store.snapshot() as new:
            assert len(new.items("general")) == 30
        add(store, posts[30:])
        assert doctor.check(store, TEST_NETWORK) == []


def test_what_is_known_is_answered_while_a_batch_is_written(store: Store) -> None:
    """Or nothing would be checked meanwhile. What is not committed yet is not known."""
    old, new = a_post("Old."), a_post("New.")
    add(store, [old])
    with ThreadPoolExecutor(1) as pool:
        with store.writing() as change:
            change.insert(new, released=True)
            asked = pool.submit(store.known, [old.id, new.id])
            assert asked.result(timeout=60) == {old.id}
        assert store.known([old.id, new.id]) == {old.id, new.id}


def test_counts(store: Store) -> None:
    add(store, a_thread(5))
    add(store, [a_post("mine", board="b")], released=False)
    statistics = store.statistics()
    assert (statistics.posts, statistics.threads, statistics.boards, statistics.unreleased) == (6, 2, 2, 1)
    assert statistics.size > 80_000
