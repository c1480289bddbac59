"""Publishing a key: by its owner alone, where it spoke, and then anybody can sign with it."""

from pathlib import Path

import pytest
from forum_world import Person, Shelf, a_person
from strategies import TEST_NETWORK, a_thread

from p2pforum.core.errors import NotFound
from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Payload, sign
from p2pforum.core.stamp import blank_stamp
from p2pforum.core.verdict import Outcome
from p2pforum.forum.keys import new_pseudonym
from p2pforum.forum.reading import thread_view


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return a_person(tmp_path)


def test_from_then_on_anybody_can_sign_with_it(person: Person) -> None:
    first = person.publisher.new_thread("library", "Books", "Which ones?")
    person.publisher.reply(first.post.id, "These.")
    published = person.publisher.reveal(first.post.author)
    assert published.outcome is Outcome.STORED
    post = published.post
    assert (post.payload.kind, post.author, post.thread) == (Kind.REVEAL, first.post.author, first.post.id)
    (seed,) = post.payload.content
    fields = Payload(Kind.POST, "library", post.thread, (post.id,), 3, ("Not me.",), blank_stamp(0))
    sign(fields, seed, post.author, TEST_NETWORK).verify_signature()
    assert all(shown.is_revealed for shown in thread_view(person.shelf, post.thread).posts)


def test_a_pseudonym_is_published_where_it_spoke_last(person: Person) -> None:
    with person.keystore.transaction() as box:
        public = new_pseudonym(box, "Ada", person.hour).public
    with pytest.raises(NotFound, match="no post by that key"):
        person.publisher.reveal(public)
    roots = []
    for board in ("one", "two", "three"):
        roots.append(person.publisher.new_thread(board, "Hi", "A text.", key="Ada").post.id)
        person.hour += 1
    assert person.publisher.reveal(public).post.thread == roots[-1]
    marked = [thread_view(person.shelf, root).posts[0].is_revealed for root in roots]
    assert marked == [True] * 3  # wherever the key spoke


def test_nothing_is_told_of_posts_that_were_not_sent(person: Person) -> None:
    """A reveal names what it stands below: only what the network has."""
    person.shelf.released = False
    unsent = person.publisher.new_thread("library", "Books", "Which ones?").post
    with pytest.raises(NotFound, match="no post by that key"):
        person.publisher.reveal(unsent.author)
    person.shelf.put(unsent)  # it came back
    person.publisher.reply(unsent.id, "Not sent.")
    assert person.publisher.reveal(unsent.author).post.payload.parents == (unsent.id,)


def test_only_a_key_of_mine(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put(*a_thread(3))
    person = a_person(tmp_path, shelf)
    for row in list(shelf.rows.values()):
        with pytest.raises(NotFound, match="not in the keystore"):
            person.publisher.reveal(row.author)


def test_it_costs_a_stamp_like_any_post(tmp_path: Path) -> None:
    stamped = NetworkParams("stamped-net", stamp_floor=1, stamp_default=4, stamp_first=5, stamp_own_thread=3)
    person = a_person(tmp_path, Shelf(stamped))
    first = person.publisher.new_thread("library", "Books", "Which ones?")
    assert person.publisher.reveal(first.post.author).post.payload.stamp.bits == 3
