"""A port of the router, forwarded to this node, by UPnP (miniupnpc). Only if the user asked for it.

The library blocks until the router answers, so its calls run in a thread. A mapping has a lease: if the node
is killed, the router forgets the mapping within an hour.
"""

import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError

log = logging.getLogger(__name__)

_NAME = "p2pforum"  # the same for all nodes: routers show it to every user of their web page
_ONLY_PERMANENT = "OnlyPermanentLeasesSupported"


@dataclass(frozen=True, slots=True)
class Mapping:
    """`host` is the router's public address, `inside` this machine's address behind it."""

    host: str
    inside: str
    port: int


@asynccontextmanager
async def open_port(port: int) -> AsyncIterator[Mapping]:
    """Make the router forward its TCP `port` to this machine, for as long as the block lasts.

    Raises NetworkError, with a text for a person, if there is no such router, if it refuses, or if it has no
    public address itself.
    """
    router = await trio.to_thread.run_sync(_find_router)
    mapping = await trio.to_thread.run_sync(_map, router, port)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_renew, router, mapping)
        try:
            yield mapping
        finally:
            nursery.cancel_scope.cancel()
            with trio.move_on_after(limits.ROUTER_SECONDS, shield=True):
                await trio.to_thread.run_sync(_unmap, router, port, abandon_on_cancel=True)


async def _renew(router: Any, mapping: Mapping) -> None:
    while True:
        await trio.sleep(limits.MAPPING_SECONDS / 3)
        try:
            again = await trio.to_thread.run_sync(_map, router, mapping.port)
        except NetworkError as error:
            log.warning("the router no longer forwards the port: %s", error)
            continue
        if again != mapping:
            log.warning("the router has another address now: restart the node to tell others")


def _find_router() -> Any:
    import miniupnpc

    router = miniupnpc.UPnP()
    router.discoverdelay = limits.ROUTER_SECONDS * 1_000  # milliseconds
    try:
        if not router.discover():
            raise NetworkError("no router here answers UPnP")
        router.selectigd()
    except Exception as error:  # the library raises a bare Exception
        raise NetworkError(f"no router here opens a port: {error}") from error
    return router


def _map(router: Any, port: int) -> Mapping:
    try:
        host = str(router.externalipaddress())
    except Exception as error:
        raise NetworkError(f"the router does not say its address: {error}") from error
    if not _is_public(host):
        raise NetworkError(f"the router itself has no public address, but {host or 'none'}")
    for seconds in (limits.MAPPING_SECONDS, 0):
        try:
            router.addportmapping(port, "TCP", router.lanaddr, port, _NAME, "", seconds)
            return Mapping(host, str(router.lanaddr), port)
        except Exception as error:
            if _ONLY_PERMANENT not in str(error):
                raise NetworkError(f"the router refuses to forward port {port}: {error}") from error
    raise NetworkError(f"the router refuses to forward port {port}")


def _unmap(router: Any, port: int) -> None:
    try:
        router.deleteportmapping(port, "TCP")
    except Exception as error:
        log.warning("the router may go on forwarding port %d: %s", port, error)


def _is_public(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_global
    except ValueError:
        return False
