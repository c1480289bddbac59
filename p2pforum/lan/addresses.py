"""What a node announces in the local network, and which announcements of other machines it believes. No I/O.

Only IPv4 addresses of private networks (RFC 1918) count, and only in a network in which this node listens.
Otherwise an attacker who sends it a packet could make this node dial any address.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.address import Address, parse_address
from p2pforum.core.errors import NetworkError
from p2pforum.core.peer_id import public_key_of

_PRIVATE = [ipaddress.IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


@dataclass(frozen=True, slots=True)
class Interface:
    """An IPv4 address of this machine, and the length of its network prefix in bits."""

    ip: str
    bits: int

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network((self.ip, self.bits), strict=False)


@dataclass(frozen=True, slots=True)
class LanNode:
    """A node as multicast DNS describes it: a peer ID, a port, and the IPv4 addresses on which it is open."""

    peer: str
    port: int
    ips: tuple[str, ...]


def usable(listening: Iterable[str], interfaces: Iterable[Interface]) -> list[Interface]:
    """Interfaces in private networks on which this node listens."""
    hosts = {parse_address(address).host for address in listening}
    return [i for i in interfaces if is_private(i.ip) and not hosts.isdisjoint({i.ip, "0.0.0.0"})]


def advertised(listening: Sequence[str], interfaces: Sequence[Interface]) -> list[LanNode]:
    """Offers to announce, one for each port. `interfaces` are the usable ones; `listening` addresses end in
    the peer ID."""
    by_port: dict[tuple[str, int], set[str]] = {}
    for address in map(parse_address, listening):
        ips = {i.ip for i in interfaces if address.host in (i.ip, "0.0.0.0")}
        if ips:
            by_port.setdefault((str(address.peer), address.port), set()).update(ips)
    return [LanNode(peer, port, tuple(sorted(ips))) for (peer, port), ips in sorted(by_port.items())]


def accepted(node: LanNode, interfaces: Sequence[Interface]) -> list[str]:
    """Addresses to dial from an offer. None if its peer ID or port is impossible, because no honest node
    sends such."""
    try:
        public_key_of(node.peer)
    except NetworkError:
        return []
    if not 0 < node.port < 2**16:
        return []
    networks = [i.network for i in interfaces]
    own = {i.ip for i in interfaces}
    near = [ip for ip in node.ips if is_private(ip) and _is_in(ip, networks) and ip not in own]
    return [str(Address("ip4", ip, node.port, node.peer)) for ip in near[: limits.MAX_PEER_ADDRESSES]]


def is_near(ip: str, interfaces: Iterable[Interface]) -> bool:
    """Whether this address is in the network of one of the interfaces."""
    return _is_in(ip, [i.network for i in interfaces])


def is_private(ip: str) -> bool:
    return _is_in(ip, _PRIVATE)


def _is_in(ip: str, networks: Iterable[ipaddress.IPv4Network]) -> bool:
    try:
        return any(ipaddress.IPv4Address(ip) in network for network in networks)
    except ValueError:
        return False
