"""From the posts of a thread, in any order of arrival, to the one order in which all nodes show it.

Parents come before their replies. A reply stands right below the last shown of its parents. Posts that are
equally ready go by (hour, ID). A parent that is not here is named, and the order does not wait for it. IDs
are hashes, so an attacker can't make a cycle, but the order does not rely on that: it ends on any input.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Threaded(Protocol):
    """What the order needs to know of a post."""

    @property
    def id(self) -> bytes: ...
    @property
    def hour(self) -> int: ...
    @property
    def parents(self) -> Sequence[bytes]: ...


T = TypeVar("T", bound=Threaded)


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A post in its place. `depth` counts from 0 at the root; `missing` are parents not here."""

    post: T
    depth: int
    missing: tuple[bytes, ...]


def reading_order(posts: Iterable[T]) -> list[Placed[T]]:
    """Give each post once (by ID), in reading order. No recursion: a thread may be 10,000 deep."""
    by_id = {post.id: post for post in sorted(posts, key=_by_time, reverse=True)}
    waiting = {post.id: {p for p in post.parents if p in by_id and p != post.id} for post in by_id.values()}
    replies: dict[bytes, list[T]] = defaultdict(list)  # latest first: a stack gives them back in order
    for post in by_id.values():
        for parent in waiting[post.id]:
            replies[parent].append(post)
    placed: list[Placed[T]] = []
    depths: dict[bytes, int] = {}
    stack = [(post, 0) for post in by_id.values() if not waiting[post.id]]
    # A cycle leaves posts that never become ready; the earliest of them is released then.
    rest = list(by_id.values())
    while len(placed) < len(by_id):
        if not stack:
            while rest[-1].id in depths:
                rest.pop()
            stack.append((rest[-1], 0))
        post, depth = stack.pop()
        if post.id in depths:
            continue
        depths[post.id] = depth
        placed.append(Placed(post, depth, tuple(p for p in post.parents if p not in by_id)))
        for reply in replies[post.id]:
            waiting[reply.id].discard(post.id)
            if not waiting[reply.id] and reply.id not in depths:
                stack.append((reply, depth + 1))
    return placed


def heads(posts: Iterable[T]) -> list[bytes]:
    """The IDs that no other post of these names as a parent, sorted: what a new reply joins."""
    kept = list(posts)
    named = {parent for post in kept for parent in post.parents if parent != post.id}
    return sorted(post.id for post in kept if post.id not in named)


def latest(posts: Iterable[T]) -> list[T]:
    """The posts that no other of these names as a parent, by (hour, ID): the last one is the
    latest of all.
    """
    by_id = {post.id: post for post in posts}
    return sorted((by_id[post_id] for post_id in heads(by_id.values())), key=_by_time)


def _by_time(post: Threaded) -> tuple[int, bytes]:
    return post.hour, post.id
