"""Publishing into the real store through the real door, and reading it back with the real reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from keystore_samples import a_keystore
from strategies import HOUR, TEST_NETWORK

from p2pforum.core.errors import Refused
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.forum.import_text import parse_text
from p2pforum.forum.importing import publish_import
from p2pforum.forum.publish import Publisher
from p2pforum.forum.reading import thread_view
from p2pforum.forum.writing import PostSigner
from p2pforum.ingest import Door
from p2pforum.store.posts import Store, open_store
from p2pforum.store.queries import Reader, open_reader

PAGE = "A title\nA text.\nComments\nThe first\nThe first comment.\nThe second\nThe second comment.\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data", TEST_NETWORK) as opened:
        yield opened


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[Reader]:
    with open_reader(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def publisher(store: Store, reader: Reader, tmp_path: Path) -> Publisher:
    door = Door(store, TEST_NETWORK, lambda: HOUR)

    def submit(raw: bytes) -> Outcome:
        return door.ingest_now([raw], Origin.LOCAL)[0].outcome

    return Publisher(a_keystore(tmp_path / "keys"), reader, submit, TEST_NETWORK, lambda: HOUR)


def test_written_kept_and_read(publisher: Publisher, reader: Reader) -> None:
    thread = publisher.new_thread("library", "Books", "Which ones?").post
    reply = publisher.reply(thread.id, "These.").post
    publisher.supersede(reply.id, "Those.")
    publisher.retract(thread.id)
    view = thread_view(reader, thread.id, publisher.keystore.read())
    assert [(p.body, p.is_mine, p.is_retracted, p.is_released) for p in view.posts] == [
        ("", True, True, False),
        ("Those.", True, False, False),
    ]


def test_a_post_waits_for_its_release_before_another_key_names_it(
    publisher: Publisher, store: Store, reader: Reader
) -> None:
    thread = publisher.new_thread("library", "Books", "Which ones?").post
    with pytest.raises(Refused, match="not come back"):
        publisher.reply(thread.id, "t", key="once")
    store.release([thread.id])
    assert publisher.reply(thread.id, "t", key="once").post.payload.parents == (thread.id,)


def test_an_imported_page_is_one_thread(publisher: Publisher, reader: Reader) -> None:
    signer = PostSigner(TEST_NETWORK, lambda: HOUR)
    done = list(publish_import(parse_text(PAGE), "page", publisher.keystore, publisher.submit, signer))
    view = thread_view(reader, done[0].post.id, publisher.keystore.read())
    assert view.subject == "A title"
    assert [post.body for post in view.posts] == ["A text.", "The first comment.", "The second comment."]
    assert len({post.name for post in view.posts}) == 3
    assert not any(post.is_mine for post in view.posts)
