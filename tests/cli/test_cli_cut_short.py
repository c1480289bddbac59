"""A text whose writing is cut short, because the program, its editor or the terminal ends, is a draft."""

import fcntl
import os
import shutil
import signal
from pathlib import Path

import pytest
from cli_terminal import Terminal, an_editor
from cli_world import World
from missing import missing

from p2pforum.config import find_paths
from p2pforum.keystore.keystore import Keystore

WRITE = '(printf "Title\\n\\nSome text\\n"; cat "$1") > "$1.n"; mv "$1.n" "$1"; '


@pytest.fixture
def memory(world: World) -> Path:
    """Where texts lie that are being written."""
    return Path(os.environ["XDG_RUNTIME_DIR"])


def kept(world: World) -> list[tuple[str, str, str]]:
    drafts = Keystore(find_paths(world.home).keys_dir).read().drafts.values()
    return [(draft.destination, draft.subject, draft.body) for draft in drafts]


WRITTEN = [("board library", "Title", "Some text")]


def test_an_editor_that_is_killed(world: World, tmp_path: Path, memory: Path) -> None:
    terminal = Terminal("post", "library", EDITOR=an_editor(tmp_path, WRITE + "kill -9 $$"))
    assert terminal.end() == 1
    assert "ended with -9; nothing posted" in terminal.screen
    assert "The text is kept as draft " in terminal.screen
    assert kept(world) == WRITTEN
    assert os.listdir(memory) == []


def test_a_program_that_is_killed_while_the_editor_goes_on(
    world: World, tmp_path: Path, memory: Path
) -> None:
    go_on = tmp_path / "go_on"
    os.mkfifo(go_on)
    script = f"trap '' HUP; exec <&- >&- 2>&-; kill -9 $PPID; read line < {go_on}; {WRITE}"
    terminal = Terminal("post", "library", EDITOR=an_editor(tmp_path, script))
    assert terminal.end() == -signal.SIGKILL
    assert world.ok("drafts", "--json").json == [], "somebody still writes"
    (directory,) = memory.iterdir()  # not `leftovers`: /dev/shm may have those of other tests
    go_on.write_text("\n")
    with (directory / "label.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the editor has ended
    said = world.ok("doctor").out
    assert "1 text whose writing was cut short: `drafts` keeps it" in said
    said = world.ok("drafts").err
    assert "A text whose writing was cut short is now draft " in said
    assert kept(world) == WRITTEN
    assert os.listdir(memory) == []
    assert "cut short" not in world.ok("doctor").out


def test_the_next_editor_finds_what_was_cut_short(world: World, tmp_path: Path, memory: Path) -> None:
    terminal = Terminal("post", "library", EDITOR=an_editor(tmp_path, WRITE + "kill -9 $PPID"))
    assert terminal.end() == -signal.SIGKILL
    terminal = Terminal("post", "library", EDITOR="true")
    assert terminal.end() == 1
    assert "A text whose writing was cut short is now draft " in terminal.screen
    assert kept(world) == WRITTEN


def test_nothing_is_kept_of_what_was_not_written(world: World, tmp_path: Path, memory: Path) -> None:
    terminal = Terminal("post", "library", EDITOR=an_editor(tmp_path, "kill -9 $PPID"))
    assert terminal.end() == -signal.SIGKILL
    assert len(os.listdir(memory)) == 1
    assert world.ok("drafts", "--json").json == []
    assert os.listdir(memory) == []


def test_a_terminal_that_is_closed(world: World, tmp_path: Path, memory: Path) -> None:
    script = WRITE + "echo re''ady; read line"
    terminal = Terminal("post", "library", EDITOR=an_editor(tmp_path, script))
    terminal.wait_for("ready")
    terminal.hang_up()
    assert kept(world) == WRITTEN, "in the keystore: a system may empty its memory when the user logs out"
    assert os.listdir(memory) == []


@pytest.mark.parametrize("name", ["vim", "nano"])
def test_a_terminal_that_is_closed_on_an_unsaved_text(world: World, memory: Path, name: str) -> None:
    if shutil.which(name) is None:
        missing(f"{name} is not here")
    terminal = Terminal("post", "library", EDITOR=name)
    terminal.wait_for(">8")
    terminal.type("Title\r\rSome text" if name == "nano" else "iTitle\r\rSome text\x1b")
    terminal.wait_for("Some text")
    terminal.hang_up()
    assert kept(world) == WRITTEN
    assert os.listdir(memory) == []


SMALL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"


def test_a_disk_that_takes_no_keystore(world: World, tmp_path: Path, memory: Path) -> None:
    world.ok("post", "library", "-s", "S", stdin="Text")
    terminal = Terminal("post", "library", before=SMALL_DISK, EDITOR=an_editor(tmp_path, WRITE))
    assert terminal.end() == 1
    assert "cannot write " in terminal.screen
    (directory,) = memory.iterdir()
    assert f"The text is in memory only: {directory}/post.txt" in terminal.screen.replace("\r\n", "\n")
    assert kept(world) == []
    world.ok("drafts")
    assert kept(world) == WRITTEN
    assert os.listdir(memory) == []


def test_a_memory_that_takes_no_text(world: World, memory: Path) -> None:
    """Then no editor opens, and what was begun in memory is gone again."""
    world.ok("post", "library", "-s", "S", stdin="Text")
    full = "import p2pforum.cli.terminal.desk as desk\ndef no(*_): raise OSError(28, 'No space left')\n"
    full += "desk.json.dumps = no\n"
    terminal = Terminal("post", "library", before=full, EDITOR="true")
    assert terminal.end() == 1
    assert "No space left" in terminal.screen
    assert os.listdir(memory) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_ended_while_the_stamp_is_minted(
    world: World, tmp_path: Path, memory: Path, number: signal.Signals, code: int
) -> None:
    before = f"""
import os
from p2pforum.forum.publish import Publisher
def new_thread(self, *arguments, **named):
    os.kill(os.getpid(), {int(number)})
    while True: pass
Publisher.new_thread = new_thread
"""
    terminal = Terminal("post", "library", before=before, EDITOR=an_editor(tmp_path, WRITE))
    assert terminal.end() == code
    assert kept(world) == WRITTEN
    assert ("kept as a draft; to go on: " in terminal.screen) == (code == 130)
    assert os.listdir(memory) == []
