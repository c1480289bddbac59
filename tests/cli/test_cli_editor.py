"""Writing in the editor, on a terminal: what it shows, what is sent, and what stays behind."""

import os
import stat
from pathlib import Path

import pytest
from cli_terminal import Terminal, an_editor
from cli_world import World, discussion, post

from p2pforum.cli.terminal import editor
from p2pforum.config import find_paths
from p2pforum.core.errors import P2PForumError
from p2pforum.core.post_id import short_id
from p2pforum.core.pseudonym import name_of
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
        f'cp "$1" {seen}; stat -c %a "$1" >> {seen}; line=$(grep ">8" "$1"); '
        'printf "Title\\n\\nBody\\n# stays\\n%s\\n# gone\\n" "$line" > "$1"',
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


def test_an_editor_that_fails(world: World, tmp_path: Path, memory: Path) -> None:
    command = an_editor(tmp_path, 'echo text > "$1"; exit 3')
    terminal = Terminal("post", "library", EDITOR=command, XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 1
    assert "ended with 3; nothing posted" in terminal.screen
    terminal = Terminal("post", "library", EDITOR="/does/not/exist", XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 1
    assert "can't be started" in terminal.screen
    assert posts_of(world) == []
    assert os.listdir(memory) == []


@pytest.mark.slow
def test_a_draft_is_gone_on_with(world: World, tmp_path: Path, memory: Path) -> None:
    too_long = an_editor(tmp_path, 'printf "Title\\n\\n%20000s end" x > "$1"')
    terminal = Terminal("post", "library", EDITOR=too_long, XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 5
    assert "kept as a draft" in terminal.screen
    seen = tmp_path / "seen"
    shorter = an_editor(tmp_path, f'cp "$1" {seen}; sed -i "s/  *x end/short/" "$1"')
    terminal = Terminal("post", "library", EDITOR=shorter, XDG_RUNTIME_DIR=str(memory))
    assert terminal.end() == 0, terminal.screen
    assert seen.read_text().startswith("Title\n\n")
    (row,) = posts_of(world)
    assert (row.subject, row.body) == ("Title", "short")
    assert Keystore(find_paths(world.home).keys_dir).read().drafts == {}


def test_where_the_text_lies_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a 0700 directory, in memory if there is one, with whatever swap files the editor makes there."""
    script = an_editor(
        tmp_path, f'stat -c %a "$(dirname "$1")" > {tmp_path}/mode; touch "$1.swp"; echo x > "$1"'
    )
    environ = {"EDITOR": script, "XDG_RUNTIME_DIR": str(tmp_path)}
    before = set(os.listdir(tmp_path))
    assert editor.edit("", environ) == "x\n"
    assert (tmp_path / "mode").read_text() == "700\n"
    assert set(os.listdir(tmp_path)) == before | {"mode"}
    monkeypatch.setattr(editor, "_MEMORY", tmp_path / "nowhere")
    assert editor.private_parent({}) is None
    assert editor.private_parent({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path


def test_editors_with_arguments_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert editor.editor_command({"EDITOR": "code --wait", "VISUAL": ""}) == ["code", "--wait"]
    assert editor.editor_command({"EDITOR": "nano", "VISUAL": "vim"}) == ["vim"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(P2PForumError, match="set VISUAL or EDITOR"):
        editor.editor_command({})


def test_the_file_can_be_read_by_nobody_else(tmp_path: Path) -> None:
    script = an_editor(tmp_path, f'ls -l "$1" > {tmp_path}/listing; echo x > "$1"')
    old = os.umask(0)
    try:
        editor.edit("secret", {"EDITOR": script, "XDG_RUNTIME_DIR": str(tmp_path)})
    finally:
        os.umask(old)
    assert (tmp_path / "listing").read_text().startswith("-rw------- ")
    assert stat.S_IMODE(tmp_path.stat().st_mode)


def test_only_what_is_below_the_scissors_goes() -> None:
    """Headings of Markdown and comments of a shell are text, and so are scissors that are not the last."""
    text = f"# What is new\n#\n{editor.SCISSORS}\n\n# What is not\n> # quoted"
    shown = editor.with_comments(text, "An answer to somebody:\n\n> # old")
    assert editor.without_comments(shown) == text
    assert editor.without_comments(shown.replace("\n", "\r\n")) == text.replace("\n", "\r\n") + "\r"
    assert editor.without_comments(text.replace(editor.SCISSORS, "")) == text.replace(editor.SCISSORS, "")
    assert editor.without_comments(f"\ufeff{editor.SCISSORS}\n# All of it\n") == ""


def test_what_an_answer_shows_is_not_sent(world: World) -> None:
    """A negative control for the test of the reply: without the scissors it would be sent."""
    root, *_ = discussion()
    shown = editor.with_comments("mine", root.body)
    assert editor.without_comments(shown) == "mine"
    assert "Ran a node" in editor.without_comments(shown.replace(">8", ""))
