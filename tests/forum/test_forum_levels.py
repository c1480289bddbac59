"""Threads are indented as little as tells what each post answers."""

import random

from forum_world import Shelf
from hypothesis import given
from hypothesis import strategies as st
from strategies import HOUR, a_post

from p2pforum.core.post import Post
from p2pforum.forum.levels import Level, levels
from p2pforum.forum.reading import PostView, thread_view

ROOT = a_post("The first text.")


def shown(*posts: Post) -> list[tuple[PostView, Level]]:
    shelf = Shelf()
    shelf.put(*posts)
    view = thread_view(shelf, ROOT.id)
    return list(zip(view.posts, levels(view.posts), strict=True))


def reply(body: str, *to: Post, hour: int = HOUR) -> Post:
    return a_post(body, root=ROOT.id, parents=sorted(post.id for post in to), hour=hour)


def places(*posts: Post) -> list[tuple[str, int, bool]]:
    return [(post.body, place.level, place.goes_on) for post, place in shown(*posts)][1:]


def told_by(above: list[tuple[PostView, Level]], place: Level) -> bytes:
    """What a reader takes a post for an answer to, by its place alone; empty for nothing."""
    if place.goes_on:
        return above[-1][0].id
    return next((post.id for post, at in reversed(above) if at.level == place.level - 1), b"")


def test_a_staircase_of_single_answers_is_a_column() -> None:
    posts = [ROOT]
    for n in range(20):
        posts.append(reply(str(n), posts[-1]))
    assert places(*posts) == [(str(n), 0, True) for n in range(20)]


def test_several_answers_stand_below_what_they_answer() -> None:
    one, two = reply("one", ROOT, hour=HOUR), reply("two", ROOT, hour=HOUR + 9)
    to_one = reply("to one", one, hour=HOUR + 1)
    again = [reply(f"again {n}", to_one, hour=HOUR + 2 + n) for n in range(2)]
    assert places(ROOT, one, two, to_one, *again) == [
        ("one", 1, False),
        ("to one", 1, True),
        ("again 0", 2, False),
        ("again 1", 2, False),
        ("two", 1, False),
    ]


def test_what_answers_nothing_that_is_here() -> None:
    missing = reply("not here", ROOT)
    assert places(ROOT, reply("an answer", missing)) == [("an answer", 0, False)]


@given(st.randoms(use_true_random=False))
def test_the_place_tells_what_a_post_answers(rng: random.Random) -> None:
    """For any thread: the last shown of its parents, as if it were written beside each post."""
    posts = [ROOT]
    for n in range(rng.randrange(1, 16)):
        near = posts[-rng.randrange(1, 4) :]
        to = rng.sample(near, min(len(near), rng.choice([1, 1, 1, 2])))
        posts.append(reply(str(n), *to, hour=HOUR + rng.randrange(4)))
    kept = [post for post in posts if post is ROOT or rng.random() < 0.9]
    found = shown(*kept)
    for number, (post, place) in enumerate(found):
        here = [above.id for above, _ in found[:number] if above.id in post.parents]
        assert told_by(found[:number], place) == (here[-1] if here else b"")
        assert place.level <= post.depth
