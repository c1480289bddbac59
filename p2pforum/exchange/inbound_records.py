"""Records that peers told of themselves when they dialled in: they are there, and want to be known.

They are believed if they came from where they say they are, or a liar could have the nodes of a network knock
at somebody else's door. Onions come from nowhere, and can't be flooded so.
The book tells what this node has reached, and it does not dial who is connected already. Without these a
node that announces itself would be told by none of its neighbours.
"""

import ipaddress
from collections.abc import Iterable

from p2pforum.core import limits
from p2pforum.core.address import Address, parse_address
from p2pforum.core.bounded import BoundedDict
from p2pforum.core.errors import NetworkError


def is_modest(addresses: Iterable[str]) -> bool:
    """One IPv4 host at most, one IPv6 host, one onion service: with seven hosts more in its record, each of
    its many peer IDs would have the nodes of a network knock there for a peer that can be reached.
    """
    hosts = {(address.kind, address.host) for address in _dialled(addresses)}
    return len(hosts) == len({kind for kind, _ in hosts})


def is_plausible(addresses: Iterable[str], source: str) -> bool:
    """`source`: the address that the connection came from. From this machine or a private network, as through
    an onion service, nobody can show a public one.
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
    """Those that can be dialled."""
    found = []
    for address in addresses:
        try:
            found.append(parse_address(address))
        except NetworkError:  # of a kind that comes later
            continue
    return found


class InboundRecords:
    """One for each part of the internet that it came from: names cost nothing. Forgotten in a day."""

    def __init__(self) -> None:
        self._records = BoundedDict[str, tuple[bytes, float]](limits.PEERS_INBOUND_RECORDS)

    def note(self, record: bytes, peer: str, group: str, now: float) -> None:
        """`group`: the network group it came from; "" in the local network, where all count."""
        self._records[group or peer] = (record, now)

    def records(self, now: float) -> list[bytes]:
        since = now - limits.PEERS_INBOUND_RECORDS_SECONDS
        return [record for record, heard in self._records.values() if heard >= since]
