"""Discussions from elsewhere: what is read, what is left behind, and what is said about bad input."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from forum_world import STAMPED, Person, Shelf, a_person
from hypothesis import given
from hypothesis import strategies as st
from strategies import TEST_NETWORK

from p2pforum.core import limits
from p2pforum.core.errors import NodeUnreachable, Refused
from p2pforum.core.thread import reading_order
from p2pforum.core.verdict import Outcome
from p2pforum.forum import params
from p2pforum.forum.import_jsonl import parse_jsonl
from p2pforum.forum.import_mail import parse_mbox
from p2pforum.forum.import_text import parse_text
from p2pforum.forum.importing import (
    ImportedPost,
    hours_back,
    publish_import,
    split_body,
    split_long,
    with_claimed_dates,
)
from p2pforum.forum.outbox import resubmit_outbox
from p2pforum.forum.publish import Published
from p2pforum.forum.writing import PostSigner

PAGE = """\
Public gardens and rain
Who waters them when it does not? Examples welcome!
Group audience:



Comments
Our street shares one
Our street shares one rota.
It works since 2009.
http://example.org/rota...

Nobody does
Nobody does
I tried "asking", and
I tried "asking", and got a hose.
"""

MBOX = b"""\
From alice@example.org Mon Nov  3 10:00:00 2025
Message-ID: <1@example.org>
From: Alice Example <alice@example.org>
Date: Mon, 3 Nov 2025 10:00:00 +0100
Subject: =?utf-8?q?B=C3=BCcher?=

Which ones?
>From here on I read everything.

From bob@example.org Mon Nov  3 11:00:00 2025
Message-ID: <3@example.org>
In-Reply-To: <2@example.org>
References: <1@example.org> <2@example.org>
From: bob@example.org
Subject: Re: Re: B
Content-Type: text/plain; charset=no-such-charset

Answer to Carol, and before her in the file.

From carol@example.org Mon Nov  3 10:30:00 2025
Message-ID: <2@example.org>
References: <1@example.org>
From: carol@example.org
Subject: RE: B
Content-Type: text/html; charset=utf-8

<html><head><style>p {}</style></head><body><p>All &amp; <b>every</b></p><script>x()</script></body>

From alice@example.org Mon Nov  3 12:00:00 2025
Message-ID: <4@example.org>
In-Reply-To: <not-here@example.org>
From: "Someone else" <ALICE@example.org>
Subject: Re:

"""


def mails(pieces: Iterable[bytes]) -> list[ImportedPost]:
    return parse_mbox(pieces).posts


def importer(person: Person) -> Callable[[list[ImportedPost]], list[Published]]:
    def run(posts: list[ImportedPost]) -> list[Published]:
        signer = PostSigner(person.shelf.params, lambda: person.hour)
        return list(publish_import(posts, "library", person.keystore, person.shelf.submit, signer))

    return run


def test_a_page_with_comments() -> None:
    posts = parse_text(PAGE)
    assert posts[0] == ImportedPost(
        "Public gardens and rain", "Who waters them when it does not? Examples welcome!"
    )
    assert [(post.body, post.reply_to) for post in posts[1:]] == [
        ("Our street shares one rota.\nIt works since 2009.\nhttp://example.org/rota...", 0),
        ("Nobody does", 0),
        ('I tried "asking", and got a hose.', 0),
    ]
    labelled = parse_text("\n \n" + PAGE.replace("\n", "\r\n"), authors=["a", "b", "a", "c"])
    assert [post.author for post in labelled] == ["a", "b", "a", "c"]
    assert [post.body for post in labelled] == [post.body for post in posts]


def test_a_page_without_comments() -> None:
    assert parse_text("Title\nText.") == [ImportedPost("Title", "Text.")]
    assert len(parse_text("Title\nText.\nComments\n\n")) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the text is empty"),
        (" \n\n", "line 1: the text is empty"),
        ("\n\nTitle", "line 4: there is no text"),
        ("Title\nComments\nA b\nA b c", "line 2: there is no text"),
        ("\nTitle\nText\nComments\n\nA comment without its title.\nMore.", "line 6: a comment begins with"),
    ],
)
def test_a_page_of_another_kind(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        parse_text(text)


def test_labels_that_do_not_fit() -> None:
    with pytest.raises(Refused, match="2 authors are named, and there are 4 posts"):
        parse_text(PAGE, authors=["a", "b"])


def test_an_mbox_becomes_threads() -> None:
    posts = mails([MBOX])
    assert [(p.subject, p.body, p.author, p.reply_to) for p in posts] == [
        ("Bücher", "Which ones?\nFrom here on I read everything.", "alice example alice@example.org", None),
        ("B", "All & every", "carol@example.org", 0),
        ("B", "Answer to Carol, and before her in the file.", "bob@example.org", 1),
        ("(no subject)", "(no text)", "someone else alice@example.org", None),
    ]


def test_an_mbox_with_attachments_and_a_circle() -> None:
    raw = (
        b"From a\nMessage-ID: <a>\nIn-Reply-To: <b>\nSubject: one\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="X"\n\n--X\n\nShown.\n--X\n'
        b'Content-Disposition: attachment; filename="secret.txt"\n\nNot shown.\n--X--\n\n'
        b"From b\nMessage-ID: <b>\nIn-Reply-To: <a>\nSubject: two\n\nThe other.\n\n"
        b"From c\nMessage-ID: <c>\nIn-Reply-To: <c>\nSubject: three\n\nItself.\n"
    )
    posts = mails([raw])
    assert [(p.body, p.reply_to) for p in posts] == [("Itself.", None), ("Shown.", None), ("The other.", 1)]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\nSubject: mail without a From line\n\ntext"])
def test_what_is_no_mbox(raw: bytes) -> None:
    with pytest.raises(Refused, match=r"line \d: not an mbox"):
        mails([raw])


@given(st.lists(st.sampled_from(MBOX.split(b"\n")) | st.binary(max_size=30), max_size=30))
def test_no_mail_breaks_the_parser(lines: list[bytes]) -> None:
    check_drafts(mails([b"From somebody\n" + b"\n".join(lines)]))


def check_drafts(posts: list[ImportedPost]) -> None:
    for index, post in enumerate(posts):
        assert post.body.strip()
        assert post.reply_to is None or 0 <= post.reply_to < index
        assert post.reply_to is not None or post.subject.strip()


def test_json_lines() -> None:
    rows = [
        {"id": 7, "reply_to": "first", "body": "an answer", "author": "b", "date": "not read"},
        {
            "id": "first",
            "subject": "Subject",
            "body": "text",
            "author": "a",
            "reply_to": None,
            "date": "2011-01-01",
        },
        {"thread": "t", "subject": "Other", "body": "one"},
        {"thread": "t", "body": "two"},
        {"thread": "t", "body": "three"},
    ]
    posts = parse_jsonl("\n".join(map(json.dumps, rows)) + "\n\n")
    assert [(p.subject, p.body, p.author, p.reply_to) for p in posts] == [
        ("Subject", "text", "a", None),
        ("", "an answer", "b", 0),
        ("Other", "one", "", None),
        ("", "two", "", 2),
        ("", "three", "", 2),
    ]
    assert [p.date for p in posts] == ["2011-01-01", "", "", "", ""]


GOOD = '{"id": "a", "subject": "s", "body": "t"}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: there are no posts"),
        (GOOD + "\n{", "line 3: not JSON"),
        (GOOD + "[]", "line 2: not a JSON object"),
        (GOOD + '{"subject": "s"}', 'line 2: "body" is missing or empty'),
        (GOOD + '{"subject": "s", "body": " \\n"}', 'line 2: "body" is missing or empty'),
        (GOOD + '{"subject": ["s"], "body": "t"}', 'line 2: "subject" is not a text'),
        (GOOD + '{"subject": true, "body": "t"}', 'line 2: "subject" is not a text'),
        (GOOD + '{"subject": "s", "body": "\\ud800"}', 'line 2: "body" has half a character'),
        (GOOD + '{"body": "t"}', "line 2: a post that answers no other needs a subject"),
        (GOOD + '{"body": "t", "reply_to": "b"}', 'line 2: it answers "b", and no post has that id'),
        (GOOD + GOOD, 'line 2: a second post with the id "a"'),
        ('{"id": 1, "body": "t", "reply_to": 2}\n{"id": 2, "body": "t", "reply_to": 1}', "in a circle"),
        ("[" * 100_000, "line 1: n"),
    ],
)
def test_json_lines_that_are_wrong(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        parse_jsonl(text)


json_values = st.none() | st.booleans() | st.integers(0, 5) | st.sampled_from(["", "a", "b", "text"])
json_rows = st.dictionaries(
    st.sampled_from(["id", "reply_to", "thread", "author", "subject", "body"]), json_values
)


@given(st.lists(json_rows.map(json.dumps) | st.text(max_size=8), max_size=8))
def test_any_json_lines_are_posts_or_refused(lines: list[str]) -> None:
    try:
        posts = parse_jsonl("\n".join(lines))
    except Refused:
        return
    check_drafts(posts)


def test_an_author_has_one_key_in_a_thread_and_another_in_the_next(tmp_path: Path) -> None:
    person = a_person(tmp_path)
    thread = [
        ImportedPost("Subject", "one", "anna"),
        ImportedPost("", "two", "bert", 0),
        ImportedPost("", "three", "anna", 1),
        ImportedPost("", "four", "", 1),
        ImportedPost("", "five", "", 1),
    ]
    twice = thread + [
        ImportedPost(p.subject, p.body, p.author, None if p.reply_to is None else p.reply_to + 5)
        for p in thread
    ]
    done = importer(person)(twice)
    assert [d.key for d in done[:3]] == ["anna", "bert", "anna"]
    assert {d.outcome for d in done} == {Outcome.STORED}
    authors = [d.post.author for d in done]
    assert authors[0] == authors[2]
    assert len(set(authors)) == 8
    assert done[2].post.payload.parents == (done[1].post.id,)
    assert {d.post.thread for d in done[:5]} == {done[0].post.id}
    assert {d.post.thread for d in done[5:]} == {done[5].post.id}


def test_names_dates_and_keys_are_not_kept_anywhere(tmp_path: Path) -> None:
    person = a_person(tmp_path, passphrase=None)
    done = importer(person)(mails([MBOX]))
    travels = b"".join(d.post.raw for d in done)
    for private in (b"alice", b"Alice", b"example.org", b"2025", b"Nov", b"carol"):
        assert private not in travels
        assert private not in person.keystore.path.read_bytes()
    box = person.keystore.read()
    assert (box.keys, box.speaking, box.outbox) == ({}, {}, [])


def test_stamps_of_imported_posts(tmp_path: Path) -> None:
    person = a_person(tmp_path, Shelf(STAMPED))
    posts = [ImportedPost("s", "1", "a"), ImportedPost("", "2", "a", 0), ImportedPost("", "3", "b", 0)]
    done = importer(person)([*posts, ImportedPost("", "4", "b", 0)])
    assert [d.post.payload.stamp.bits for d in done] == [5, 3, 5, 4]


def test_a_node_that_is_gone_leaves_the_import_in_the_outbox(tmp_path: Path) -> None:
    person = a_person(tmp_path)
    person.shelf.trouble = NodeUnreachable("no node")
    done = importer(person)(parse_text(PAGE))
    assert {d.outcome for d in done} == {None}
    person.shelf.trouble = None
    resubmit_outbox(person.keystore, person.shelf.submit, TEST_NETWORK)
    assert list(person.shelf.rows) == [d.post.id for d in done]


def test_an_interruption_leaves_whole_threads(tmp_path: Path) -> None:
    person = a_person(tmp_path)
    posts = [
        ImportedPost("one", "1"),
        ImportedPost("", "2", "", 0),
        ImportedPost("two", "3"),
        ImportedPost("", "4", "", 2),
    ]

    def interrupt(minted: int, total: int) -> None:
        assert total == 4
        if minted == 3:
            raise KeyboardInterrupt

    signer = PostSigner(TEST_NETWORK, lambda: person.hour)
    run = publish_import(posts, "b", person.keystore, person.shelf.submit, signer, interrupt)
    assert [next(run).post.body, next(run).post.body] == ["1", "2"]
    with pytest.raises(KeyboardInterrupt):
        next(run)
    assert [row.body for row in person.shelf.rows.values()] == ["1", "2"]
    assert person.keystore.read().outbox == []


def test_long_texts_are_continued(tmp_path: Path) -> None:
    person = a_person(tmp_path)
    paragraphs = [f"{n} " + "wörter " * 400 for n in range(12)]
    posts = [ImportedPost("s" * 500, "\n\n".join(paragraphs)), ImportedPost("", "an answer", "", 0)]
    done = importer(person)(posts)
    assert len(done) == 5
    assert len({d.post.author for d in done[:4]}) == 1
    assert done[4].post.author != done[0].post.author
    assert "\n\n".join(d.post.body for d in done[:4]).split() == posts[0].body.split()
    assert [d.post.payload.parents[0] for d in done[1:4]] == [d.post.id for d in done[:3]]
    assert done[4].post.payload.parents == (done[0].post.id,)
    assert done[0].post.subject == "s" * limits.MAX_SUBJECT


@given(st.lists(st.sampled_from(["a", "ö", " ", "\n", "word " * 50, "x" * 3000, "€" * 5000]), max_size=12))
def test_split_texts_fit_and_lose_no_letter(pieces: list[str]) -> None:
    body = "".join(pieces)
    if not body.strip():
        return
    parts = split_body(body)
    assert all(0 < len(part.encode()) <= limits.MAX_BODY for part in parts)
    assert "".join(parts).split() == body.split() or "".join("".join(parts).split()) == "".join(body.split())


def test_nothing_is_published_of_an_import_that_is_wrong(tmp_path: Path) -> None:
    person = a_person(tmp_path)
    with pytest.raises(Refused, match="needs a subject"):
        importer(person)([ImportedPost("s", "t"), ImportedPost("", "t")])
    with pytest.raises(Refused, match="is empty"):
        importer(person)([ImportedPost("s", "t"), ImportedPost("s", " ")])
    assert person.shelf.rows == {}
    assert len(split_long([ImportedPost("s", "t")])) == 1


def order(person: Person, done: list[Published]) -> list[str]:
    """The bodies of a thread as everybody reads it."""
    rows = [row for row in person.shelf.rows.values() if row.root == done[0].post.thread]
    return [placed.post.body for placed in reading_order(rows)]


def test_answers_to_one_post_keep_their_order(tmp_path: Path) -> None:
    person = a_person(tmp_path)
    posts = [ImportedPost("s", "first"), *(ImportedPost("", f"answer {n}", "", 0) for n in range(20))]
    done = importer(person)([*posts, ImportedPost("", "to the third", "", 3)])
    bodies = [post.body for post in posts]
    assert order(person, done) == [*bodies[:4], "to the third", *bodies[4:]]
    hours = [d.post.payload.hour for d in done]
    assert hours[0] == min(hours)
    assert max(hours) == person.hour


@pytest.mark.parametrize("back", [0, 1], ids=["control: all of one hour", "as it is"])
def test_without_the_hours_the_order_would_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: int
) -> None:
    if not back:
        monkeypatch.setattr(PostSigner, "back", lambda self, hours: self)
    person = a_person(tmp_path)
    posts = [ImportedPost("s", "first"), *(ImportedPost("", f"answer {n}", "", 0) for n in range(20))]
    done = importer(person)(posts)
    assert (order(person, done) == [post.body for post in posts]) == bool(back)


@pytest.mark.parametrize("count", [1, 2, params.MAX_IMPORT_HOURS, params.MAX_IMPORT_HOURS + 1, 5_000])
def test_nothing_is_dated_back_further_than_gossip_takes(count: int) -> None:
    ages = hours_back([None, *[0] * count])
    assert ages[1:] == sorted(ages[1:], reverse=True)
    assert ages[-1] == 0
    assert ages[0] == max(ages) < params.MAX_IMPORT_HOURS
    assert max(ages) < limits.GOSSIP_PAST_HOURS
    if count <= params.MAX_IMPORT_HOURS:
        assert len(set(ages[1:])) == count


def test_the_claimed_day_stands_in_the_text() -> None:
    dated = with_claimed_dates([ImportedPost("s", "text", date="2015-01-05"), ImportedPost("", "b", "", 0)])
    assert [post.body for post in dated] == ["text\n\n[claimed date: 2015-01-05]", "b"]
