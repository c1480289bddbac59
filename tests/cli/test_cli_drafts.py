"""`drafts`: several for one place, listed, shown and dropped; and texts that became no draft yet."""

import os
from pathlib import Path

import pytest
from cli_world import HOUR, World, discussion
from test_cli_json import check

from p2pforum.cli.terminal.desk import Label, new_desk
from p2pforum.config import find_paths
from p2pforum.core import limits
from p2pforum.core.post_id import format_id, short_id


@pytest.fixture
def memory(world: World) -> Path:
    """Where texts lie that are being written."""
    return Path(os.environ["XDG_RUNTIME_DIR"])


def refused(world: World, *arguments: str, stdin: str) -> str:
    """The ID of the draft that a refused post leaves."""
    before = {row["id"] for row in world.ok("drafts", "--json").json}
    assert world.run(*arguments, "--key", "nobody", stdin=stdin).code == 3
    (made,) = {row["id"] for row in world.ok("drafts", "--json").json} - before
    return str(made)


def test_to_look_for_drafts_makes_no_keystore(world: World, memory: Path) -> None:
    assert world.ok("drafts").out == "You have no drafts.\n"
    keys = find_paths(world.home).keys_dir
    assert not keys.exists()
    new_desk(Label(str(keys), "board library", ""), "text").close()
    assert "Made a keystore without a passphrase" in world.ok("drafts").err


def test_no_draft_writes_over_another(world: World) -> None:
    first = refused(world, "post", "library", stdin="One\n\nText")
    second = refused(world, "post", "library", stdin="Two\n\nText")
    rows = world.ok("drafts", "--json").json
    check("draft", *rows)
    assert {(row["id"], row["subject"], row["hour"]) for row in rows} == {
        (first, "One", HOUR),
        (second, "Two", HOUR),
    }
    said = world.ok("drafts").out
    assert (
        f"{first}  a thread on #library  this hour\n  One\n  p2pforum post library --draft {first}\n" in said
    )
    assert "drafts    2 kept; to see them: p2pforum drafts" in world.ok("status").out


def test_an_answer_and_an_edit(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    answer = refused(world, "reply", format_id(posts[1].id), stdin="An answer")
    mine = world.ok("post", "library", "-s", "S", "--json", stdin="Text").json["id"]
    assert world.run("edit", mine, stdin="x" * 20_000).code == 5
    said = world.ok("drafts").out
    short = short_id(posts[1].id)
    assert (
        f"{answer}  a reply to {short}  this hour\n  An answer\n  p2pforum reply {short} --draft {answer}\n"
        in said
    )
    assert f"an edit of {mine[:8]}" in said
    assert "x" * 59 + "…" in said


def test_shown_dropped_and_none(world: World) -> None:
    text = "Subject\n\n# Text\n\tand \u200b more"
    draft_id = refused(world, "post", "library", stdin=text)
    assert world.ok("drafts", "show", draft_id[:4]).out == text + "\n"
    published = world.ok("post", "library", "--json", stdin=world.ok("drafts", "show", draft_id).out).json
    assert published["subject"] == "Subject"
    assert world.ok("drafts").out == "You have no drafts.\n", "the same text was that draft"
    other = refused(world, "post", "library", stdin="Other\n\nText")
    assert world.run("drafts", "drop", other, "0000").code == 3
    assert len(world.ok("drafts", "--json").json) == 1, "all or nothing"
    assert world.ok("drafts", "drop", other).out == f"Dropped draft {other}.\n"
    assert world.ok("drafts", "--json").json == []
    result = world.run("drafts", "show", other)
    assert (result.code, f'no draft has an ID that begins with "{other}"' in result.err) == (3, True)


def test_a_draft_is_gone_on_with_in_the_editor_alone(world: World) -> None:
    draft_id = refused(world, "post", "library", stdin="One\n\nText")
    result = world.run("post", "library", "--draft", draft_id, stdin="Other text")
    assert (result.code, "`drafts show ID` prints a draft" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        (("post", "library", "-s", "S"), "x" * (limits.MAX_BODY + 1), 5),
        (("post", "library"), "A subject alone", 5),
        (("post", "library", "-s", "S", "--key", "nobody"), "Text", 3),
        (("reply", "zzzz"), "An answer to a post that is not here", 3),
        (("edit", "zzzz"), "A new text for a post that is not here", 3),
    ],
)
def test_what_is_refused_is_kept_and_named(
    world: World, memory: Path, arguments: tuple[str, ...], text: str, code: int
) -> None:
    result = world.run(*arguments, stdin=text)
    assert result.code == code
    assert "p2pforum drafts" in result.err or " --draft " in result.err
    (row,) = world.ok("drafts", "--json").json
    assert text in (row["subject"], row["body"])
    assert row["destination"] == " ".join(arguments[:2]).replace("post", "board")
    assert os.listdir(memory) == []


def test_a_text_in_a_file_of_the_users_makes_no_draft(world: World, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("A subject alone")
    result = world.run("post", "library", "-F", str(path))
    assert (result.code, "draft" in result.err) == (5, False)
    assert world.ok("drafts", "--json").json == []


def test_a_text_whose_keystore_can_not_be_written_stays_in_memory(world: World, memory: Path) -> None:
    world.ok("post", "library", "-s", "S", stdin="Text")
    in_the_way = find_paths(world.home).keys_dir / "keystore.new"
    in_the_way.mkdir()  # as a full disk: no new keystore can be written
    result = world.run("post", "library", stdin="A subject\n\nand a text")
    assert result.code == 1
    (directory,) = memory.iterdir()
    assert f"The text is in memory only: {directory}/post.txt" in result.err
    assert world.run("drafts").code == 1
    assert list(memory.iterdir()) == [directory], "and stays until it is kept"
    in_the_way.rmdir()
    said = world.ok("drafts", "--json")
    assert [(row["subject"], row["body"]) for row in said.json] == [("A subject", "and a text")]
    assert "A text whose writing was cut short is now draft " in said.err
    assert os.listdir(memory) == []


def test_texts_of_another_keystore_are_left_alone(world: World, memory: Path) -> None:
    """A person with two homes must not find the texts of one in the other."""
    new_desk(Label("/another/home/keys", "board library", ""), "text").close()
    assert world.ok("drafts", "--json").json == []
    assert len(os.listdir(memory)) == 1
    new_desk(Label(str(find_paths(world.home).keys_dir), "board library", ""), "text").close()  # the control
    assert len(world.ok("drafts", "--json").json) == 1
