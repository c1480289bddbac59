"""`p2pforum import`: discussions from files."""

import json
import os
import threading
from pathlib import Path

import pytest
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
    dry = world.ok("import", str(files[name]), "-b", "old", "--dry-run")
    of = f"{posts} posts in {threads} thread{'s' if threads > 1 else ''}"
    assert dry.out.endswith(f"{of} would go to #old. Nothing was published.\n")
    assert world.ok("threads", "--json").json == []
    result = world.ok("import", str(files[name]), "-b", "old")
    assert result.out.startswith(f"Published {of} on #old, as ")
    assert "Names, addresses and dates of the original are not carried over" in result.err
    assert "100 %" in result.err
    assert sum(row["post_count"] for row in world.ok("threads", "old", "--json").json) == posts
    everything = json.dumps(
        [world.ok("read", t["id"], "--json").json for t in world.ok("threads", "--json").json]
    )
    for private in ("example.org", "2011", "Ada", "Bob"):
        assert private not in everything


def test_a_format_that_is_said(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    odd = tmp_path / "odd.dat"
    odd.write_bytes(files["rows.jsonl"].read_bytes())
    assert "4 posts" in world.ok("import", str(odd), "--format", "jsonl", "--dry-run").out
    assert world.run("import", str(odd), "--format", "mbox", "--dry-run").code == 5
    assert world.run("import", str(odd), "--format", "xml", "--dry-run").code == 2


def test_again_publishes_nothing_twice(world: World, files: dict[str, Path]) -> None:
    world.ok("import", str(files["rows.jsonl"]), "-b", "old")
    result = world.ok("import", str(files["rows.jsonl"]), "-b", "old")
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
    result = world.ok("import", str(files["rows.jsonl"]), "-b", "old", "--json")
    assert len(result.out.splitlines()) == 2
    assert all(json.loads(line)["outcome"] == "stored" for line in result.out.splitlines())
    assert len(world.ok("threads", "old", "--json").json) == 3


def test_through_a_node(world: World, files: dict[str, Path]) -> None:
    with world.node():
        result = world.ok("import", str(files["rows.jsonl"]), "-b", "old")
    assert "node is not running" not in result.err
    assert len(world.ok("threads", "old", "--json").json) == 2


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"", 5, "line 1"),
        (b'{"body": 5}\n', 5, "line 1"),
        (b'{"subject": "a", "body": "b"}\nnonsense\n', 5, "line 2"),
        (b"\xff\xfe\x00", 5, "not UTF-8"),
    ],
)
def test_files_that_can_not_be_read(world: World, tmp_path: Path, text: bytes, code: int, words: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(text)
    result = world.run("import", str(path))
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
    result = world.run("import", str(path), "--dry-run")
    assert result.code == 5
    assert result.err == f"error: {path}: message 3: its parts are nested too deep\n"


def test_json_is_all_that_json_prints(world: World, files: dict[str, Path]) -> None:
    command = ["import", str(files["rows.jsonl"]), "-b", "old", "--json"]
    assert world.ok(*command, "--dry-run").json == {
        "board": "old",
        "thread_count": 2,
        "post_count": 4,
        "subjects": ["Bikes", "Trains"],
    }
    assert len(world.ok(*command).out.splitlines()) == 4
    assert world.ok(*command).out == "", "nothing to publish: no line"


def test_files_that_are_not_there(world: World, tmp_path: Path) -> None:
    assert world.run("import", str(tmp_path / "none")).code == 2
    assert world.run("import", str(tmp_path)).code == 2


def test_it_says_how_long_posts_take_to_leave(world: World, files: dict[str, Path]) -> None:
    """They wait for a peer, and leave one by one: without a word it looks as if nothing happened."""
    assert "4 posts wait for a peer" in world.ok("import", str(files["rows.jsonl"]), "-b", "a").err
    with world.node() as node:
        assert "2 posts wait for a peer" in world.ok("import", str(files["mail.mbox"]), "-b", "b").err
        node.peers_connected = [{"peer": "12D3KooWx"}]
        assert "wait" not in world.ok("import", str(files["page.txt"]), "-b", "c").err


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("text", "larger than 4 MiB"),
        ("jsonl", "larger than 32 MiB"),
        ("mbox", "a line without end"),
        ("bundle", "not a bundle"),
    ],
)
def test_a_device_without_end_is_refused(world: World, form: str, says: str) -> None:
    result = world.run("import", "/dev/zero", "--format", form)
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
    assert world.run("import", str(tmp_path)).code == 2
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(PAGE,))
    writer.start()
    assert "3 posts in 1 thread" in world.ok("import", str(pipe), "--dry-run").out
    writer.join()
