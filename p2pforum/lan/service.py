"""Looks for nodes in the local network and announces this one there: the only file here that awaits.

It dials nobody: the addresses that it finds go to the address book.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.core.network_params import NetworkParams
from p2pforum.lan.addresses import Interface, LanNode, accepted, advertised, usable
from p2pforum.lan.names import random_name, service_type
from p2pforum.network.interface import Network

if TYPE_CHECKING:
    from p2pforum.lan.multicast import Multicast

log = logging.getLogger(__name__)


class LanService:
    """`rng` draws names: new ones at every start, and in every network that this machine comes to. `found` is
    called with the address of each node that is seen."""

    def __init__(
        self, network: Network, params: NetworkParams, rng: Random, found: Callable[[str], None]
    ) -> None:
        self._network = network
        self._kind = service_type(params.name)
        self._rng = rng
        self._found = found
        self.told = 0  #: addresses that are announced now
        self.found = 0  #: addresses found since the start, known ones included

    async def run(self) -> None:
        """Take part until cancelled; then the names are withdrawn. A failure is logged, and the node tries
        again later."""
        complaint = ""
        while True:
            try:
                near = await self._usable()
                if not near:
                    raise NetworkError("this node listens at no address of a private network")
                await self._take_part(near)
                complaint = ""
            except NetworkError as error:
                if str(error) != complaint:  # once, not every minute
                    log.warning("can't look for nodes in the local network: %s", error)
                complaint = str(error)
                await trio.sleep(limits.LAN_LOOK_SECONDS)
            except Exception:  # a fault of this program or of the library: the node goes on without
                log.exception("a fault in the search of the local network")
                await trio.sleep(limits.LAN_LOOK_SECONDS)

    async def _usable(self) -> list[Interface]:
        def look() -> list[Interface]:
            from p2pforum.lan.multicast import interfaces  # slow, as it loads the library: in a thread

            return interfaces()

        return usable(self._network.addresses, await trio.to_thread.run_sync(look))

    async def _take_part(self, near: Sequence[Interface]) -> None:
        """Announce and listen until this machine is in another network. Raises NetworkError."""
        nodes = advertised(self._network.addresses, near)
        token = trio.lowlevel.current_trio_token()

        def found(node: LanNode) -> None:  # in a thread
            token.run_sync_soon(self._take, node, near)

        multicast = await trio.to_thread.run_sync(partial(self._open, nodes, near, found))
        self.told = sum(len(node.ips) for node in nodes)
        try:
            while True:
                await trio.sleep(limits.LAN_LOOK_SECONDS)
                if await self._usable() != near:
                    return
        finally:
            self.told = 0
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(multicast.close)

    def _open(
        self, nodes: Sequence[LanNode], near: Sequence[Interface], found: Callable[[LanNode], None]
    ) -> "Multicast":
        from p2pforum.lan.multicast import Multicast

        names = partial(random_name, self._rng)
        return Multicast(self._kind, nodes, near, names, found)

    def _take(self, node: LanNode, near: Sequence[Interface]) -> None:
        """Pass on what was found. Never raises, because an exception here would end trio's event loop, and
        the node."""
        if node.peer == self._network.peer_id:
            return
        try:
            for address in accepted(node, near):
                self.found += 1
                self._found(address)
        except Exception:
            log.exception("a fault with what was found in the local network")
