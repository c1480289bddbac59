"""Records that peers told of themselves when they dialled in: they are there, and want to be known.

They are believed if they came from where they say they are, or a liar could have the nodes of a network knock
at somebody else's door. Onions come from nowhere, and can't be flooded so.
The book tells what this node has reached, and it does not dial who is connected already. Without these a
node that announces itself would be told by none of its neighbours.
"""

import ipaddress
from collections.abc import Iterable

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.network.address import parse_address


def is_plausible(addresses: Iterable[str], source: str) -> bool:
    """`source`: the address that the connection came from."""
    hosts = {host for address in addresses if (host := _ip_of(address))}
    return not hosts or _ip_of(source) in hosts


def _ip_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(parse_address(address).host)
    except (NetworkError, ValueError):
        return None


class Spoken:
    """One for each part of the internet that it came from: names cost nothing. Forgotten in a day."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[bytes, float]] = {}  # the last heard last

    def note(self, record: bytes, peer: str, group: str, now: float) -> None:
        """`group`: the network group it came from; "" in the local network, where all count."""
        self._records.pop(group or peer, None)
        self._records[group or peer] = (record, now)
        if len(self._records) > limits.PEERS_SPOKEN:
            del self._records[next(iter(self._records))]

    def records(self, now: float) -> list[bytes]:
        since = now - limits.PEERS_SPOKEN_SECONDS
        return [record for record, heard in self._records.values() if heard >= since]
