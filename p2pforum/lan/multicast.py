"""Multicast DNS by python-zeroconf: opening, closing and asking block for a second or two.

All of this runs in threads: the library's own, and one of the caller's to open and close it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import ifaddr
from zeroconf import (  # type: ignore[attr-defined]
    DNSIncoming,
    DNSPointer,
    Error,
    IPVersion,
    ServiceBrowser,
    ServiceInfo,
    ServiceListener,
    Zeroconf,
)

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.lan.addresses import Interface, LanNode, is_near
from p2pforum.lan.names_per_machine import NamesPerMachine

log = logging.getLogger(__name__)
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # its warnings quote packets, and so addresses

_PEER = "id"  # the one key in TXT


def interfaces() -> list[Interface]:
    """All IPv4 addresses of this machine."""
    found = [(ip.ip, ip.network_prefix) for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return sorted((Interface(ip, bits) for ip, bits in found if isinstance(ip, str)), key=lambda i: i.ip)


class Multicast(ServiceListener):
    """Announces and listens from construction until `close`.

    `kind` is the service type, `offers` are announced, `near` are the interfaces to use. `names` draws random
    names. `found` is called for each node seen, in a thread of the library. Raises NetworkError.
    """

    def __init__(
        self,
        kind: str,
        nodes: Sequence[LanNode],
        near: Sequence[Interface],
        names: Callable[[], str],
        found: Callable[[LanNode], None],
    ) -> None:
        self._found = found
        self._own = [_info(kind, node, names(), names()) for node in nodes]
        try:
            self._zeroconf = Zeroconf(
                interfaces=[i.ip for i in near], ip_version=IPVersion.V4Only, use_asyncio=False
            )
        except OSError as error:
            raise NetworkError(f"no multicast in the local network: {error.strerror}") from error
        try:
            _hear_only(self._zeroconf, near, kind)
            for info in self._own:
                self._zeroconf.register_service(info)
            self._browser = ServiceBrowser(self._zeroconf, kind, listener=self)
        except NetworkError:
            self._zeroconf.close()
            raise
        except (Error, OSError) as error:
            self._zeroconf.close()
            raise NetworkError(f"this node can't announce itself in the local network: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Withdraw the names, so that other nodes forget them at once."""
        self._browser.cancel()
        self._zeroconf.close()

    # -- what the library calls ----------------------------------------------------------------------

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Resolve a new name and report the node behind it.

        Each new name costs a question and up to a second, so a machine may announce only a few (`_Near`).
        """
        if name in {info.name for info in self._own}:
            return
        try:
            info = zc.get_service_info(type_, name, timeout=limits.LAN_ANSWER_MS)
            if info is not None and (node := _node(info)) is not None:
                self._found(node)
        except Error:
            log.debug("a machine in the local network sent a malformed answer")
        except Exception:
            log.exception("a fault in the search of the local network")

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Does nothing, because a node does not move while it uses one name."""

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Does nothing: if there was a connection to the node, its end shows that the node is gone."""


class _Near:
    """A filter in front of the library, as RFC 6762 §11 asks for.

    The library listens on all interfaces of a machine and answers every sender, even one on the internet, and
    even with private addresses. The filter drops packets from outside the local network.

    The library also resolves every name that it hears, one after another. So the filter ignores a machine
    that has announced too many.
    """

    def __init__(self, listener: Any, near: Sequence[Interface], kind: str, shares: NamesPerMachine) -> None:
        self._listener = listener
        self._near = near
        self._kind = kind
        self._shares = shares

    def error_received(self, exc: Exception) -> None:
        self._listener.error_received(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.connection_lost(exc)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not is_near(addr[0], self._near):
            return
        if self._shares.takes(addr[0], _names(data, self._kind), time.monotonic()):
            self._listener.datagram_received(data, addr)


def _names(data: bytes, kind: str) -> set[str]:
    """Names of nodes that a response announces. The names in a question are already known to its sender, and
    announce nothing."""
    message = DNSIncoming(data)
    if not message.valid or not message.is_response():
        return set()
    pointers = (answer for answer in message.answers() if isinstance(answer, DNSPointer))
    return {pointer.alias.lower() for pointer in pointers if pointer.name.lower() == kind.lower()}


def _hear_only(zeroconf: Zeroconf, near: Sequence[Interface], kind: str) -> None:
    """Install the filter before anything is announced. Raises NetworkError if a newer library has no such
    hook."""
    shares = NamesPerMachine()
    try:
        for reader in zeroconf.engine.readers:
            door: Any = _Near(reader.transport.get_protocol(), near, kind, shares)
            reader.transport.set_protocol(door)
    except AttributeError as error:
        raise NetworkError(
            "this version of python-zeroconf would answer machines outside the local network"
        ) from error


def _info(kind: str, node: LanNode, name: str, host: str) -> ServiceInfo:
    return ServiceInfo(
        kind,
        f"{name}.{kind}",
        port=node.port,
        properties={_PEER: node.peer},
        server=f"{host}.local.",  # never the name of this machine
        parsed_addresses=list(node.ips),
    )


def _node(info: ServiceInfo) -> LanNode | None:
    peer = info.properties.get(_PEER.encode())
    if peer is None or info.port is None:
        return None
    return LanNode(peer.decode(errors="replace"), info.port, tuple(info.parsed_addresses(IPVersion.V4Only)))
