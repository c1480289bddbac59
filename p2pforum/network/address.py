"""Addresses as text: /ip4/192.0.2.1/tcp/4001/p2p/PEER, and the same with ip6, dns, dns4, dns6; and
/onion3/NAME:4001/p2p/PEER, the name without its ".onion".

A small part of multiaddr, checked strictly: what is not understood is refused, never guessed.
Does not look names up.
"""

import base64
import hashlib
import ipaddress
import re
from dataclasses import dataclass

from p2pforum.core.errors import NetworkError

ONION = "onion3"
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_ONION = re.compile(r"[a-z2-7]{56}")
_PEER = re.compile(r"[1-9A-HJ-NP-Za-km-z]{40,64}")  # base58: Qm… (a hash) or 12D3Koo… (an Ed25519 key)
_EXAMPLE = "/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…"


@dataclass(frozen=True, slots=True)
class Address:
    """`peer` is None in an address to listen on."""

    kind: str
    host: str
    port: int
    peer: str | None = None

    def __str__(self) -> str:
        peer = "" if self.peer is None else f"/p2p/{self.peer}"
        between = ":" if self.kind == ONION else "/tcp/"
        return f"/{self.kind}/{self.host}{between}{self.port}{peer}"


def parse_address(text: str) -> Address:
    """Raises NetworkError with a text that says what was expected."""
    parts = text.split("/")
    if parts[1:2] == [ONION] and len(parts) > 2:
        host, _, port = parts[2].partition(":")
        parts[2:3] = [host, "tcp", port]  # from here on as any other
    if len(parts) not in (5, 7) or parts[0] or parts[3] != "tcp" or parts[5:6] not in ([], ["p2p"]):
        raise NetworkError(f"not an address: {text} (expected {_EXAMPLE})")
    kind, host, port = parts[1], parts[2], parts[4]
    if not _is_host(kind, host):
        raise NetworkError(f"not an address: {text} ({host} is not a host for {kind})")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 2**16):
        raise NetworkError(f"not an address: {text} ({port} is not a port)")
    peer = parts[6] if len(parts) == 7 else None
    if peer is not None and not _PEER.fullmatch(peer):
        raise NetworkError(f"not an address: {text} ({peer} is not a peer ID)")
    return Address(kind, host, int(port), peer)


def _is_host(kind: str, host: str) -> bool:
    if kind in ("dns", "dns4", "dns6"):
        return _NAME.fullmatch(host) is not None
    if kind == ONION:
        return _ONION.fullmatch(host) is not None and _is_onion(base64.b32decode(host.upper()))
    try:
        return (kind == "ip4" and bool(ipaddress.IPv4Address(host))) or (
            kind == "ip6" and "%" not in host and bool(ipaddress.IPv6Address(host))
        )
    except ValueError:
        return False


def _is_onion(raw: bytes) -> bool:
    """A key, two bytes of checksum and the version: a slip of the pen is told before Tor searches for it."""
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    return version == b"\3" and checksum == hashlib.sha3_256(b".onion checksum" + key + version).digest()[:2]


def socket_address(host: str, port: int, peer: str | None = None) -> Address:
    """Of what the socket module says: an IP address and a port."""
    return Address("ip6" if ":" in host else "ip4", host.split("%")[0], port, peer)
