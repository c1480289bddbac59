"""Real editors write nothing but the text, whatever their settings are."""

import os
import shutil
from pathlib import Path

import pytest
from cli_terminal import Terminal
from cli_world import World
from missing import missing

from p2pforum.cli.terminal.editor import side_files

WORD = "a-line-that-was-deleted"
SETTINGS = {
    ".vimrc": """set nocompatible backup undofile viminfo='100,<50
set backupdir=~/kept directory=~/kept undodir=~/kept updatecount=1
""",
    "config/nano/nanorc": "set historylog\nset positionlog\nset backup\n",
}
KEYS = {
    "vim": f"iTitle\r\rSome text\r{WORD}\x1b:w\r/{WORD}\rdd:wq\r",
    "nano": f"Title\r\rSome text\r{WORD}\x0f\r\x17{WORD}\r\x0b\x0f\r\x18",
}


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose editors keep all they can."""
    home = tmp_path / "user"
    (home / "kept").mkdir(parents=True)
    (home / "tmp").mkdir()
    (home / "config/nano").mkdir(parents=True)
    (home / "data").mkdir()
    for name, text in SETTINGS.items():
        (home / name).write_text(text)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home / "tmp"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))  # nano takes root's home from /etc/passwd
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    return home


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def write(name: str, before: str = "") -> None:
    if shutil.which(name) is None:
        missing(f"{name} is not here")
    terminal = Terminal("post", "library", before=before, EDITOR=name)
    terminal.wait_for(">8")
    terminal.type(KEYS[name])
    assert terminal.end() == 0, terminal.screen
    assert "Posted " in terminal.screen


@pytest.mark.parametrize("name", KEYS)
def test_an_editor_leaves_nothing(world: World, user: Path, name: str) -> None:
    before = files(user)
    write(name)
    assert files(user) == before
    everything = files(user.parent)
    assert not [path for path, raw in everything.items() if WORD.encode() in raw]
    assert [path for path, raw in everything.items() if b"Some text" in raw], "it finds texts"
    assert os.listdir(os.environ["XDG_RUNTIME_DIR"]) == []
    (row,) = world.ok("search", "text", "--json").json
    assert (row["subject"], row["body"]) == ("Title", "Some text")


@pytest.mark.parametrize("name", KEYS)
def test_control_as_the_user_starts_it_it_keeps_what_was_deleted(world: World, user: Path, name: str) -> None:
    write(name, "from p2pforum.cli.terminal import editor\neditor._ALONE.clear()\n")
    assert [path for path, raw in files(user).items() if WORD.encode() in raw]


def test_of_other_editors_doctor_and_the_comments_say_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    script = tmp_path / "myeditor"
    script.write_text(f'#!/bin/sh\ncp "$1" {seen}\n')
    script.chmod(0o700)
    Terminal("post", "library", EDITOR=str(script)).end()
    warning = "myeditor may keep what you type elsewhere on the disk"
    assert f"\n# {warning}" in seen.read_text()
    monkeypatch.setenv("EDITOR", str(script))
    assert f"{warning}; nano and vim are started so that they don't" in world.ok("doctor").out
    if shutil.which("vim") is None:
        missing("vim is not here")
    monkeypatch.setenv("EDITOR", "vim")
    assert side_files(os.environ) == ""
    assert "vim; the text that you edit stays in memory" in world.ok("doctor").out
