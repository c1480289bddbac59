"""Peer IDs as text, and the Ed25519 public key inside. Without libp2p, because that takes a
second to load.

A peer ID of an Ed25519 key is base58 of the key itself, in libp2p's protobuf and an "identity" multihash.
"""

import base58

from p2pforum.core.errors import NetworkError

_HEAD = bytes.fromhex("002408011220")  # identity multihash of 36 bytes; protobuf: Ed25519, 32 bytes
_KEY_SIZE = 32
_LONGEST = 52  # characters of such an ID


def peer_id_of(public_key: bytes) -> str:
    return base58.b58encode(_HEAD + public_key).decode()


def public_key_of(peer: str) -> bytes:
    """The 32-byte Ed25519 key in a peer ID. Raises NetworkError for any other kind of peer ID, and for other
    spellings of this one.
    """
    try:
        raw = base58.b58decode(peer) if len(peer) <= _LONGEST else b""
    except ValueError:
        raw = b""
    key = raw.removeprefix(_HEAD)
    if len(key) != _KEY_SIZE or peer_id_of(key) != peer:  # the library ignores blanks at the end
        raise NetworkError("a peer ID that holds no Ed25519 key")
    return key
