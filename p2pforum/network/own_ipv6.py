"""Which public IPv6 address of this machine the node may announce, read from Linux's list of interfaces.

Whether a firewall lets peers in is not decided here. That shows only when a peer connects.
"""

import ipaddress
from pathlib import Path

from p2pforum.core.address import Address
from p2pforum.network.ranges import Range, range_of

INTERFACES = Path("/proc/net/if_inet6")
_TEMPORARY, _FAILED, _DEPRECATED, _TENTATIVE = 0x01, 0x08, 0x20, 0x40  # IFA_F_* of linux/if_addr.h


def read_interfaces(path: Path = INTERFACES) -> str:
    """The kernel's list; "" if there is no such file or no IPv6."""
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""


def public_ipv6(interfaces: str) -> str | None:
    """The address to announce, or None.

    `interfaces` is the text of /proc/net/if_inet6: address, index, prefix, scope, flags, name. A lasting
    address comes before a temporary one (RFC 8981), because peers must find it tomorrow. An address that
    holds the number of the network card (RFC 4291, appendix A) is never announced, because it would identify
    this machine in every network.
    """
    found = []
    for line in interfaces.splitlines():
        fields = line.split()
        if len(fields) != 6:
            continue
        ip = ipaddress.IPv6Address(bytes.fromhex(fields[0]))
        flags = int(fields[4], 16)
        if flags & (_FAILED | _DEPRECATED | _TENTATIVE) or _names_the_card(ip) or not _is_public(ip):
            continue
        found.append((flags & _TEMPORARY, ip))
    return str(min(found)[1]) if found else None


def network_of(ip: str) -> str:
    """The network of an address: its /64."""
    return str(ipaddress.ip_network((ip, 64), strict=False))


def _names_the_card(ip: ipaddress.IPv6Address) -> bool:
    return ip.packed[11:13] == b"\xff\xfe"


def _is_public(ip: ipaddress.IPv6Address) -> bool:
    return range_of(Address("ip6", str(ip), 4001)) is Range.PUBLIC
