"""Writing in the editor, on a terminal: what it shows, what is sent, and what stays behind."""

import os
import stat
from pathlib import Path

import pytest
from cli_terminal import Terminal, an_editor
from cli_world import World, discussion, post

from p2pforum.cli.terminal import desk, editor
from p2pforum.config import find_paths
from p2pforum.core.errors import P2PForumError
from p2pforum.core.post_id import short_id
from p2pforum.core.pseudonym import name_of
from p2pforum.keystore.contents import Draft
from p2pforum.keystore.keystore import Keystore
from p2pforum.store.queries import PostRow, open_reader


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Where the editor's file will be."""
    directory = tmp_path / "runtime"
    directory.mkdir(mode=0o700)
    return directory


def posts_of(world: World) -> list[PostRow]:
    with open_reader(find_paths(world.home).data_dir) as reader:
        return [row for thread in reader.threads(None, 10) for row in reader.thread(thread.root)]


def test_a_post_from_the_editor(world: World, tmp_path: Path, memory: Path) -> None:
    seen = tmp_path / "seen"
    command = an_editor(
        tmp_path,
        f'cp "$1" {seen}; stat -c %a "$1" >> {seen}; line=$(sed -n "/>8/,$ p" "$1"); '
        'printf "Title\\n\\nBody\\n# stays\\n%s\\n" "$line" > "$1"',
    )
    terminal = Terminal("post", "library", EDITOR=command, XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 0, terminal.screen
    (row,) = posts_of(world)
    assert (row.subject, row.body) == ("Title", "Body\n# stays")
    shown = seen.read_text()
    assert "# A new thread on #library. The first line is its subject" in shown
    assert shown.endswith("600\n")
    assert os.listdir(memory) == []


def test_reply_shows_the_parent_and_sends_none_of_it(world: World, tmp_path: Path, memory: Path) -> None:
    root = post("eve", "First line\n\n# not mine\n" + "word " * 40 + "\u200b", subject="S")
    world.keep(root)
    seen = tmp_path / "seen"
    command = an_editor(tmp_path, f'cp "$1" {seen}; (echo My answer; cat {seen}) > "$1"')
    terminal = Terminal("reply", short_id(root.id), VISUAL=command, XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 0, terminal.screen
    answer = next(row for row in posts_of(world) if row.id != root.id)
    assert answer.body == "My answer"
    shown = seen.read_text()
    assert (
        f"# An answer to {name_of(root.author, root.id)} on #library:\n# > First line\n# >\n# > # not mine\n"
        in shown
    )
    assert "<U+200B>" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    "script",
    ['printf "" > "$1"', 'printf "\\357\\273\\277\\n" > "$1"', "true", 'rm "$1"', 'sed -i "s/$/\\r/" "$1"'],
)
def test_empty_editor(world: World, tmp_path: Path, memory: Path, script: str) -> None:
    terminal = Terminal("post", "library", EDITOR=an_editor(tmp_path, script), XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 1
    assert "you wrote nothing, so nothing was posted" in terminal.screen
    assert posts_of(world) == []
    assert os.listdir(memory) == []


def drafts_of(world: World) -> list[Draft]:
    return list(Keystore(find_paths(world.home).keys_dir).read().drafts.values())


def write(memory: Path, command: str, *arguments: str) -> Terminal:
    return Terminal(*arguments, EDITOR=command, XDG_RUNTIME_DIR=str(memory))


def test_an_editor_that_fails_loses_no_text(world: World, tmp_path: Path, memory: Path) -> None:
    command = an_editor(
        tmp_path, '(echo Title; echo; echo text; cat "$1") > "$1.new"; mv "$1.new" "$1"; exit 3'
    )
    terminal = write(memory, command, "post", "library")
    assert terminal.end() == 1
    assert "ended with 3; nothing posted" in terminal.screen
    (draft,) = drafts_of(world)
    assert (draft.destination, draft.subject, draft.body) == ("board library", "Title", "text")
    assert "kept as draft " in terminal.screen
    for command, said in (
        ("/does/not/exist", "can't be started"),
        ("'vi", "can't be read as a command"),
        (an_editor(tmp_path, "exit 3"), "ended with 3"),
    ):
        terminal = write(memory, command, "post", "library")
        assert terminal.end() == 1
        assert said in terminal.screen
    assert len(drafts_of(world)) == 1, "none of what was not written"
    assert posts_of(world) == []
    assert os.listdir(memory) == []


def a_draft(world: World, text: str = "Title\n\nText") -> str:
    """The ID of a draft that a refused post left."""
    before = {row["id"] for row in world.ok("drafts", "--json").json}
    assert world.run("post", "library", "--key", "nobody", stdin=text).code == 3
    (made,) = {row["id"] for row in world.ok("drafts", "--json").json} - before
    return str(made)


@pytest.mark.slow
def test_a_draft_is_gone_on_with(world: World, tmp_path: Path, memory: Path) -> None:
    too_long = an_editor(tmp_path, 'printf "Title\\n\\n# Heading\\n#\\n%20000s end" x > "$1"')
    terminal = write(memory, too_long, "post", "library")
    assert terminal.end() == 5
    assert "kept as a draft" in terminal.screen
    (draft_id,) = (row["id"] for row in world.ok("drafts", "--json").json)
    other = a_draft(world)
    seen = tmp_path / "seen"
    shorter = an_editor(tmp_path, f'cp "$1" {seen}; sed -i "s/  *x end/short/" "$1"')
    terminal = write(memory, shorter, "post", "library", "--draft", draft_id[:5])
    assert terminal.end() == 0, terminal.screen
    assert seen.read_text().startswith("Title\n\n# Heading\n#\n")
    (row,) = posts_of(world)
    assert (row.subject, row.body) == ("Title", "# Heading\n#\nshort")
    assert [row["id"] for row in world.ok("drafts", "--json").json] == [other]


def test_a_new_text_begins_empty_and_names_the_drafts(world: World, tmp_path: Path, memory: Path) -> None:
    draft_id, seen = a_draft(world), tmp_path / "seen"
    terminal = write(memory, an_editor(tmp_path, f'cp "$1" {seen}'), "post", "library")
    assert terminal.end() == 1
    assert "you wrote nothing" in terminal.screen
    shown = seen.read_text()
    assert shown.startswith(f"\n{editor.SCISSORS}\n")
    assert f"(to go on with one: --draft ID): {draft_id}" in shown
    assert posts_of(world) == []


@pytest.mark.parametrize(("answer", "posted"), [("n", 0), ("", 0), ("y", 1)])
def test_an_unchanged_draft_is_published_only_if_that_is_meant(
    world: World, tmp_path: Path, memory: Path, answer: str, posted: int
) -> None:
    draft_id = a_draft(world)
    terminal = write(memory, "true", "post", "library", "--draft", draft_id)
    terminal.wait_for("You changed nothing in the draft. Publish it as it is?")
    terminal.type(answer + "\n")
    assert terminal.end() == 1 - posted, terminal.screen
    assert len(posts_of(world)) == posted
    assert len(drafts_of(world)) == 1 - posted


@pytest.mark.parametrize(
    ("typed", "code", "said"), [("\x03", 130, "interrupted"), ("\x04", 1, "input ended")]
)
def test_an_unchanged_draft_stays_when_the_question_is_cut_short(
    world: World, tmp_path: Path, memory: Path, typed: str, code: int, said: str
) -> None:
    terminal = write(memory, "true", "post", "library", "--draft", a_draft(world))
    terminal.wait_for("You changed nothing in the draft. Publish it as it is?")
    terminal.type(typed)
    assert terminal.end() == code, terminal.screen
    assert said in terminal.screen
    assert (len(drafts_of(world)), posts_of(world)) == (1, [])


def test_an_unchanged_draft_is_published_unasked_with_yes(world: World, tmp_path: Path, memory: Path) -> None:
    terminal = write(memory, "true", "post", "library", "--yes", "--draft", a_draft(world))
    assert terminal.end() == 0, terminal.screen
    assert (len(drafts_of(world)), len(posts_of(world))) == (0, 1)


def test_an_emptied_draft_is_still_there(world: World, tmp_path: Path, memory: Path) -> None:
    draft_id = a_draft(world)
    terminal = write(memory, an_editor(tmp_path, ': > "$1"'), "post", "library", "--draft", draft_id)
    assert terminal.end() == 1
    assert (
        f"the draft is still there, and goes with: p2pforum drafts drop {draft_id}"
        in terminal.screen.replace("\r\n", " ")
    )
    assert len(drafts_of(world)) == 1


def test_what_is_written_below_the_line_is_neither_published_nor_lost(
    world: World, tmp_path: Path, memory: Path
) -> None:
    command = an_editor(
        tmp_path, '(printf "Title\\n\\nText\\n"; cat "$1"; echo Below) > "$1.n"; mv "$1.n" "$1"'
    )
    terminal = write(memory, command, "post", "library")
    assert terminal.end() == 5
    assert "you wrote below the line" in terminal.screen
    assert [draft.body for draft in drafts_of(world)] == ["Text\n\nBelow"]
    assert posts_of(world) == []


LABEL = desk.Label("/keys", "board library", None)


def edited(environ: dict[str, str], text: str = "") -> str:
    table = desk.new_desk(LABEL, text, environ)
    try:
        return editor.edit(table, environ)
    finally:
        table.clear()


def test_where_the_text_lies_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a 0700 directory, in memory if there is one, with whatever swap files the editor makes there."""
    script = an_editor(
        tmp_path, f'stat -c %a "$(dirname "$1")" > {tmp_path}/mode; touch "$1.swp"; echo x > "$1"'
    )
    environ = {"EDITOR": script, "XDG_RUNTIME_DIR": str(tmp_path)}
    before = set(os.listdir(tmp_path))
    assert edited(environ) == "x\n"
    assert (tmp_path / "mode").read_text() == "700\n"
    assert set(os.listdir(tmp_path)) == before | {"mode"}
    monkeypatch.setattr(desk, "_MEMORY", tmp_path / "nowhere")
    assert desk.private_parent({}) is None
    assert desk.private_parent({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path


def test_a_desk_is_found_again_only_by_its_own_keystore_and_when_nobody_writes(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    table = desk.new_desk(LABEL, "text \udcff", environ)
    assert desk.found_desks("/keys", environ) == []
    table.close()
    assert desk.found_desks("/other", environ) == []
    (found,) = desk.found_desks("/keys", environ)
    assert (found.label, found.read()) == (LABEL, "text \udcff")
    found.clear()
    assert os.listdir(tmp_path) == []


def test_editors_with_arguments_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert editor.editor_command({"EDITOR": "code --wait", "VISUAL": ""}) == ["code", "--wait"]
    assert editor.editor_command({"EDITOR": "nano", "VISUAL": "vim"}) == ["vim"]
    with pytest.raises(P2PForumError, match="EDITOR can't be read as a command: no closing quotation"):
        editor.editor_command({"EDITOR": "'vi"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(P2PForumError, match="set VISUAL or EDITOR"):
        editor.editor_command({})


def test_the_file_can_be_read_by_nobody_else(tmp_path: Path) -> None:
    script = an_editor(tmp_path, f'ls -l "$1" > {tmp_path}/listing; echo x > "$1"')
    old = os.umask(0)
    try:
        edited({"EDITOR": script, "XDG_RUNTIME_DIR": str(tmp_path)}, "secret")
    finally:
        os.umask(old)
    assert (tmp_path / "listing").read_text().startswith("-rw------- ")
    assert stat.S_IMODE(tmp_path.stat().st_mode)


def test_only_what_is_below_the_scissors_goes() -> None:
    """Headings of Markdown and comments of a shell are text, and so are scissors that are not the last."""
    text = f"# What is new\n#\n{editor.SCISSORS}\n\n# What is not\n> # quoted"
    shown = editor.with_comments(text, "An answer to somebody:\n\n> # old")
    assert editor.without_comments(shown, shown) == (text, "")
    crlf = shown.replace("\n", "\r\n")
    assert editor.without_comments(crlf, shown) == (text.replace("\n", "\r\n") + "\r", "")
    uncut = shown.replace(editor.SCISSORS, "")
    assert editor.without_comments(uncut, shown) == (uncut.strip("\n"), "")
    assert editor.without_comments(f"\ufeff{editor.SCISSORS}\n# old\n", "# old\n") == ("", "")
    assert editor.without_comments(shown + "My answer\n# > # old\n", shown) == (text, "My answer")


def test_what_an_answer_shows_is_not_sent() -> None:
    """A negative control for the test of the reply: without the scissors it would be sent."""
    root, *_ = discussion()
    shown = editor.with_comments("mine", root.body)
    assert editor.without_comments(shown, shown) == ("mine", "")
    assert "Ran a node" in editor.without_comments(shown.replace(">8", ""), shown)[0]
