"""Which addresses a node dials because a stranger told them: where they lead, and which share an owner.

A node never dials a name because a peer told it. Looking a name up tells a resolver, and the name may lead to
this machine.
"""

import enum
import functools
import ipaddress

from p2pforum.core.address import Address, hides_ipv4
from p2pforum.network.groups import network_group

_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_DOCUMENTATION_V6 = ipaddress.ip_network("3fff::/20")  # older Pythons call it global
_SITE_BITS = 48  # prefix of IPv6: a customer gets at most a /48, and tunnel brokers give one for nothing
_REMEMBERED = 4_096  # addresses: peers tell the same ones again and again
_LEAST_PORT = 1024  # below lie mail, ssh and name servers: an attacker must not make nodes dial those
_LOW_PORTS = {80, 443}  # allowed, because they pass firewalls


class Range(enum.Enum):
    PUBLIC = "public"
    PRIVATE = "private"  # this machine, its networks, a provider's shared range, documentation
    NAME = "name"
    ONION = "onion"
    NOWHERE = "nowhere"  # no peer can be there, or the address hides where it leads


def range_of(address: Address) -> Range:
    """Where an address leads. Of IPv6, only 2000::/3 counts as public (RFC 4291, section 4)."""
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
    """Whether a node may dial this port because a stranger told it."""
    return port >= _LEAST_PORT or port in _LOW_PORTS


def book_group(address: Address) -> str:
    """The part of the internet that the book counts as one owner's. "" in private ranges, where it means
    nothing.

    Names cost nothing, so all of them are one group.
    """
    return "name" if address.kind.startswith("dns") else network_group(str(address))


@functools.lru_cache(_REMEMBERED)
def book_host(address: Address) -> str:
    """What gets one place in an address book. Its ports and peer IDs do not count, because they cost nothing.

    A public IPv4 address, a /48 of IPv6, an onion service. "" in private ranges, where hosts cost nothing
    either.
    """
    if range_of(address) is Range.ONION:
        return address.host
    if range_of(address) is not Range.PUBLIC:
        return ""
    ip = ipaddress.ip_address(address.host)
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, _SITE_BITS), strict=False))
