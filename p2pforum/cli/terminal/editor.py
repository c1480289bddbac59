"""Text from the user's editor, through a private file that is gone afterwards."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from p2pforum.core.errors import P2PForumError

_MEMORY = Path("/dev/shm")  # a tmpfs on Linux: its files never reach a disk (but for swap)
SCISSORS = "# ------------------------ >8 ------------------------"  # as in git
_PREFIX = "p2pforum-text-"


def edit(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The text that the editor left of `text`, comments included. Raises P2PForumError if the
    editor failed.
    """
    command = editor_command(environ)
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=private_parent(environ)))  # mode 0700
    try:
        path = directory / "post.txt"
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        _run([*command, str(path)])
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""  # deleted in the editor: nothing was written
    finally:
        shutil.rmtree(directory, ignore_errors=True)  # with all swap and backup files in it


def leftovers(environ: Mapping[str, str]) -> list[Path]:
    """Directories of ours that an editor (or we) left behind when it was killed."""
    parents = {private_parent(environ), _MEMORY, Path(tempfile.gettempdir())} - {None}
    found = [path for parent in parents if parent for path in parent.glob(f"{_PREFIX}*")]
    return sorted(path for path in found if path.lstat().st_uid == os.getuid())


def private_parent(environ: Mapping[str, str]) -> Path | None:
    """A directory in memory; None for the system's own temporary directory."""
    for candidate in (Path(environ.get("XDG_RUNTIME_DIR") or "/nowhere"), _MEMORY):
        if candidate.is_dir() and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    return None


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The editor and its arguments. Raises P2PForumError if there is none."""
    chosen = shlex.split(environ.get("VISUAL") or environ.get("EDITOR") or "")
    return chosen or [_any_editor()]


def _any_editor() -> str:
    for name in ("sensible-editor", "nano", "vi"):
        if shutil.which(name):
            return name
    raise P2PForumError("no editor: set VISUAL or EDITOR, or give the text with -F FILE")


def _run(command: list[str]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the editor
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise P2PForumError(f"the editor {command[0]} can't be started: {error.strerror}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        raise P2PForumError(f"the editor {command[0]} ended with {code}; nothing posted")


def with_comments(text: str, comments: str) -> str:
    """What the editor begins with: the text, the line that ends it, and comments."""
    marked = "".join(f"# {line}".rstrip() + "\n" for line in comments.split("\n"))
    return f"{text}\n{SCISSORS}\n{marked}"


def without_comments(text: str) -> str:
    """The text above the line of scissors: the last one, because the person may have written others. Without
    such a line all is text.
    """
    lines = text.split("\n")
    ends = [i for i, line in enumerate(lines) if line.removeprefix("\ufeff").rstrip() == SCISSORS]
    return "\n".join(lines[: ends[-1]] if ends else lines).strip("\n")
