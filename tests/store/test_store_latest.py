"""Public posts by (hour, ID), from the end: whatever the limit and the place, the same order."""

import pytest
from strategies import HOUR, a_post

from p2pforum.core.errors import NotFound
from p2pforum.core.post import Post
from p2pforum.store import retention
from p2pforum.store.posts import Store
from p2pforum.store.queries import Reader


def some_posts() -> list[Post]:
    """On two boards, several in an hour."""
    return [
        a_post(f"{n}", subject=f"{n}", board=f"b{n % 2}", hour=HOUR - n // 5, key=n + 1) for n in range(23)
    ]


def in_order(posts: list[Post], board: str | None = None) -> list[bytes]:
    kept = [post for post in posts if board in (None, post.payload.board)]
    return [p.id for p in sorted(kept, key=lambda p: (p.payload.hour, p.id), reverse=True)]


@pytest.mark.parametrize("board", [None, "b0", "b1", "nowhere"])
@pytest.mark.parametrize("limit", [1, 2, 5, 7, 23, 100])
def test_page_by_page_it_is_the_one_order(
    store: Store, reader: Reader, board: str | None, limit: int
) -> None:
    posts = some_posts()
    store.add([(post, True) for post in posts])
    found: list[bytes] = []
    while page := reader.latest(board, limit, found[-1] if found else None):
        assert len(page) <= limit
        found += [row.id for row in page]
    assert found == in_order(posts, board)


@pytest.mark.parametrize("board", [None, "b0"])
def test_since(store: Store, reader: Reader, board: str | None) -> None:
    posts = some_posts()
    store.add([(post, True) for post in posts])
    for hour in (0, HOUR - 4, HOUR - 2, HOUR, HOUR + 1):
        wanted = in_order([p for p in posts if p.payload.hour >= hour], board)[::-1]
        assert reader.since(hour, board) == wanted


@pytest.mark.parametrize("board", [None, "b0"])
def test_neither_what_is_not_public_nor_what_was_dropped(
    store: Store, reader: Reader, board: str | None
) -> None:
    public, young, gone = some_posts()[:6:2]
    store.add([(public, True), (gone, True)])
    store.add([(young, False)])
    retention.drop(store, [gone.id])
    assert [row.id for row in reader.latest(board, 10)] == [public.id]
    assert reader.since(0, board) == [public.id]
    store.release([young.id])  # the control
    assert len(reader.latest(board, 10)) == 2
    every = in_order([public, young, gone])
    behind = every[every.index(gone.id) + 1 :]
    assert [row.id for row in reader.latest(board, 10, gone.id)] == behind, "what was dropped has its place"


def test_a_place_that_is_not_here(reader: Reader) -> None:
    with pytest.raises(NotFound):
        reader.latest(None, 10, bytes(32))


def test_the_version_changes_with_each_write_and_with_nothing_else(store: Store, reader: Reader) -> None:
    before = reader.version()
    assert [reader.version() for _ in range(3)] == [before] * 3
    (post, *_) = some_posts()
    store.add([(post, False)])
    after = reader.version()
    assert after != before
    store.release([post.id])
    assert reader.version() != after
