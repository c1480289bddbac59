"""A store in memory for sync's tests: what the door and a session ask of a store, and nothing else."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from list_items import Key, ListItems, naive_cells

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.store.blocks import Block, BlockKeys, BoardBlocks
from p2pforum.store.snapshot import StoredItems


class MemorySnapshot:
    def __init__(self, posts: dict[bytes, Post]) -> None:
        self._posts = posts
        self._keys: dict[str, list[Key]] = defaultdict(list)
        for post in posts.values():
            self._keys[post.payload.board].append((post.payload.hour, post.id))
        self._items: dict[tuple[str, int, int], ListItems] = {}
        self.is_open = True

    def boards(self, after: str, most: int, low_hour: int) -> list[tuple[str, bool]]:
        assert self.is_open
        names = sorted(name for name in self._keys if name > after)[:most]
        return [(name, any(hour >= low_hour for hour, _ in self._keys[name])) for name in names]

    def cells(self, low: int, end: int) -> bytes:
        assert self.is_open
        return naive_cells(key for keys in self._keys.values() for key in keys if low <= key[0] < end)

    def items(self, board: str, low_hour: int = 0, end: int = limits.MAX_HOUR) -> ListItems:
        assert self.is_open
        found = self._items.get((board, low_hour, end))
        if found is None:
            keys = self._keys.get(board, [])
            found = self._items[board, low_hour, end] = ListItems(k for k in keys if low_hour <= k[0] < end)
        return found

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        assert self.is_open
        return {id_: self._posts[id_].raw for id_ in ids if id_ in self._posts}


def block_items(keys: Iterable[Key], block: int = 256) -> StoredItems:
    """The store's own index over these keys, with nothing left to load from a disk."""
    ordered = sorted(keys)
    pieces = [ordered[i : i + block] for i in range(0, len(ordered), block)]
    loaded = [BlockKeys(piece) for piece in pieces]
    return StoredItems(BoardBlocks([Block(piece[0], len(piece)) for piece in pieces]), loaded.__getitem__)


class KeysOnly(MemorySnapshot):
    """One board of many items, of posts that are gone: to compare much and move nothing."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__({})
        self._keys["board"] = sorted(keys)
        self._all = block_items(self._keys["board"])

    def cells(self, low: int, end: int) -> bytes:
        return self._all.cells(self._all.find(low, b""), self._all.find(end, b""))

    def items(self, board: str, low_hour: int = 0, end: int = limits.MAX_HOUR) -> StoredItems:  # type: ignore[override]
        return self._all


class MemoryPosts:
    def __init__(self, posts: Iterable[Post] = ()) -> None:
        self._lock = threading.Lock()
        self.posts = {post.id: post for post in posts}

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        with self._lock:
            return {id_ for id_ in ids if id_ in self.posts}

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        with self._lock:
            new = [post.id not in self.posts for post, _ in posts]
            self.posts |= {post.id: post for post, _ in posts}
        return new

    @contextmanager
    def snapshot(self) -> Iterator[MemorySnapshot]:
        with self._lock:
            posts = dict(self.posts)
        snapshot = MemorySnapshot(posts)
        yield snapshot
        snapshot.is_open = False
