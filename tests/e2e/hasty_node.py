"""The control of test_e2e_partitions: a node that acknowledges posts before it has written them."""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from p2pforum.cli.main import main
from p2pforum.core.post import Post
from p2pforum.store.posts import Store

_AT_ONCE = 2_000  # posts, as a cache in front of a slow disk would do it
_add = Store.add
_waiting: list[tuple[Post, bool]] = []


def add(store: Store, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
    _waiting.extend(posts)
    if len(_waiting) >= _AT_ONCE:
        _add(store, _waiting)
        _waiting.clear()
    return [True] * len(posts)


if __name__ == "__main__":
    Store.add = add  # type: ignore[method-assign]
    main()
