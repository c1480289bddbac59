"""A store in memory for sync's tests: what the door and a session ask of a store, and nothing else."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from list_items import Key, ListItems

from p2pforum.core.post import Post


class MemorySnapshot:
    def __init__(self, posts: dict[bytes, Post]) -> None:
        self._posts = posts
        self._keys: dict[str, list[Key]] = defaultdict(list)
        for post in posts.values():
            self._keys[post.payload.board].append((post.payload.hour, post.id))
        self._items: dict[tuple[str, int], ListItems] = {}
        self.is_open = True

    def boards(self, after: str, most: int) -> list[str]:
        assert self.is_open
        return sorted(name for name in self._keys if name > after)[:most]

    def items(self, board: str, low_hour: int = 0) -> ListItems:
        assert self.is_open
        found = self._items.get((board, low_hour))
        if found is None:
            keys = self._keys.get(board, [])
            found = self._items[board, low_hour] = ListItems(k for k in keys if k[0] >= low_hour)
        return found

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        assert self.is_open
        return {id_: self._posts[id_].raw for id_ in ids if id_ in self._posts}


class KeysOnly(MemorySnapshot):
    """One board of many items, of posts that are gone: to compare much and move nothing."""

    def __init__(self, keys: Iterable[Key]) -> None:
        super().__init__({})
        self._all = ListItems(keys)

    def boards(self, after: str, most: int) -> list[str]:
        return [] if after else ["board"]

    def items(self, board: str, low_hour: int = 0) -> ListItems:
        return self._all

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        return {}


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
