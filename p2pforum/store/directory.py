"""The data directory: private to its owner, and one process at a time.

Not the key directory (keystore/files.py), which other processes share.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p2pforum.core.errors import StoreBusy, StoreError

LOCK_NAME = "lock"


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Make the directory if there is none, and hold its lock. Raises StoreBusy if another process holds it,
    else StoreError.

    The lock is flock's, so it ends with the process, in whatever way the process ends.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"cannot use the directory {directory}: {error.strerror}") from error
    try:
        _lock(fd, directory)
        yield
    finally:
        os.close(fd)


def _lock(fd: int, directory: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreBusy(f"{directory} is in use by another p2pforum process") from error
    except OSError as error:
        raise StoreError(f"cannot lock {directory}: {error.strerror}") from error


def keep_private(path: Path) -> None:
    """Close a file to other users of this machine, if the user had opened it to them. Raises StoreError."""
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StoreError(f"cannot use {path}: {error.strerror}") from error
