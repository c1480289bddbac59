"""What the store's tests share: what a store must hold, by brute force, and looks into its files."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from strategies import TEST_NETWORK

from p2pforum.core.kinds import Kind
from p2pforum.core.post import Post
from p2pforum.store.posts import Store, open_store
from p2pforum.store.queries import open_reader
from p2pforum.store.snapshot import StoredItems


def opened(stack: ExitStack, directory: Path) -> Store:
    return stack.enter_context(open_store(directory, TEST_NETWORK))


def add(store: Store, posts: Iterable[Post], *, released: bool = True) -> list[bool]:
    return store.add([(post, released) for post in posts])


def cells_of(keys: Iterable[tuple[int, bytes]]) -> bytes:
    """By brute force: of each hour 4 bytes of its number, and SHA-256 of its IDs in order."""
    ids: dict[int, bytes] = defaultdict(bytes)
    for hour, post_id in sorted(keys):
        ids[hour] += post_id
    return b"".join(hour.to_bytes(4, "big") + sha256(found).digest() for hour, found in ids.items())


def assert_items(items: StoredItems, keys: list[tuple[int, bytes]]) -> None:
    """`items` is exactly the sorted list `keys`, however one asks."""
    n = len(keys)
    assert len(items) == n
    assert items.keys(0, n) == keys
    assert [items.key(i) for i in range(n)] == keys
    cuts = sorted({0, n, n // 2, n // 3, max(0, n - 1), min(1, n)})
    for lo in cuts:
        for hi in cuts:
            assert items.cells(lo, hi) == cells_of(keys[lo:hi])
            assert items.keys(lo, hi) == keys[lo:hi]
            assert items.ids(lo, hi) == b"".join(i for _, i in keys[lo:hi])
    for at in cuts:
        if at < n:
            hour, post_id = keys[at]
            assert items.find(hour, post_id) == at
            for size in (0, 1, 16, 31):
                bound = hour, post_id[:size]
                assert items.find(*bound) == sum(key < bound for key in keys)
    assert items.find(0, b"") == 0
    assert items.find(2**63, b"") == n


class Model:
    """The same as a store, with a dict: posts by ID with [post, released, dropped]."""

    def __init__(self) -> None:
        self.posts: dict[bytes, tuple[Post, bool, bool]] = {}

    def add(self, posts: Iterable[tuple[Post, bool]]) -> list[bool]:
        return [self._add(post, released) for post, released in posts]

    def _add(self, post: Post, released: bool) -> bool:
        _, was_released, dropped = self.posts.get(post.id, (post, False, False))
        is_better = post.id not in self.posts or (released and not was_released)
        self.posts[post.id] = post, was_released or released, dropped
        return is_better and not dropped

    def release(self, ids: Iterable[bytes]) -> None:
        for i in ids:
            if i in self.posts:
                post, _, dropped = self.posts[i]
                self.posts[i] = post, True, dropped

    def drop(self, ids: Iterable[bytes]) -> int:
        here = {i for i in ids if i in self.posts and not self.posts[i][2]}
        for i in here:
            post, released, _ = self.posts[i]
            self.posts[i] = post, released, True
        return len(here)

    def expire(self, before_hour: int) -> int:
        gone = [
            i
            for i, (post, released, dropped) in self.posts.items()
            if post.payload.hour < before_hour and (released or dropped)
        ]
        for i in gone:
            del self.posts[i]
        return len(gone)

    def keys(self, board: str) -> list[tuple[int, bytes]]:
        """What sync sees, tombstones included."""
        return sorted(
            (post.payload.hour, post.id)
            for post, released, _ in self.posts.values()
            if released and post.payload.board == board
        )

    def revealed(self) -> set[bytes]:
        return {
            post.author
            for post, _, dropped in self.posts.values()
            if not dropped and post.payload.kind == Kind.REVEAL
        }

    def boards(self) -> list[str]:
        return sorted({post.payload.board for post, released, _ in self.posts.values() if released})

    def counts(self) -> dict[tuple[str, bytes], tuple[int, int]]:
        """(posts, last hour) of each thread with something to read."""
        hours: dict[tuple[str, bytes], list[int]] = defaultdict(list)
        for post, _, dropped in self.posts.values():
            if not dropped and post.payload.kind not in (Kind.RETRACT, Kind.SUPERSEDE):
                hours[post.payload.board, post.thread].append(post.payload.hour)
        return {name: (len(found), max(found)) for name, found in hours.items()}

    def found(self, word: str) -> set[bytes]:
        return {
            post.id
            for post, _, dropped in self.posts.values()
            if not dropped and word in f"{post.subject} {post.body}".lower().replace(".", "").split()
        }


def assert_same(store: Store, directory: Path, model: Model) -> None:
    """Everything that can be asked of the store is as in the model."""
    everything = list(model.posts)
    assert store.known(everything) == {i for i, (_, released, _) in model.posts.items() if released}
    shown = {i: post.raw for i, (post, released, dropped) in model.posts.items() if released and not dropped}
    assert store.raw(everything) == shown
    hidden = [post.raw for post, released, dropped in model.posts.values() if not released and not dropped]
    assert sorted(store.unreleased()) == sorted(hidden)
    authors = [post.author for post, _, _ in model.posts.values()]
    assert store.revealed(authors) == model.revealed()
    with store.snapshot() as snapshot:
        assert snapshot.boards() == [(name, True) for name in model.boards()]
        assert snapshot.cells() == cells_of(key for board in model.boards() for key in model.keys(board))
        assert snapshot.raw(everything) == shown
        for board in [*model.boards(), "no-such-board"]:
            assert_items(snapshot.items(board), model.keys(board))
    with open_reader(directory) as reader:
        assert reader.revealed(authors) == model.revealed()
        rows = reader.threads(None, 1_000)
        assert {(row.board, row.root): (row.posts, row.last_hour) for row in rows} == model.counts()
        assert [row.last_hour for row in rows] == sorted((row.last_hour for row in rows), reverse=True)
        assert {row.name: row.posts for row in reader.boards()} == _per_board(model)
        assert {row.post.id for row in reader.search("first", limit=1_000)} == model.found("first")


def _per_board(model: Model) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for (board, _), (posts, _) in model.counts().items():
        totals[board] += posts
    return dict(totals)


def found_in_files(directory: Path, secret: bytes) -> list[str]:
    """Names of the store's files that hold any 16 bytes in a row of `secret`."""
    runs = {secret[i : i + 16] for i in range(max(1, len(secret) - 15))}
    return [
        file.name
        for file in sorted(directory.iterdir())
        if (content := file.read_bytes()) and any(run in content for run in runs)
    ]
