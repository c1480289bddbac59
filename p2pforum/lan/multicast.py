"""Multicast DNS by python-zeroconf: opening, closing and asking block for a second or two.

Everything here runs in threads: the library's own, and one of the caller's to open and close it.
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
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # its warnings quote packets: who is where

_PEER = "id"  # the one key in TXT


def interfaces() -> list[Interface]:
    """All IPv4 addresses of this machine."""
    found = [(ip.ip, ip.network_prefix) for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return sorted((Interface(ip, bits) for ip, bits in found if isinstance(ip, str)), key=lambda i: i.ip)


class Multicast(ServiceListener):
    """Open from construction to `close`. `found` is called in a thread of its own, for each node seen.

    `names` draws names. Raises NetworkError.
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
            raise NetworkError(f"the local network can't be told of this node: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes the names back: others forget them at once."""
        self._browser.cancel()
        self._zeroconf.close()

    # -- what the library calls ----------------------------------------------------------------------

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Each new name costs a question and up to a second: so each machine may tell a few (`_Near`)."""
        if name in {info.name for info in self._own}:
            return
        try:
            info = zc.get_service_info(type_, name, timeout=limits.LAN_ANSWER_MS)
            if info is not None and (node := _node(info)) is not None:
                self._found(node)
        except Error:
            log.debug("something in the local network answers in a way that is none")
        except Exception:
            log.exception("a fault in the search of the local network")

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Nodes do not move while they have one name."""

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """The connection tells that, if there was one."""


class _Near:
    """In front of the library, which listens on all interfaces of a machine and answers whoever asks its
    port: strangers from the internet too, and with private addresses. RFC 6762 §11 wants what this does.

    It looks at each name that it hears of, one after another: here a machine that has told too many is
    not heard.
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
    """Of nodes that a packet tells of. A question names those that are known already; that tells nothing."""
    message = DNSIncoming(data)
    if not message.valid or not message.is_response():
        return set()
    pointers = (answer for answer in message.answers() if isinstance(answer, DNSPointer))
    return {pointer.alias.lower() for pointer in pointers if pointer.name.lower() == kind.lower()}


def _hear_only(zeroconf: Zeroconf, near: Sequence[Interface], kind: str) -> None:
    """Before anything is told. Raises NetworkError if the library has no such door any more."""
    shares = NamesPerMachine()
    try:
        for reader in zeroconf.engine.readers:
            door: Any = _Near(reader.transport.get_protocol(), near, kind, shares)
            reader.transport.set_protocol(door)
    except AttributeError as error:
        raise NetworkError(
            "this version of python-zeroconf can't be kept from answering strangers"
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
