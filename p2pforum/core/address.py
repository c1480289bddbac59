"""Addresses as text: /ip4/192.0.2.1/tcp/4001/p2p/PEER, and the same with ip6, dns, dns4, dns6; and
/onion3/NAME:4001/p2p/PEER, the name without its ".onion". The one parser of them. docs/PROTOCOL.md.

A small part of multiaddr, checked strictly: the parser refuses what it does not understand, and never
guesses. It brings each address into one form, so one place has one text, with any version of Python. It does
not look names up.
"""

import base64
import hashlib
import ipaddress
import re
from dataclasses import dataclass

from p2pforum.core.errors import NetworkError
from p2pforum.core.peer_id import public_key_of

ONION = "onion3"
KINDS = ("ip4", "ip6", "dns", "dns4", "dns6", ONION)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_TOP = r"[a-z](?:[a-z0-9_-]{0,61}[a-z0-9_])?"  # no digit first: resolvers read 127.1 and 0x7f.1 as IPv4
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*{_TOP}")
_ONION = re.compile(r"[a-z2-7]{56}")
_LONGEST = 330  # characters: a name of 253, a port, a peer ID of 52
_PORT = re.compile(r"0|[1-9][0-9]{0,4}", re.ASCII)
_EXAMPLE = "/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…"
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_IPV4_INSIDE = [
    ipaddress.IPv6Network(net)
    for net in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
]
_OWN = ipaddress.IPv6Network("::/127")  # unspecified and loopback, which lie in ::/96


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address. `peer` is None in an address to listen on, and in a peer record."""

    kind: str
    host: str
    port: int
    peer: str | None = None

    def __str__(self) -> str:
        peer = "" if self.peer is None else f"/p2p/{self.peer}"
        between = ":" if self.kind == ONION else "/tcp/"
        return f"/{self.kind}/{self.host}{between}{self.port}{peer}"


def parse_address(text: str) -> Address:
    """Read the address of a place to dial. Raises NetworkError with a text that says what was expected."""
    address = _parse(text)
    if address.port == 0:
        raise _not_an(text, "nobody can dial port 0")
    return address


def parse_peer(text: str) -> Address:
    """Read the address of a peer to dial, with its peer ID. Raises NetworkError."""
    address = parse_address(text)
    if address.peer is None:
        raise _no_peer(text)
    return address


def parse_listen(text: str) -> Address:
    """Read an IP address and a port to listen on; port 0 stands for any free port. Raises NetworkError."""
    address = _parse(text)
    if address.kind not in ("ip4", "ip6") or address.peer is not None:
        raise NetworkError(f"can't listen on {text}: expected /ip4/ADDRESS/tcp/PORT")
    return address


def parse_source(text: str) -> Address:
    """Read the address where a connection came from. Any port is right, as it says nothing.
    Raises NetworkError.
    """
    return _parse(text)


def check_told(text: str, *, peer: bool) -> None:
    """Check an address that is passed on, in an invite (with its `peer`) or in a record (without): it must be
    written in the one form, and must lead where it says. Raises NetworkError.
    """
    address = parse_address(text)
    if peer and address.peer is None:
        raise _no_peer(text)
    if not peer and address.peer is not None:
        raise _not_an(text, "it must end with its port: the node adds the peer ID")
    if str(address) != text:
        raise _not_an(
            text, f"it is written in an unusual way, so it could reveal who passed it on: {address}"
        )
    if address.kind == "ip6" and hides_ipv4(ipaddress.IPv6Address(address.host)):
        raise _not_an(text, "it holds an IPv4 address: write the IPv4 address itself")


def hides_ipv4(ip: ipaddress.IPv6Address) -> bool:
    """Whether the address leads to an IPv4 address. Such a text is a second name of one place, and the bounds
    on IPv4 addresses do not count it.
    """
    return ip not in _OWN and any(ip in network for network in _IPV4_INSIDE)


def socket_address(host: str, port: int, peer: str | None = None) -> Address:
    """The address for what the socket module says: an IP address and a port."""
    return Address("ip6" if ":" in host else "ip4", host.split("%")[0], port, peer)


def _parse(text: str) -> Address:
    parts = text.split("/") if len(text) <= _LONGEST else []
    if parts[1:2] == [ONION] and len(parts) > 2:
        name, _, onion_port = parts[2].partition(":")
        parts[2:3] = [name, "tcp", onion_port]  # from here on as any other
    if len(parts) not in (5, 7) or parts[0] or parts[3] != "tcp" or parts[5:6] not in ([], ["p2p"]):
        raise _not_an(text, f"expected {_EXAMPLE}")
    kind, port = parts[1], parts[4]
    host = _usual_host(kind, parts[2])
    if host is None:
        raise _not_an(text, f"{parts[2]} is not a host for {kind}")
    if not _PORT.fullmatch(port) or int(port) >= 2**16:
        raise _not_an(text, f"{port} is not a port")
    if len(parts) == 5:
        return Address(kind, host, int(port))
    _check_peer(text, parts[6])
    return Address(kind, host, int(port), parts[6])


def _not_an(text: str, why: str) -> NetworkError:
    return NetworkError(f"not an address: {text} ({why})")


def _no_peer(text: str) -> NetworkError:
    return NetworkError(f"not a peer's address: {text} (it must end in /p2p/ and the peer ID)")


def _check_peer(text: str, peer: str) -> None:
    try:
        public_key_of(peer)
    except NetworkError:
        if peer.startswith(("Qm", "16Uiu2")):
            raise _not_an(text, f"{peer} is of another kind: peer IDs here begin with 12D3Koo") from None
        raise _not_an(text, f"{peer} is not a peer ID: copy it whole") from None


def _usual_host(kind: str, host: str) -> str | None:
    """The host in its one form; None if it is no host of that kind."""
    if kind in ("dns", "dns4", "dns6"):
        name = host.lower().removesuffix(".")
        return name if name.isascii() and _NAME.fullmatch(name) else None
    if kind == ONION:
        is_one = _ONION.fullmatch(host) is not None and _is_onion(base64.b32decode(host.upper()))
        return host if is_one else None
    try:
        if kind == "ip4":
            return str(ipaddress.IPv4Address(host))
        if kind == "ip6" and "%" not in host:
            ip = ipaddress.IPv6Address(host)
            return None if ip in _MAPPED else _ip6_text(ip)
    except ValueError:
        pass
    return None


def _ip6_text(ip: ipaddress.IPv6Address) -> str:
    """The address as RFC 5952 §4 says: lower case, no leading zeros, the first longest run of
    two or more zeros as "::". Not the mixed form of its §5, because the library writes that
    in some versions and not in others.
    """
    groups = [f"{int.from_bytes(ip.packed[i : i + 2], 'big'):x}" for i in range(0, 16, 2)]
    runs = [(_run(groups, start), -start) for start in range(8)]
    length, start = max(runs)
    if length < 2:
        return ":".join(groups)
    return ":".join(groups[:-start]) + "::" + ":".join(groups[-start + length :])


def _run(groups: list[str], start: int) -> int:
    """How many zeros follow one another from `start` on."""
    end = start
    while end < len(groups) and groups[end] == "0":
        end += 1
    return end - start


def _is_onion(raw: bytes) -> bool:
    """Whether it is a key of 32 bytes, two bytes of checksum and the version. So the user learns of a typing
    error before Tor searches for the address.
    """
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    return version == b"\3" and checksum == hashlib.sha3_256(b".onion checksum" + key + version).digest()[:2]
