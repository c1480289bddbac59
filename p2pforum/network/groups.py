"""Parts of the internet that count as one peer, because one owner can cheaply have many addresses in them."""

import functools
import ipaddress

from p2pforum.core.address import ONION, parse_source
from p2pforum.core.errors import NetworkError

_REMEMBERED = 1_024  # addresses: those of all connected peers are looked up whenever one more comes
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@functools.lru_cache(_REMEMBERED)
def network_group(address: str) -> str:
    """The /16 of an IPv4 address, the /32 of an IPv6 one, a sixteenth of all onion services.

    "" where a group means nothing: names, loopback, private ranges. Onion addresses cost nothing, so no part
    of them belongs to one owner; four bits, as in Bitcoin, are a compromise. With one group for all of them,
    a node behind Tor would have one peer. With a group for each, there would be no bound at all.
    """
    try:
        target = parse_source(address)
        if target.kind == ONION:
            return f"onion3/{_BASE32.index(target.host[0]) >> 1:x}"
        ip = ipaddress.ip_address(target.host)
    except (NetworkError, ValueError):
        return ""
    if not ip.is_global:
        return ""
    return str(ipaddress.ip_network((ip, 16 if ip.version == 4 else 32), strict=False))


@functools.lru_cache(_REMEMBERED)
def address_group(address: str) -> str:
    """The public address that the many peer IDs of one attacker would share; a /64 of IPv6 counts as one.

    "" for loopback, private ranges, onions and names, where an address tells nothing.
    """
    try:
        ip = ipaddress.ip_address(parse_source(address).host)
    except (NetworkError, ValueError):
        return ""
    if not ip.is_global:
        return ""
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))
