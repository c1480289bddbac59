"""What the posts of one node have in common: nothing but what everyone's posts have."""

import random
import string
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from forum_world import Person, Shelf, a_person
from keystore_samples import some_key
from strategies import TEST_NETWORK

from p2pforum.core.post import Post
from p2pforum.forum.importing import ImportedPost, publish_import
from p2pforum.forum.writing import PostSigner

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_disk")]

RUN = 8  # bytes: chance makes no two equal ones in a test
THREADS = 100
BOARD = "a-board-of-everyone"
LETTERS = string.ascii_letters + string.digits


def discuss(person: Person, seed: int, key: str | None = None) -> list[Post]:
    """Two posts in each of a hundred threads; texts of one length, so that all posts have one layout."""
    rng = random.Random(seed)
    posts = []
    for _ in range(THREADS):
        subject, first, second = ("".join(rng.choices(LETTERS, k=k)) for k in (40, 90, 130))
        thread = person.publisher.new_thread(BOARD, subject, first, key=key).post
        posts += [thread, person.publisher.reply(thread.id, second, key=key).post]
    return posts


class Layout:
    """What is the same in all posts of two people who have nothing to do with each other: the constants."""

    def __init__(self, one: Sequence[Post], two: Sequence[Post]) -> None:
        self._constant = {}
        for is_root in (True, False):
            raws = [post.raw for post in (*one, *two) if post.is_root == is_root]
            assert len({len(raw) for raw in raws}) == 1
            self._constant[is_root] = [len(set(column)) == 1 for column in zip(*raws, strict=True)]

    def runs(self, post: Post) -> set[bytes]:
        """The runs of RUN bytes between the constants."""
        constant = self._constant[post.is_root]
        free = [not any(constant[i : i + RUN]) for i in range(len(constant) - RUN + 1)]
        return {post.raw[i : i + RUN] for i, is_free in enumerate(free) if is_free}

    def marks(self, posts: Sequence[Post]) -> list[tuple[bool, int]]:
        """The places where all these posts agree, and everyone's do not: even one byte would be a mark."""
        found = []
        for is_root, constant in self._constant.items():
            columns = zip(*(post.raw for post in posts if post.is_root == is_root), strict=True)
            found += [
                (is_root, i) for i, column in enumerate(columns) if len(set(column)) == 1 and not constant[i]
            ]
        return found

    def shared_across_threads(self, posts: Sequence[Post]) -> set[bytes]:
        threads: dict[bytes, set[bytes]] = defaultdict(set)
        for post in posts:
            for run in self.runs(post):
                threads[run].add(post.thread)
        return {run for run, where in threads.items() if len(where) > 1}


@pytest.fixture(scope="module")
def strangers(quick_disk: None, tmp_path_factory: pytest.TempPathFactory) -> list[Post]:
    """Posts of somebody else on the same board in the same hour."""
    return discuss(a_person(tmp_path_factory.mktemp("stranger")), 1)


@pytest.mark.parametrize(("key", "authors"), [(None, THREADS), ("once", 2 * THREADS)])
def test_posts_of_two_threads_share_nothing_but_constants(
    tmp_path: Path, strangers: list[Post], key: str | None, authors: int
) -> None:
    posts = discuss(a_person(tmp_path), 2, key)
    assert len({post.thread for post in posts}) == THREADS
    assert len({post.author for post in posts}) == authors
    layout = Layout(posts, strangers)
    assert layout.shared_across_threads(posts) == set()
    assert layout.marks(posts) == []


def test_control_one_key_for_all_threads_is_found(tmp_path: Path, strangers: list[Post]) -> None:
    person = a_person(tmp_path)
    key = some_key(1, name="all")
    with person.keystore.transaction() as box:
        box.keys[key.public] = key
    posts = discuss(person, 3, key="all")
    layout = Layout(posts, strangers)
    assert key.public[:RUN] in layout.shared_across_threads(posts)
    assert len(layout.marks(posts)) >= 2 * 30  # the key's bytes, in roots and in replies


def test_the_way_a_post_was_made_does_not_show(tmp_path: Path) -> None:
    """A thread that was typed and one that was imported: the same fields, types and lengths."""
    person = a_person(tmp_path)
    typed = person.publisher.new_thread(BOARD, "Subject", "A text.").post
    signer = PostSigner(TEST_NETWORK, lambda: person.hour)
    found = [ImportedPost("Subject", "A text.", "somebody")]
    (imported,) = publish_import(found, BOARD, person.keystore, person.shelf.submit, signer)
    assert len(typed.raw) == len(imported.post.raw)
    assert blank(typed) == blank(imported.post)


def blank(post: Post) -> bytes:
    """The post without what is random in every one."""
    signature, nonce = post.raw[-64:], post.payload.stamp.nonce
    return post.raw.replace(signature, b"S").replace(post.author, b"A").replace(nonce, b"N")


def test_the_shelf_is_no_easier_than_the_door() -> None:
    """The world of these tests refuses what the door refuses: else they would prove nothing."""
    with pytest.raises(Exception, match="not the envelope of a post"):
        Shelf().submit(b"no post")
