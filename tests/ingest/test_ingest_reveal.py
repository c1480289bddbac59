"""Once a key is published, what it signs is refused as news, and all nodes still end with the same posts.

Negative control: a door that refuses it from every origin leaves nodes that heard in different orders with
different posts for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import HOUR, TEST_NETWORK, a_key, a_post, a_seed

from p2pforum.core.kinds import Kind
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.forum.reading import thread_view
from p2pforum.ingest import Door
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader

ROOT = a_post("The first.", key=1, hour=HOUR - 2)
OTHERS = a_post("By somebody else.", key=2, root=ROOT.id)
REVEAL = a_post(key=1, root=ROOT.id, kind=Kind.REVEAL, content=(a_seed(1),))
AGAIN = a_post(key=1, root=ROOT.id, kind=Kind.REVEAL, content=(a_seed(1),), hour=HOUR - 1)
LATER = a_post("Forged, and dated so.", key=1, root=ROOT.id, hour=HOUR + 1)
BEFORE = a_post("Forged, and dated back.", key=1, root=ROOT.id, hour=HOUR - 1)
POSTS = [ROOT, OTHERS, REVEAL, AGAIN, LATER, BEFORE]
REASON = "its key was published: anybody can sign with it now"


@dataclass
class Shelf:
    """A store in memory."""

    posts: dict[bytes, Post] = field(default_factory=dict)

    def known(self, ids: Sequence[bytes]) -> set[bytes]:
        return self.posts.keys() & set(ids)

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        published = {post.author for post in self.posts.values() if post.payload.kind == Kind.REVEAL}
        return published & set(keys)

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        new = [post.id not in self.posts for post, _ in posts]
        self.posts |= {post.id: post for post, _ in posts}
        return new


def a_door(shelf: object) -> Door:
    return Door(shelf, TEST_NETWORK, lambda: HOUR)


def take(door: Door, post: Post, origin: Origin) -> Outcome:
    (verdict,) = door.ingest_now([post.raw], origin)
    return verdict.outcome


class StrictDoor(Door):
    """The negative control: refuses a published key's posts from every origin."""

    def ingest_now(self, raws: Sequence[bytes], origin: Origin) -> list:
        return super().ingest_now(raws, Origin.GOSSIP)


def live(doors: list[Door], news: list[list[Post]]) -> list[set[bytes]]:
    """Each node hears its news by gossip, in its order; then they sync until nothing changes."""
    for door, posts in zip(doors, news, strict=True):
        for post in posts:
            take(door, post, Origin.GOSSIP)
    for _ in range(len(doors) * len(POSTS)):
        before = [set(door.store.posts) for door in doors]
        for door in doors:
            for other in doors:
                for missing in [p for i, p in other.store.posts.items() if i not in door.store.posts]:
                    take(door, missing, Origin.SYNC)
        if before == [set(door.store.posts) for door in doors]:
            return before
    raise AssertionError("sync never ends")


orders = st.lists(st.lists(st.sampled_from(POSTS), max_size=8), min_size=2, max_size=4)


@pytest.mark.slow
@settings(max_examples=300)
@given(news=orders)
def test_all_orders_of_arrival_end_with_the_same_posts(news: list[list[Post]]) -> None:
    """What is kept anywhere is kept everywhere, and only what no node took is nowhere."""
    first, *others = live([a_door(Shelf()) for _ in news], news)
    assert all(other == first for other in others)
    assert first <= {post.id for posts in news for post in posts}
    by_others = {post.id for posts in news for post in posts if post.author != a_key(1)}
    assert by_others <= first


@pytest.mark.slow
@given(news=orders)
def test_what_readers_see_marked_does_not_depend_on_the_order(news: list[list[Post]]) -> None:
    doors = [a_door(Shelf()) for _ in news]
    live(doors, news)
    assert len({frozenset(door.store.revealed([a_key(1)])) for door in doors}) == 1


def test_a_door_that_always_refuses_splits_the_network() -> None:
    """The negative control."""
    news = [[LATER, REVEAL], [REVEAL, LATER]]
    kept = live([StrictDoor(Shelf(), TEST_NETWORK, lambda: HOUR) for _ in news], news)
    assert kept[0] != kept[1]
    kept = live([a_door(Shelf()) for _ in news], news)
    assert kept[0] == kept[1] == {LATER.id, REVEAL.id}


@pytest.mark.parametrize("origin", [Origin.GOSSIP, Origin.LOCAL])
@pytest.mark.parametrize("post", [LATER, BEFORE, AGAIN], ids=["later", "dated back", "a second reveal"])
def test_news_of_a_published_key_is_refused_without_fault(origin: Origin, post: Post, tmp_path: Path) -> None:
    with open_store(tmp_path, TEST_NETWORK) as store:
        door = a_door(store)
        assert take(door, post, origin) is Outcome.STORED  # the negative control: before the reveal
    with open_store(tmp_path / "other", TEST_NETWORK) as store:
        door = a_door(store)
        assert take(door, REVEAL, origin) is Outcome.STORED
        (verdict,) = door.ingest_now([post.raw], origin)
        assert (verdict.outcome, verdict.reason) == (Outcome.REFUSED, REASON)
        assert take(door, OTHERS, origin) is Outcome.STORED


@pytest.mark.parametrize("way", [Origin.LOCAL, Origin.STEM])
def test_a_reveal_in_its_stem_comes_back(way: Origin, tmp_path: Path) -> None:
    with open_store(tmp_path, TEST_NETWORK) as store:
        door = a_door(store)
        assert take(door, REVEAL, way) is Outcome.STORED
        assert take(door, LATER, Origin.LOCAL) is Outcome.REFUSED  # whoever writes here knows
        assert take(door, BEFORE, Origin.GOSSIP) is Outcome.STORED  # peers are not told
        assert take(door, REVEAL, Origin.GOSSIP) is Outcome.STORED
        assert store.known([REVEAL.id]) == {REVEAL.id}
        for origin in (Origin.GOSSIP, Origin.STEM):  # the negative control: now it is public
            assert take(door, LATER, origin) is Outcome.REFUSED


@pytest.mark.parametrize("origin", [Origin.SYNC, Origin.BUNDLE])
def test_what_others_kept_is_kept_and_marked(origin: Origin, tmp_path: Path) -> None:
    with open_store(tmp_path, TEST_NETWORK) as store:
        door = a_door(store)
        for post in (REVEAL, LATER, OTHERS, ROOT):
            assert take(door, post, origin) is Outcome.STORED
    with open_reader(tmp_path) as reader:
        marked = {post.id: post.is_revealed for post in thread_view(reader, ROOT.id).posts}
    assert marked == {REVEAL.id: True, LATER.id: True, ROOT.id: True, OTHERS.id: False}


def test_a_forged_reveal_reveals_nothing() -> None:
    """Nobody can publish a key that they don't have: the post is invalid."""
    door = a_door(Shelf())
    forged = bytearray(REVEAL.raw)
    at = REVEAL.raw.index(a_seed(1))
    forged[at : at + 32] = a_seed(9)
    assert (
        take(door, Post(bytes(forged), *[b""] * 2, REVEAL.payload, b"", b""), Origin.SYNC) is Outcome.INVALID
    )
    assert not door.store.revealed([a_key(1)])
