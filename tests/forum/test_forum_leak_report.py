"""The record of how my posts left: in the keystore alone, sealed, and gone with the key."""

from pathlib import Path

import pytest
from forum_world import Person, a_person
from strategies import HOUR, a_post

from p2pforum.core import limits
from p2pforum.core.errors import NotFound
from p2pforum.core.post import Post
from p2pforum.forum import leak_report
from p2pforum.forum.backup import back_up, restore
from p2pforum.forum.burning import burn, everything, the_key, the_thread
from p2pforum.keystore.contents import SentRecord

SPREAD = {"handed": 3, "told": 2, "heard": 1}


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return a_person(tmp_path)


def published(person: Person, **how: object) -> Post:
    post = person.publisher.new_thread("library", "Books", "Which ones?", **how).post
    leak_report.remember(person.keystore, post, SPREAD, 5.0)
    return post


def records(person: Person) -> dict[bytes, SentRecord]:
    return person.keystore.read().sent


def test_what_the_node_answered_is_remembered(person: Person) -> None:
    post = published(person)
    assert records(person) == {post.id: SentRecord(post.author, post.id, HOUR, 3, 2, 1, 5)}
    box = person.keystore.read()
    assert leak_report.left(box, post.id) == leak_report.all_left(box)[0]
    with pytest.raises(NotFound, match="the keystore does not know"):
        leak_report.left(box, a_post().id)


def test_no_answer_a_key_for_once_and_anothers_post_leave_no_record(person: Person) -> None:
    published(person, key="once")
    leak_report.remember(person.keystore, a_post(), SPREAD, 0)
    leak_report.remember(person.keystore, person.publisher.new_thread("a", "b", "c").post, None, 0)
    assert records(person) == {}


@pytest.mark.parametrize("how", ["key", "thread", "everything"])
def test_it_burns_with_the_key(person: Person, tmp_path: Path, how: str) -> None:
    post, other = published(person), published(person)
    choose = {"key": the_key(post.author), "thread": the_thread(post.id), "everything": everything}[how]
    burn(person.keystore, choose, person.shelf, [tmp_path])
    assert records(person).keys() == (set() if how == "everything" else {other.id})


@pytest.mark.parametrize("passphrase", [b"correct horse", None])
def test_it_is_sealed(tmp_path: Path, passphrase: bytes | None) -> None:
    """Without a passphrase the post's ID is in the file: the negative control."""
    person = a_person(tmp_path, passphrase=passphrase)
    post = published(person)
    with person.keystore.transaction() as box:  # the ID of a root is there as its thread, too
        box.speaking.clear()
        box.keys.clear()
        box.sent = {post.id: SentRecord(bytes(32), bytes(32), HOUR, 3, 2, 1, 5)}
    raw = person.keystore.path.read_bytes()
    assert any(post.id[i : i + 16] in raw for i in range(16)) is (passphrase is None)


def test_it_expires_with_the_post(person: Person) -> None:
    old = published(person)
    person.hour += limits.SENT_HOURS
    new = published(person)
    assert records(person).keys() == {old.id, new.id}
    person.hour += 1
    last = published(person)
    assert records(person).keys() == {new.id, last.id}
    assert [left.post_id for left in leak_report.all_left(person.keystore.read())] == [last.id, new.id]


def test_a_backup_brings_it_back(person: Person, tmp_path: Path) -> None:
    post = published(person)
    back_up(person.keystore, tmp_path / "backup", None)
    (tmp_path / "clean").mkdir()
    clean = a_person(tmp_path / "clean")
    restore(clean.keystore, tmp_path / "backup", lambda: b"")
    assert records(clean).keys() == {post.id}


def test_what_it_tells() -> None:
    def said(*counts: int) -> str:
        return " ".join(leak_report.what_it_tells(SentRecord(b"", b"", HOUR, *counts)))

    assert "3 peers got the post from this node" in said(3, 2, 1, 5)
    assert "2 peers learnt within 5 s that this node has the post" in said(3, 2, 1, 5)
    assert "1 peer offered it back" in said(3, 2, 1, 5)
    assert "No peer was connected" in said(0, 0, 0, 0)
    assert "To count more" in said(3, 0, 0, 0)
    assert "had not come back yet" in said(3, 0, 0, 5)
