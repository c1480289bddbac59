"""This node's own record over restarts: a small file in the data directory. The record is public anyway.

The file holds the record itself, not a counter: the node sends the same bytes again until its addresses
change. There is a file for each peer ID, because a node that uses another ID for a while must not lose the
sequence number of the first.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from p2pforum.core.errors import ConfigError, P2PForumError, RemoteProtocolError
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.peer_id import peer_id_of
from p2pforum.exchange.inbound_records import is_modest
from p2pforum.exchange.record import PeerRecord, decode, make
from p2pforum.store.small_file import read_small, write_small

_ENDING = 8  # last characters of the peer ID, for the file's name: all peer IDs begin alike


def own_record(
    directory: Path,
    addresses: Sequence[str],
    key: bytes,
    sign: Callable[[bytes], bytes],
    params: NetworkParams,
) -> bytes:
    """The record that says `addresses`; with a higher sequence number than the last one if they differ from
    it.

    `sign` signs with the secret of `key`. Raises ConfigError for addresses that fit no record, StoreError,
    and P2PForumError for a damaged file.
    """
    if not is_modest(addresses):
        raise ConfigError(
            "announce: list at most one IPv4 host, one IPv6 host and one onion service; "
            "other nodes do not pass on more"
        )
    path = directory / f"peer-{peer_id_of(key)[-_ENDING:]}.record"
    last = _read(path, params)
    if last is not None and set(last.addresses) == set(addresses):
        return last.raw
    number = 1 if last is None else last.sequence + 1
    try:
        record = make(addresses, number, key, sign, params)
    except RemoteProtocolError as error:
        raise ConfigError(f"announce: {error}") from error
    write_small(path, record.raw)
    return record.raw


def _read(path: Path, params: NetworkParams) -> PeerRecord | None:
    raw = read_small(path)
    try:
        return None if raw is None else decode(raw, params)
    except RemoteProtocolError as error:
        # Starting again at number 1 would not help: other nodes keep the record with the higher number.
        complaint = f"{path} is damaged: remove it and the node's seed, for a new peer ID"
        raise P2PForumError(complaint) from error
