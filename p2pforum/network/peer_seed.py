"""The seed of a lasting peer ID, in the data directory. Not an author's key, and never made from one."""

import os
from pathlib import Path

from p2pforum.core.errors import P2PForumError

_PEER_SEED = "peer.seed"  # 32 bytes, of a node that others are told to dial


def peer_seed(directory: Path) -> bytes:
    """Made when it is not there."""
    path = directory / _PEER_SEED
    try:
        seed = path.read_bytes()
    except FileNotFoundError:
        seed = os.urandom(32)
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(seed)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    if len(seed) != 32:
        raise P2PForumError(f"{path} is damaged: remove it, and this node gets a new peer ID")
    return seed
