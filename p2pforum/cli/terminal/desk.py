"""Where a text lies while it is written, until the keystore has it: a private directory, in memory if
there is one.

So it is found again if the program, the editor or the terminal ends in between. A lock that the editor
inherits says that somebody still writes.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_MEMORY = Path("/dev/shm")  # a tmpfs on Linux: its files never reach a disk (but for swap)
_PREFIX = "p2pforum-text-"
_TEXT, _LABEL = "post.txt", "label.json"
_PATIENCE = 10.0  # seconds: vim reads a swap file in a few milliseconds


@dataclass(frozen=True, slots=True)
class Label:
    """What the text is. `keys` names the keystore it belongs to, `shown` is what the editor began with."""

    keys: str
    destination: str
    subject: str | None  #: None: it is the first line of the text
    shown: str = ""


class Desk:
    """One such directory. Made or found again, it is locked; `clear` removes it, `close` leaves it."""

    def __init__(self, directory: Path, label: Label, lock: int) -> None:
        self.directory = directory
        self.label = label
        self.lock = lock

    @property
    def path(self) -> Path:
        return self.directory / _TEXT

    def read(self) -> str:
        """The text as it is now; empty if it was deleted."""
        try:
            return self.path.read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ""

    def texts(self) -> list[str]:
        """The text, and what editors saved beside it when their terminal was closed or they were killed."""
        saved = [*self.directory.glob(f"{_TEXT}.save*"), self.directory / f"#{_TEXT}#"]  # nano, emacs
        saved += [self._from_swap()] if self._swap.exists() else []
        found = [path.read_bytes() for path in saved if path.is_file()]
        return [self.read(), *(raw.decode("utf-8", "surrogateescape") for raw in found)]

    @property
    def _swap(self) -> Path:
        return self.directory / f".{_TEXT}.swp"

    def _from_swap(self) -> Path:
        """The file that vim makes of its swap file; it is not there if vim could not."""
        made = self.directory / "recovered.txt"
        vim = shutil.which("vim") or shutil.which("vim.tiny") or "vi"
        command = [vim, "-u", "NONE", "-i", "NONE", "-n", "-es", "-r", self.path.name]
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                [*command, "-c", f"w! {made.name}", "-c", "qa!"],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=False,
            )
        return made

    def clear(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)  # with all swap and backup files in it
        self.close()

    def close(self) -> None:
        os.close(self.lock)


def new_desk(label: Label, text: str, environ: Mapping[str, str] = os.environ) -> Desk:
    """Raises OSError, for example where memory is full."""
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=private_parent(environ)))  # mode 0700
    desk = Desk(directory, label, _new_file(directory / _LABEL))
    fcntl.flock(desk.lock, fcntl.LOCK_EX)
    try:
        desk.path.touch(mode=0o600, exist_ok=False)
        desk.path.write_bytes(text.encode("utf-8", "surrogateescape"))
        (directory / _LABEL).write_text(json.dumps(asdict(label)))
    except OSError:
        desk.clear()
        raise
    return desk


def found_desks(keys: str, environ: Mapping[str, str] = os.environ) -> list[Desk]:
    """Those of this keystore that nobody writes at any more: the program or its editor was killed."""
    found = []
    for directory in leftovers(environ):
        try:
            lock = os.open(directory / _LABEL, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            label = Label(**json.loads((directory / _LABEL).read_bytes()))
        except (OSError, ValueError, TypeError):  # in use; or killed before it was written, so without a text
            os.close(lock)
            continue
        desk = Desk(directory, label, lock)
        if label.keys == keys:
            found.append(desk)
        else:
            desk.close()
    return found


def count_desks(keys: str, environ: Mapping[str, str] = os.environ) -> int:
    """How many `found_desks` would find."""
    found = found_desks(keys, environ)
    for desk in found:
        desk.close()
    return len(found)


def leftovers(environ: Mapping[str, str]) -> list[Path]:
    """All such directories of this account."""
    parents = {private_parent(environ), _MEMORY, Path(tempfile.gettempdir())} - {None}
    found = [path for parent in parents if parent for path in parent.glob(f"{_PREFIX}*")]
    return sorted(path for path in found if path.lstat().st_uid == os.getuid())


def private_parent(environ: Mapping[str, str]) -> Path | None:
    """A directory in memory; None for the system's own temporary directory."""
    for candidate in (Path(environ.get("XDG_RUNTIME_DIR") or "/nowhere"), _MEMORY):
        if candidate.is_dir() and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    return None


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
