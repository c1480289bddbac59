"""Which addresses a stranger may have us dial: where they lead, and what one owner can have many of.

A name is never dialled because a peer told it: looking it up tells a resolver, and it may lead to this
machine.
"""

import enum
import functools
import ipaddress

from p2pforum.core.address import Address, hides_ipv4
from p2pforum.network.groups import network_group

_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_DOCUMENTATION_V6 = ipaddress.ip_network("3fff::/20")  # which older Pythons call global
_SITE_BITS = 48  # of an IPv6 address: what one customer gets at most, and a tunnel broker for nothing
_REMEMBERED = 4_096  # addresses: the same ones are told again and again
_LEAST_PORT = 1024  # below lie mail, ssh and name servers: nodes must not be sent to knock there
_LOW_PORTS = {80, 443}  # but these go through firewalls


class Range(enum.Enum):
    PUBLIC = "public"
    PRIVATE = "private"  # this machine, its networks, a provider's shared range, documentation
    NAME = "name"
    ONION = "onion"
    NOWHERE = "nowhere"  # no peer can be there, or it hides where it leads


def range_of(address: Address) -> Range:
    if address.kind.startswith("dns"):
        return Range.NAME
    if address.kind not in ("ip4", "ip6"):
        return Range.ONION
    ip = ipaddress.ip_address(address.host)
    if ip.is_multicast or ip.is_unspecified or address.port == 0:
        return Range.NOWHERE
    if isinstance(ip, ipaddress.IPv4Address):
        if ip.is_reserved or ip in ipaddress.ip_network("0.0.0.0/8"):
            return Range.NOWHERE
        return Range.PUBLIC if ip.is_global else Range.PRIVATE
    if hides_ipv4(ip) or ip in _DOCUMENTATION_V6:
        return Range.NOWHERE
    if ip.is_global and ip in _GLOBAL_V6:
        return Range.PUBLIC
    return Range.PRIVATE if ip.is_private else Range.NOWHERE


def is_polite_port(port: int) -> bool:
    """Whether a node may knock there because a stranger said so."""
    return port >= _LEAST_PORT or port in _LOW_PORTS


def book_group(address: Address) -> str:
    """What an address shares with those its owner can have cheaply. "" in private ranges: there, nothing.

    Names cost nothing: all of them are one group.
    """
    return "name" if address.kind.startswith("dns") else network_group(str(address))


@functools.lru_cache(_REMEMBERED)
def book_host(address: Address) -> str:
    """What has one place in an address book, whatever its ports and peer IDs, which cost nothing.

    A public IPv4 address, a /48 of IPv6, an onion service. "" in private ranges, where hosts are free anyway.
    """
    if range_of(address) is Range.ONION:
        return address.host
    if range_of(address) is not Range.PUBLIC:
        return ""
    ip = ipaddress.ip_address(address.host)
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, _SITE_BITS), strict=False))
