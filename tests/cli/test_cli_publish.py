"""`p2pforum publish`: discussions from files."""

import json
import os
import threading
from pathlib import Path

import pytest
from cli_terminal import Terminal
from cli_world import World

from p2pforum.core.bundle import MAGIC

PAGE = """\
A title
The first post.
Comments
One answer that
One answer that is longer than its title.
Another one is here
Another one is here, and says more.
"""
ROWS = [
    {"id": "1", "author": "ada@example.org", "subject": "Bikes", "body": "Which one?", "date": "2011-01-01"},
    {"id": "2", "author": "bob", "body": "A red one.", "reply_to": "1"},
    {"id": "3", "author": "ada@example.org", "body": "Why?", "reply_to": "2"},
    {"id": "4", "author": "cyd", "subject": "Trains", "body": "By train."},
]
MBOX = """\
From ada@example.org Sat Jan  1 00:00:00 2011
From: Ada <ada@example.org>
Message-ID: <1@example.org>
Subject: Gardens

Plant beans.

From bob@example.org Sat Jan  1 00:00:00 2011
From: Bob <bob@example.org>
Message-ID: <2@example.org>
In-Reply-To: <1@example.org>
Subject: Re: Gardens

And peas.
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    contents = {"page.txt": PAGE, "rows.jsonl": "\n".join(map(json.dumps, ROWS)), "mail.mbox": MBOX}
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    return {name: tmp_path / name for name in contents}


@pytest.mark.parametrize(
    ("name", "posts", "threads"), [("page.txt", 3, 1), ("rows.jsonl", 4, 2), ("mail.mbox", 2, 1)]
)
def test_formats_are_guessed(
    world: World, files: dict[str, Path], name: str, posts: int, threads: int
) -> None:
    dry = world.ok("publish", str(files[name]), "-b", "old", "--dry-run")
    of = f"{posts} posts in {threads} thread{'s' if threads > 1 else ''}"
    assert dry.out.startswith(f"{of} for #old:\n")
    assert dry.out.endswith("Nothing was published.\n")
    assert world.ok("threads", "--json").json == []
    result = world.ok("publish", "--yes", str(files[name]), "-b", "old")
    assert result.out.startswith(f"Published {of} on #old, as ")
    assert "Names and addresses are carried over only where a text itself holds them" in result.err
    assert "100 %" in result.err
    assert sum(row["post_count"] for row in world.ok("threads", "old", "--json").json) == posts
    everything = json.dumps(
        [world.ok("read", t["id"], "--json").json for t in world.ok("threads", "--json").json]
    )
    for private in ("example.org", "Jan", "Ada", "Bob"):
        assert private not in everything


def test_a_format_that_is_said(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    odd = tmp_path / "odd.dat"
    odd.write_bytes(files["rows.jsonl"].read_bytes())
    assert "4 posts" in world.ok("publish", "--yes", str(odd), "--format", "jsonl", "--dry-run").out
    assert world.run("publish", "--yes", str(odd), "--format", "mbox", "--dry-run").code == 5
    assert world.run("publish", "--yes", str(odd), "--format", "xml", "--dry-run").code == 2


def test_again_publishes_nothing_twice(world: World, files: dict[str, Path]) -> None:
    world.ok("publish", "--yes", str(files["rows.jsonl"]), "-b", "old")
    result = world.ok("publish", "--yes", str(files["rows.jsonl"]), "-b", "old")
    assert result.out == "Nothing to publish.\n"
    assert result.err == "Here already, and skipped: 4 posts in 2 threads.\n"
    files["rows.jsonl"].write_text(
        "\n".join(
            map(
                json.dumps,
                [
                    ROWS[3],
                    {"id": "5", "subject": "New", "body": "x"},
                    {"id": "6", "body": "y", "reply_to": "5"},
                ],
            )
        )
    )
    result = world.ok("publish", "--yes", str(files["rows.jsonl"]), "-b", "old", "--json")
    assert len(result.out.splitlines()) == 2
    assert all(json.loads(line)["outcome"] == "stored" for line in result.out.splitlines())
    assert len(world.ok("threads", "old", "--json").json) == 3


def test_through_a_node(world: World, files: dict[str, Path]) -> None:
    with world.node():
        result = world.ok("publish", "--yes", str(files["rows.jsonl"]), "-b", "old")
    assert "node is not running" not in result.err
    assert len(world.ok("threads", "old", "--json").json) == 2


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"", 5, "line 1"),
        (b'{"body": 5}\n', 5, "line 1"),
        (b'{"subject": "a", "body": "b"}\nnonsense\n', 5, "line 2"),
        (b"{\xff\xfe\x00", 5, "not UTF-8"),
    ],
)
def test_files_that_can_not_be_read(world: World, tmp_path: Path, text: bytes, code: int, words: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(text)
    result = world.run("publish", "--yes", str(path))
    assert result.code == code
    assert words in result.err
    assert str(path) in result.err
    assert not (world.home / "data").exists()


def test_a_mailbox_that_nests_too_deep(world: World, tmp_path: Path) -> None:
    path = tmp_path / "deep.mbox"
    lines = ["From x@example.org Sat Jan  1 00:00:00 2011", "Subject: Deep", "MIME-Version: 1.0"]
    for n in range(3_000):
        lines += [f'Content-Type: multipart/mixed; boundary="b{n}"', "", f"--b{n}"]
    path.write_text("\n".join([MBOX, *lines, "Content-Type: text/plain", "", "Hello.", ""]))
    result = world.run("publish", "--yes", str(path), "--dry-run")
    assert result.code == 5
    assert result.err == f"error: {path}: message 3: its parts are nested too deep\n"


def test_json_is_all_that_json_prints(world: World, files: dict[str, Path]) -> None:
    command = ["publish", "--yes", str(files["rows.jsonl"]), "-b", "old", "--json"]
    assert world.ok(*command, "--dry-run").json == {
        "board": "old",
        "thread_count": 2,
        "post_count": 4,
        "subjects": ["Bikes", "Trains"],
        "left_out": [],
        "known_threads": 0,
        "known_posts": 0,
        "grown": [],
        "finds": [],
    }
    assert len(world.ok(*command).out.splitlines()) == 4
    assert world.ok(*command).out == "", "nothing to publish: no line"


def test_files_that_are_not_there(world: World, tmp_path: Path) -> None:
    assert world.run("publish", "--yes", str(tmp_path / "none")).code == 2
    assert world.run("publish", "--yes", str(tmp_path)).code == 2


def test_it_says_how_long_posts_take_to_leave(world: World, files: dict[str, Path]) -> None:
    """They wait for a peer, and leave one by one: without a word it looks as if nothing happened."""
    assert "4 posts wait for a peer" in world.ok("publish", "--yes", str(files["rows.jsonl"]), "-b", "a").err
    with world.node() as node:
        assert (
            "2 posts wait for a peer" in world.ok("publish", "--yes", str(files["mail.mbox"]), "-b", "b").err
        )
        node.peers_connected = [{"peer": "12D3KooWx"}]
        assert "wait" not in world.ok("publish", "--yes", str(files["page.txt"]), "-b", "c").err


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("text", "larger than 4 MiB"),
        ("jsonl", "larger than 32 MiB"),
        ("mbox", "a line without end"),
        ("mail", "larger than 32 MiB"),
    ],
)
def test_a_device_without_end_is_refused(world: World, form: str, says: str) -> None:
    result = world.run("publish", "--yes", "/dev/zero", "--format", form)
    assert result.code == 5
    assert says in result.err


def test_a_sparse_bundle_ends(world: World, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    sparse.write_bytes(MAGIC)
    os.truncate(sparse, 10 << 30)
    result = world.run("import", str(sparse))
    assert result.code == 1
    assert "too damaged to go on" in result.err


def test_a_directory_is_refused_and_a_pipe_is_read(world: World, tmp_path: Path) -> None:
    assert world.run("publish", "--yes", str(tmp_path)).code == 2
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(PAGE,))
    writer.start()
    assert "3 posts in 1 thread" in world.ok("publish", "--yes", str(pipe), "--dry-run").out
    writer.join()


# --- before it is published -----------------------------------------------------------------------------

GROWN = (
    MBOX
    + """
From ada@example.org Sat Jan  1 00:00:00 2011
From: Ada <ada@example.org>
Message-ID: <3@example.org>
In-Reply-To: <2@example.org>
Subject: Re: Gardens

A late answer.
"""
)


def test_without_a_terminal_nothing_is_published_unasked(world: World, files: dict[str, Path]) -> None:
    result = world.run("publish", str(files["mail.mbox"]))
    assert result.code == 5
    assert "2 posts in 1 thread for #imported:\n  Gardens\n    Plant beans." in result.err
    assert "--yes" in result.err
    assert world.ok("threads", "--json").json == []


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_on_a_terminal_it_asks(world: World, files: dict[str, Path], answer: str) -> None:
    terminal = Terminal("publish", str(files["mail.mbox"]))
    terminal.wait_for("Publish this?")
    terminal.type(f"{answer}\n")
    assert terminal.end() == (answer != "y")
    assert len(world.ok("threads", "--json").json) == (answer == "y")


def test_an_archive_that_has_grown_is_told(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    world.ok("publish", "--yes", str(files["mail.mbox"]))
    grown = tmp_path / "grown.mbox"
    grown.write_text(GROWN)
    result = world.ok("publish", "--yes", str(grown))
    assert "Here already, and skipped: 3 posts in 1 thread." in result.err
    assert "1 post of the file are new and can't be added to a thread that is here" in result.err
    assert len(world.ok("threads", "--json").json) == 1
    assert world.ok("publish", str(grown), "--dry-run", "--json").json["grown"] == [
        {"what": "Gardens", "count": 1}
    ]
    assert "3 posts in 1 thread" in world.ok("publish", "--yes", "--again", str(grown)).out
    assert len(world.ok("threads", "--json").json) == 2


def test_another_discussion_that_begins_alike_is_published(
    world: World, files: dict[str, Path], tmp_path: Path
) -> None:
    world.ok("publish", "--yes", str(files["mail.mbox"]))
    other = tmp_path / "other.mbox"
    other.write_text(MBOX.replace("And peas.", "An entirely different answer."))
    assert "2 posts in 1 thread" in world.ok("publish", "--yes", str(other)).out
    first_alone = tmp_path / "first.mbox"
    first_alone.write_text(MBOX.partition("\n\nFrom bob")[0] + "\n")
    assert "Nothing to publish." in world.ok("publish", "--yes", str(first_alone)).out


def test_what_names_people_is_counted(world: World, tmp_path: Path) -> None:
    named = tmp_path / "named.mbox"
    named.write_text(MBOX.replace("And peas.", "Ask cyd@example.org, +1 555 010 0199.\n\n-- \nBob"))
    result = world.ok("publish", str(named), "--dry-run")
    assert "Left out: 1 signature." in result.out
    assert "a mail address, in 1 post: cyd@example.org" in result.out
    assert "a telephone number, in 1 post: +1 555 010 0199" in result.out


def test_dates_are_claims_and_can_be_left_out(world: World, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(ROWS[0]))
    world.ok("publish", "--yes", str(rows), "-b", "with")
    world.ok("publish", "--yes", "--without-dates", str(rows), "-b", "without")
    bodies = {
        board: world.ok("read", world.ok("threads", board, "--json").json[0]["id"], "--json").json["posts"][
            0
        ]["body"]
        for board in ("with", "without")
    }
    assert bodies == {"with": "Which one?\n\n[claimed date: 2011-01-01]", "without": "Which one?"}


@pytest.mark.parametrize(
    ("name", "head", "says"),
    [
        ("page.html", b"<!DOCTYPE html><html><body>Hello</body></html>", "is HTML"),
        ("page", b"\n <!-- saved -->\n<html>", "is HTML"),
        ("notes", b"\x1f\x8b\x08", "gzip"),
        ("notes.docx", b"PK\x03\x04", "zip"),
        ("notes", b"%PDF-1.7", "PDF"),
        ("notes.txt", b"{\\rtf1 Hello}", "RTF"),
        ("mail.msg", b"\xd0\xcf\x11\xe0\xa1\xb1", "Outlook"),
        ("text", "Title\nText".encode("utf-16"), "UTF-16"),
        ("store.db", b"SQLite format 3\x00", "a database"),
        ("bundle", MAGIC, "`import` takes it in"),
        ("photo", b"\x89PNG\r\n\x1a\n\xff", "not UTF-8"),
    ],
)
def test_what_is_no_text_is_named(world: World, tmp_path: Path, name: str, head: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(head)
    result = world.run("publish", "--yes", str(tmp_path / name))
    assert result.code == 5
    assert says in result.err
    assert world.ok("threads", "--json").json == []


@pytest.mark.parametrize("name", ["one.eml", "1234", "1428.host:2,S", "one.emlx"])
def test_one_mail_is_one_mail(world: World, tmp_path: Path, name: str) -> None:
    raw = (
        "Return-Path: <ann@example.org>\nReceived: from [192.0.2.1]\n  by example.org; Mon, 5 Jan 2015\n"
        "From: Ann <ann@example.org>\nSubject: Beans\n\nPlant them in May.\n"
    )
    if name.endswith("x"):
        raw = f"{len(raw)}\n{raw}<plist>"
    (tmp_path / name).write_text(raw)
    world.ok("publish", "--yes", str(tmp_path / name))
    (thread,) = world.ok("threads", "--json").json
    assert thread["subject"] == "Beans"
    assert [p["body"] for p in world.ok("read", thread["id"], "--json").json["posts"]] == [
        "Plant them in May."
    ]


def test_import_takes_in_bundles_and_nothing_else(world: World, files: dict[str, Path]) -> None:
    for path in files.values():
        result = world.run("import", str(path))
        assert result.code == 5
        assert "`publish`" in result.err
    assert world.ok("threads", "--json").json == []
