"""The seed of a lasting peer ID, in the data directory. It is not an author's key, and never made from
one."""

import hashlib
import os
from pathlib import Path

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError

_PEER_SEED = "peer.seed"  # 32 bytes; only a node that announces an address has one


def peer_seed(directory: Path) -> bytes:
    """The 32 bytes in the file, which is made if it is not there. Raises P2PForumError if it is damaged."""
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


def seed_at(seed: bytes, network: str) -> bytes:
    """The seed of the peer ID that a node has in one network (`network`, as "2001:db8:1:2::/64"), 32 bytes.

    In another network the node has another peer ID. Otherwise everybody who learns its address could follow a
    machine from network to network.
    """
    return hashlib.blake2b(network.encode(), key=seed, digest_size=32, person=b"p2pforum-place").digest()


def port_of(seed: bytes) -> int:
    """The port that a node with this seed picks for itself; always the same one."""
    drawn = hashlib.blake2b(key=seed, digest_size=8, person=b"p2pforum-port").digest()
    return limits.FIRST_PORT + int.from_bytes(drawn, "big") % limits.PORTS
