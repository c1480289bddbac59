"""A Python that has the packages of a lock and no others, and notes which of them are loaded.

Its packages are links to those that the tests run with, so nothing is downloaded.
"""

import re
import sysconfig
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

# Every process of this Python writes at its end which files it has loaded; commands end by os._exit.
_NOTING = """
import atexit, os, sys

def note():
    with open(os.path.join({folder!r}, str(os.getpid())), "w") as file:
        file.writelines(str(getattr(module, "__file__", "")) + "\\n" for module in list(sys.modules.values()))

def leave(code, leave=os._exit):
    note()
    leave(code)

atexit.register(note)
os._exit = leave
"""


def locked(lock: Path) -> dict[str, str]:
    """The packages that pip installs here from that lock, by their names, with their versions."""
    found = {}
    for line in lock.read_text().splitlines():
        if line and line[0] not in " #":
            wanted = Requirement(line.rstrip(" \\"))
            if wanted.marker is None or wanted.marker.evaluate():
                (version,) = wanted.specifier
                found[normal(wanted.name)] = version.version
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(package: str) -> set[str]:
    """What a package puts into site-packages, by the names that lie there at the top."""
    files = metadata.distribution(package).files
    assert files, package
    return {file.parts[0] for file in files} - {"..", "__pycache__"}


class LockedPython:
    def __init__(self, directory: Path, packages: Iterable[str]) -> None:
        self._notes = directory / "notes"
        self._notes.mkdir(parents=True)
        venv.create(directory / "venv", symlinks=True)
        self.executable = directory / "venv" / "bin" / "python"
        (self._site,) = (directory / "venv" / "lib").glob("python*/site-packages")
        (self._site / "noting.py").write_text(_NOTING.format(folder=str(self._notes)))
        (self._site / "noting.pth").write_text("import noting\n")  # Python runs it at every start
        self._owner = {entry: package for package in packages for entry in entries(package)}
        here = Path(sysconfig.get_path("purelib"))
        for entry in self._owner:
            (self._site / entry).symlink_to(here / entry)

    def loaded(self) -> set[str]:
        """The packages of which the processes that have ended had loaded something."""
        files = {Path(line) for note in self._notes.iterdir() for line in note.read_text().splitlines()}
        tops = {file.relative_to(self._site).parts[0] for file in files if file.is_relative_to(self._site)}
        return {self._owner[top] for top in tops if top in self._owner}
