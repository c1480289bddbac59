"""The SOCKS5 proxy that a node dials through, and what would go past it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from p2pforum.core.errors import ConfigError

_EXAMPLE = "socks5://127.0.0.1:9050"


@dataclass(frozen=True, slots=True)
class Proxy:
    """`host` is an IP address: the machine would have to look a name up before the proxy could be asked."""

    host: str
    port: int

    def __str__(self) -> str:
        return (
            f"socks5://[{self.host}]:{self.port}" if ":" in self.host else f"socks5://{self.host}:{self.port}"
        )


def parse_proxy(key: str, text: str) -> Proxy:
    """The proxy in a text such as socks5://127.0.0.1:9050. `key` is named in the error.
    Raises ConfigError.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(f'{key}: "{text}" is not a proxy such as {_EXAMPLE}') from None
    if parts.scheme != "socks5":
        raise ConfigError(f'{key}: "{text}" is not a proxy such as {_EXAMPLE}; the node speaks only SOCKS5')
    if "@" in parts.netloc:
        raise ConfigError(
            f"{key}: leave user and password out: the node draws new ones for each connection, "
            "so that Tor gives each connection its own circuit"
        )
    if not _is_ip(host):
        raise ConfigError(
            f'{key}: "{host}" is not an IP address, and your machine would look the name up; try {_EXAMPLE}'
        )
    if not port or parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(f'{key}: "{text}" must end with its port, as {_EXAMPLE}')
    return Proxy(host, port)


def check_proxy(key: str, value: Any) -> str:
    """The proxy as text; "" for none. Raises ConfigError."""
    if type(value) is not str:
        raise ConfigError(f'{key}: must be a text, as "{_EXAMPLE}"')
    return str(parse_proxy(key, value)) if value else ""


def check_nothing_bypasses(
    listen: Sequence[str], announce: Sequence[str], *, lan: bool, map_port: bool
) -> None:
    """What a node with a proxy must not do beside it, because each of these shows where the node is.

    Raises ConfigError; such a node does not start.
    """
    for address in listen:
        if not _is_loopback(address):
            raise ConfigError(
                f'listen: with a proxy a node listens on this machine only, as "/ip4/127.0.0.1/tcp/4001", '
                f"and not at {address}: let an onion service forward to it"
            )
    for address in announce:
        if not address.startswith("/onion3/"):
            raise ConfigError(f"announce: {address} says where this node is; with a proxy only /onion3/ may")
    if lan:
        raise ConfigError("lan: with a proxy it must be false: it shows this node to the local network")
    if map_port:
        raise ConfigError("map_port: with a proxy it must be false: the router's address is this node's")


def _is_ip(host: str) -> bool:
    try:
        return "%" not in host and bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    _, _, host, *_ = [*address.split("/"), "", ""]
    return _is_ip(host) and ipaddress.ip_address(host).is_loopback
