"""Writing as the person, by the one recipe, as every front end has it."""

import pytest
from app_world import HOUR, release, write

from p2pforum.app.clock import clock_problem
from p2pforum.app.drafting import keep
from p2pforum.app.session import Session
from p2pforum.app.unlocking import made_keystore
from p2pforum.app.writing import Done, Writer
from p2pforum.core.errors import NotFound, Refused
from p2pforum.core.post import Post
from p2pforum.core.verdict import Outcome
from p2pforum.forum import drafts, outbox
from p2pforum.forum.reading import ThreadView, thread_view
from p2pforum.keystore.contents import Draft

DESTINATION = drafts.board_destination("library")


def a_thread(session: Session, body: str = "Text") -> Post:
    return write(session, lambda w: w.post("library", "Subject", body)).published.post


def view(session: Session, post: Post) -> ThreadView:
    return thread_view(session.reader, post.thread)


def test_a_session_sees_the_store_that_its_own_first_post_made(session: Session) -> None:
    assert session.reader.boards() == []
    done = write(session, lambda w: w.post("library", "Subject", "Text"))
    assert (done.published.outcome, done.node_was_off) == (Outcome.STORED, True)
    assert [row.name for row in session.reader.boards()] == ["library"]


def test_a_draft_goes_when_its_text_is_signed_and_not_before(session: Session) -> None:
    box, _ = made_keystore(session)
    kept = keep(session, box, DESTINATION, "Subject", "Text \udcff")
    assert kept.draft == Draft(DESTINATION, "Subject", "Text \ufffd", HOUR)
    with Writer(session, box, draft=kept) as writer, pytest.raises(Refused, match="UTF-8"):
        writer.post("library", "Subject", "Text \udcff")
    assert box.read().drafts == {kept.id: kept.draft}
    other = keep(session, box, DESTINATION, "Subject", "Text")
    write(session, lambda w: w.post("library", "Subject", "Text"), other)
    assert box.read().drafts == {kept.id: kept.draft}


def test_a_draft_that_was_changed_elsewhere_meanwhile_is_neither_dropped_nor_written_over(
    session: Session,
) -> None:
    box, _ = made_keystore(session)
    mine = keep(session, box, DESTINATION, "Subject", "Text")
    changed = keep(session, box, DESTINATION, "Subject", "Text, and more", mine)
    assert changed.id == mine.id
    again = keep(session, box, DESTINATION, "Subject", "Something else", mine)
    assert again.id != mine.id
    write(session, lambda w: w.post("library", "Subject", "Text"), mine)
    assert box.read().drafts == {changed.id: changed.draft, again.id: again.draft}


def test_the_same_text_for_the_same_place_is_one_draft(session: Session) -> None:
    box, _ = made_keystore(session)
    kept = [keep(session, box, DESTINATION, "S", text) for text in ("e\u0301 \n", "\u00e9", "\u00e8")]
    kept.append(keep(session, box, "board other", "S", "\u00e9"))
    assert len({one.id for one in kept}) == len(box.read().drafts) == 3


def test_a_post_that_a_node_refuses_leaves_one_draft(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, _ = made_keystore(session)
    kept = keep(session, box, DESTINATION, "Subject ", "Text  \n")

    def refuse(_delivery: object, _raw: bytes) -> Outcome:
        raise Refused("this board is full")

    monkeypatch.setattr("p2pforum.app.delivery.Delivery.submit", refuse)
    done = write(session, lambda w: w.post("library", "Subject ", "Text  \n"), kept)
    assert done.published.outcome is Outcome.REFUSED
    assert box.read().drafts == {kept.id: kept.draft}
    done = write(session, lambda w: w.post("library", "Another", "Text"))
    assert {d.subject for d in box.read().drafts.values()} == {"Subject ", "Another"}, "by the outbox"


def test_a_subject_alone_is_no_thread(session: Session) -> None:
    with pytest.raises(Refused, match="no text follows"):
        write(session, lambda w: w.post("library", "Only this", ""))


def test_edits_and_withdrawals(session: Session) -> None:
    post = a_thread(session, "Firts")
    write(session, lambda w: w.edit(post.id, "First"))
    assert [(p.body, p.edited) for p in view(session, post).posts] == [("First", HOUR)]
    write(session, lambda w: w.retract(post.id))
    assert [(p.body, p.is_retracted) for p in view(session, post).posts] == [("", True)]


@pytest.mark.parametrize("act", ["edit", "retract"])
def test_nobody_amends_a_post_whose_key_is_gone(session: Session, act: str) -> None:
    post = write(session, lambda w: w.post("library", "S", "Text", key="once")).published.post

    def amend(writer: Writer) -> Done:
        return writer.edit(post.id, "Else") if act == "edit" else writer.retract(post.id)

    with pytest.raises(NotFound):
        write(session, amend)
    assert [p.body for p in view(session, post).posts] == ["Text"]
    mine = a_thread(session, "Mine")  # the negative control
    post = mine
    write(session, amend)
    assert [p.body for p in view(session, post).posts] != ["Mine"]


def waiting(session: Session) -> list[bytes]:
    return [kept.id for kept in made_keystore(session)[0].read().outbox]


def put_into_the_outbox(session: Session, post: Post) -> None:
    with made_keystore(session)[0].transaction() as box:
        outbox.put(box, post, session.config.params)


def test_a_revealed_key_takes_nothing_of_the_outbox_along(session: Session) -> None:
    """What waits there by the same key is about to burn; published, it would be everybody's."""
    post = a_thread(session)
    release(session, post.id)
    put_into_the_outbox(session, post)
    box, _ = made_keystore(session)
    with Writer(session, box) as writer:
        revealed = writer.reveal(post.author)
        assert writer.reveal(post.author) == revealed, "once is enough"
    assert waiting(session) == [post.id]
    a_thread(session, "Another")  # the negative control: what is written otherwise does take it along
    assert waiting(session) == []


def test_a_wrong_clock_signs_nothing(session: Session) -> None:
    post = a_thread(session)
    release(session, post.id)
    session.now = lambda: HOUR - 1_000_000
    assert clock_problem(session)
    box, _ = made_keystore(session)
    with Writer(session, box) as writer:
        for act in (
            lambda: writer.post("library", "S", "Text"),
            lambda: writer.reply([post.id], "Text"),
            lambda: writer.edit(post.id, "Text"),
            lambda: writer.retract(post.id),
            lambda: writer.reveal(post.author),
        ):
            with pytest.raises(Refused, match="clock"):
                act()
    assert len(session.reader.thread(post.id)) == 1
