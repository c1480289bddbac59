"""How to name a Unix socket whose path is too long for the kernel: through its directory's descriptor."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from p2pforum.core.errors import P2PForumError

_SUN_PATH = 107  # bytes in sockaddr_un.sun_path, without its closing zero
_DESCRIPTORS = Path("/proc/self/fd")


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """The address to give to bind() or connect() for `path`, valid inside the block. Raises P2PForumError for
    a long path on a system without /proc/self/fd.
    """
    if len(os.fsencode(path)) <= _SUN_PATH:
        yield str(path)
        return
    if not _DESCRIPTORS.is_dir():
        raise P2PForumError(f"{path} is longer than the {_SUN_PATH} bytes that a socket's path may have")
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_DESCRIPTORS / str(directory) / path.name)
    finally:
        os.close(directory)
