"""Whether the data directory can be written: for `doctor` and `status`, with and without a node."""

import os
from pathlib import Path

from p2pforum.core import limits


def free_bytes(directory: Path) -> int:
    """Free bytes on the disk that the directory is on, or would be made on. Raises OSError."""
    found = os.statvfs(_nearest(directory))
    return found.f_bavail * found.f_frsize


def write_problem(directory: Path) -> str:
    """Why one batch of posts can't be written there; empty if it can.

    It tries with a file that has no name. A quota of the account, a read-only disk or a limit of this process
    does not show in the number of free bytes.
    """
    import tempfile  # 10 ms that `status` saves

    try:
        with tempfile.TemporaryFile(dir=_nearest(directory), buffering=0) as file:
            left = limits.ROOM_TRIED
            while left:
                left -= file.write(bytes(left)) or 0
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _nearest(directory: Path) -> Path:
    return next(path for path in (directory, *directory.parents) if path.exists())
