"""A peer record: where a node can be reached, signed by the key of its peer ID.

    18([ <<{1: -19, 4: key}>>, {}, <<[version, sequence, [addresses]]>>, signature ])

The envelope of posts with another `external_aad` ("<network>/peer/1"), so that no peer can pass one off as
the other. libp2p has signed peer records too, but the signer's clock numbers them, to the nanosecond. The
number here only says which of two records of one peer is newer, and tells no time. PROTOCOL describes it.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cbor2

from p2pforum.core import envelope, limits, plain_cbor, signature
from p2pforum.core.address import KINDS, check_told
from p2pforum.core.errors import InvalidPost, NetworkError, RemoteProtocolError
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.peer_id import peer_id_of

VERSION = 1


@dataclass(frozen=True, slots=True)
class PeerRecord:
    """A record whose signature was verified. `raw` is the encoding that travels."""

    raw: bytes
    peer: str
    sequence: int
    addresses: tuple[str, ...]  #: as signed: without the peer ID

    @property
    def dialled(self) -> tuple[str, ...]:
        """Addresses to dial. The address book checks that this node knows their kind."""
        return tuple(f"{address}/p2p/{self.peer}" for address in self.addresses)


def make(
    addresses: Iterable[str],
    sequence: int,
    key: bytes,
    sign: Callable[[bytes], bytes],
    params: NetworkParams,
) -> PeerRecord:
    """The one encoding of this record. `sign` signs with the secret of `key`. Raises RemoteProtocolError for
    addresses that fit no record."""
    payload = cbor2.dumps([VERSION, sequence, sorted(set(addresses))], canonical=True)
    signed = sign(envelope.to_be_signed(key, payload, params.peer_aad))
    return decode(envelope.close(key, payload, signed), params)


def decode(raw: bytes, params: NetworkParams) -> PeerRecord:
    """Check a record and read it. Takes 0.1 ms.

    Raises RemoteProtocolError for all but the one encoding of a record with a valid signature.
    """
    if len(raw) > limits.MAX_PEER_RECORD:
        raise RemoteProtocolError(f"a peer record of more than {limits.MAX_PEER_RECORD} bytes")
    try:
        key, payload, signed = envelope.open_up(raw)
        fields = plain_cbor.loads(payload, 2)
    except InvalidPost as error:
        raise RemoteProtocolError(f"not a peer record: {error}") from error
    sequence, addresses = _check(fields)
    if not signature.verify(envelope.to_be_signed(key, payload, params.peer_aad), signed, key):
        raise RemoteProtocolError("the signature of a peer record is not its peer's")
    return PeerRecord(raw, peer_id_of(key), sequence, addresses)


def _check(fields: Any) -> tuple[int, tuple[str, ...]]:
    if type(fields) is not list or len(fields) != 3 or fields[0] != VERSION:
        raise RemoteProtocolError("not a peer record of version 1")
    _, sequence, addresses = fields
    if type(sequence) is not int or not 1 <= sequence < limits.MAX_PEER_SEQUENCE:
        raise RemoteProtocolError("the sequence number of a peer record is out of range")
    if type(addresses) is not list or not 1 <= len(addresses) <= limits.MAX_PEER_ADDRESSES:
        raise RemoteProtocolError(f"a peer record has 1 to {limits.MAX_PEER_ADDRESSES} addresses")
    if not all(type(address) is str and is_announced(address) for address in addresses):
        raise RemoteProtocolError("what a peer record says is no address")
    if any(a >= b for a, b in itertools.pairwise(addresses)):
        raise RemoteProtocolError("the addresses of a peer record are not sorted, or one is there twice")
    return sequence, tuple(addresses)


def number_of(raw: bytes) -> int:
    """The sequence number of a record that the node checked when it came; 0 if `raw` is damaged."""
    try:
        return int(_check(plain_cbor.loads(envelope.open_up(raw)[1], 2))[0])
    except (InvalidPost, RemoteProtocolError):
        return 0


def is_announced(address: str) -> bool:
    """Whether a record may hold this address. Of a kind that a later version adds, only the shape is checked,
    because nodes of today must pass such addresses on."""
    if address.startswith(tuple(f"/{kind}/" for kind in KINDS)):
        try:
            check_told(address, peer=False)
        except NetworkError:
            return False
    printable = address.isascii() and address.isprintable() and " " not in address
    return (
        printable
        and address.startswith("/")
        and "/p2p/" not in address
        and len(address) <= limits.MAX_PEER_ADDRESS
    )
