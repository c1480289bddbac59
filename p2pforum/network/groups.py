"""Addresses that one owner can have many of cheaply: parts of the internet that count as one peer."""

import ipaddress

from p2pforum.core.errors import NetworkError
from p2pforum.network.address import parse_address


def network_group(address: str) -> str:
    """The /16 of an IPv4 address, the /32 of an IPv6 one.

    "" where it says nothing: names, loopback, private ranges.
    """
    try:
        ip = ipaddress.ip_address(parse_address(address).host)
    except (NetworkError, ValueError):
        return ""
    if not ip.is_global:
        return ""
    return str(ipaddress.ip_network((ip, 16 if ip.version == 4 else 32), strict=False))
