"""Keeps the named peers connected. Nothing a peer says makes this node dial an address."""

import enum
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

import trio

from p2pforum.core.errors import NetworkError
from p2pforum.network.interface import Network, PeerGone, PeerID
from p2pforum.peers.backoff import delay

log = logging.getLogger(__name__)


class Stage(enum.Enum):
    DIALLING = "dialling"
    CONNECTED = "connected"
    WAITING = "waiting"


@dataclass
class Named:
    """A peer the user named: `error` is the last failure, as a text for a person."""

    address: str
    stage: Stage = Stage.DIALLING
    error: str = ""
    failures: int = 0
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


class PeerService:
    """`rng` draws the jitter. Addresses may be named before and while `run` runs."""

    def __init__(self, network: Network, rng: Random) -> None:
        self._network = network
        self._rng = rng
        self._named: dict[str, Named] = {}
        self._nursery: trio.Nursery | None = None
        self._gone: dict[PeerID, trio.Event] = {}

    def named(self) -> list[Named]:
        return list(self._named.values())

    def name(self, addresses: Iterable[str]) -> None:
        """Keep in touch with exactly these from now on; connections that exist are left alone."""
        wanted = dict.fromkeys(addresses)
        for address in [a for a in self._named if a not in wanted]:
            self._named.pop(address).scope.cancel()
        for address in wanted:
            if address not in self._named:
                self._named[address] = Named(address)
                if self._nursery is not None:
                    self._nursery.start_soon(self._keep, self._named[address])

    async def run(self) -> None:
        """Dial and redial until cancelled."""
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._watch)
            for named in self._named.values():
                self._nursery.start_soon(self._keep, named)

    async def _watch(self) -> None:
        async for event in self._network.watch():
            if isinstance(event, PeerGone) and event.peer in self._gone:
                self._gone.pop(event.peer).set()

    async def _keep(self, named: Named) -> None:
        with named.scope:
            while True:
                named.stage = Stage.DIALLING
                try:
                    peer = await self._network.dial(named.address)
                except NetworkError as error:
                    named.failures += 1
                    named.error, named.stage = str(error), Stage.WAITING
                else:
                    named.failures, named.error, named.stage = 0, "", Stage.CONNECTED
                    await self._until_gone(peer)
                    named.stage = Stage.WAITING
                await trio.sleep(delay(max(1, named.failures), self._rng))

    async def _until_gone(self, peer: PeerID) -> None:
        gone = self._gone.setdefault(peer, trio.Event())
        if any(connection.peer == peer for connection in self._network.connections()):
            await gone.wait()
