"""A small file of the data directory, replaced as a whole. A crash leaves the old one or the new one."""

import os
from pathlib import Path

from p2pforum.core.errors import StoreError


def read_small(path: Path) -> bytes | None:
    """The content; None if the file is not there. Raises StoreError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def write_small(path: Path, content: bytes) -> None:
    """Write a file that only this user can read. Raises StoreError."""
    fresh = path.with_name(path.name + ".new")
    try:
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
