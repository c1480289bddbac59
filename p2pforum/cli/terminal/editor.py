"""Run the user's editor on a text, and tell the text from the program's comments."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from p2pforum.cli.terminal.desk import Desk
from p2pforum.core.errors import P2PForumError

# Arguments with which an editor writes nothing but the text, whatever the settings of the user and the system
# are. vim reads those before -c. When `updatecount` is set it begins a swap file beside the text, from which
# an unsaved text can be recovered.
_ALONE = {
    "vim": ["-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile directory=. updatecount=200"],
    "nano": ["--ignorercfiles"],
}
SCISSORS = "# ------------------------ >8 ------------------------"  # as in git


def edit(desk: Desk, environ: Mapping[str, str] = os.environ) -> str:
    """The text that the editor left, comments included. Raises P2PForumError if it failed; then
    the text is on the desk.
    """
    command = editor_command(environ)
    _run([*command, *_ALONE.get(_program(command), []), str(desk.path)], desk.lock)
    return desk.read()


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The editor and its arguments. Raises P2PForumError if there is none."""
    name = "VISUAL" if environ.get("VISUAL") else "EDITOR"
    try:
        chosen = shlex.split(environ.get(name, ""))
    except ValueError as error:
        raise P2PForumError(f"{name} can't be read as a command: {str(error).lower()}") from None
    return chosen or [_any_editor()]


def side_files(environ: Mapping[str, str]) -> str:
    """A warning for an editor that may keep elsewhere what the user types; empty for the others. Raises as
    `editor_command` does.
    """
    program = _program(editor_command(environ))
    if program in _ALONE:
        return ""
    known = " and ".join(sorted(_ALONE))
    return f"{program} may keep what you type elsewhere on the disk; {known} are started so that they don't"


def _program(command: list[str]) -> str:
    """Which editor it is: "vim" also as vi, vim.basic or vim.tiny."""
    name = Path(shutil.which(command[0]) or command[0]).resolve().name
    return name.partition(".")[0]


def _any_editor() -> str:
    for name in ("nano", "vim", "vi"):
        if shutil.which(name):
            return name
    raise P2PForumError("no editor: set VISUAL or EDITOR, or give the text with -F FILE")


def _run(command: list[str], lock: int) -> None:
    # Ctrl-C belongs to the editor. If the terminal is closed, this process outlives the editor and keeps the
    # text. Functions, because a child would inherit that a signal is ignored.
    before = {number: signal.signal(number, _nothing) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        code = subprocess.run(command, check=False, pass_fds=(lock,)).returncode
    except OSError as error:
        raise P2PForumError(f"the editor {command[0]} can't be started: {error.strerror}") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code:
        raise P2PForumError(f"the editor {command[0]} ended with {code}; nothing posted")


def _nothing(_signal: int, _frame: object) -> None:
    pass


def with_comments(text: str, comments: str) -> str:
    """What the editor begins with: the text, the line that ends it, and comments."""
    marked = "".join(f"# {line}".rstrip() + "\n" for line in comments.split("\n"))
    return f"{text}\n{SCISSORS}\n{marked}"


def without_comments(text: str, shown: str) -> tuple[str, str]:
    """The text above the line of scissors, and what the person wrote below it: lines that `shown`, with which
    the editor began, does not have.

    The last such line counts, because a text may have others. Without one all is text.
    """
    lines = text.split("\n")
    ends = [i for i, line in enumerate(lines) if _bare(line) == SCISSORS]
    end = ends[-1] if ends else len(lines)
    ours = {_bare(line) for line in shown.split("\n")} | {""}
    below = [line for line in lines[end + 1 :] if _bare(line) not in ours]
    return "\n".join(lines[:end]).strip("\n"), "\n".join(below)


def _bare(line: str) -> str:
    return line.removeprefix("\ufeff").rstrip()
