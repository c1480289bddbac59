"""Records that peers sent of themselves when they dialled in: these peers are there, and want to be known.

The node believes such a record if the peer's connection came from an address in it. Otherwise an attacker
could make the nodes of a network dial a victim's address. An onion service has no address to compare; nor can
it be flooded in this way.

The address book shares only what this node has dialled, and it does not dial connected peers. So without
these records, no neighbour would pass on the address of a node that announces itself.
"""

import ipaddress
from collections.abc import Iterable

from p2pforum.core import limits
from p2pforum.core.address import Address, parse_address
from p2pforum.core.bounded import BoundedDict
from p2pforum.core.errors import NetworkError


def is_modest(addresses: Iterable[str]) -> bool:
    """Whether they name at most one IPv4 host, one IPv6 host and one onion service.

    Otherwise an attacker could list seven victims' hosts beside a reachable one of the attacker's own. With
    many peer IDs, such records would make every node of a network dial the victims.
    """
    hosts = {(address.kind, address.host) for address in _dialled(addresses)}
    return len(hosts) == len({kind for kind, _ in hosts})


def is_plausible(addresses: Iterable[str], source: str) -> bool:
    """Whether a peer that connected from `source` may be at these addresses.

    If `source` is this machine or a private network, as through an onion service, a public address is not
    plausible, because the connection can't prove it.
    """
    hosts = {
        ipaddress.ip_address(address.host)
        for address in _dialled(addresses)
        if address.kind in ("ip4", "ip6")
    }
    origins = {
        ipaddress.ip_address(address.host) for address in _dialled([source]) if address.kind in ("ip4", "ip6")
    }
    if any(origin.is_global for origin in origins):
        return not hosts or bool(hosts & origins)
    return hosts <= origins


def _dialled(addresses: Iterable[str]) -> list[Address]:
    """Those that this version can dial."""
    found = []
    for address in addresses:
        try:
            found.append(parse_address(address))
        except NetworkError:  # a kind of address that a later version adds
            continue
    return found


class InboundRecords:
    """Keeps one record for each network group that it came from, for a day. An attacker gets peer IDs for
    nothing, but not network groups."""

    def __init__(self) -> None:
        self._records = BoundedDict[str, tuple[bytes, float]](limits.PEERS_INBOUND_RECORDS)

    def note(self, record: bytes, peer: str, group: str, now: float) -> None:
        """Keep a record heard at `now` (seconds). `group`: the network group of the connection; "" in the
        local network, where each peer counts by itself."""
        self._records[group or peer] = (record, now)

    def records(self, now: float) -> list[bytes]:
        """Raw records that are less than a day old at `now` (seconds)."""
        since = now - limits.PEERS_INBOUND_RECORDS_SECONDS
        return [record for record, heard in self._records.values() if heard >= since]
