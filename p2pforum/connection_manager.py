"""How this node finds peers and keeps them connected: wires the services that do it, and reports on them.

This file reads the address book from the store and writes it there; peers/ decides what is in it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from random import Random

import trio

from p2pforum.config import Config
from p2pforum.core.errors import Ambiguous, NotFound
from p2pforum.exchange.record import PeerRecord, number_of
from p2pforum.exchange.service import ExchangeService
from p2pforum.lan.service import LanService
from p2pforum.network.interface import Network, PeerID
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book
from p2pforum.peers.guard_keeper import GuardNeeds
from p2pforum.peers.service import PeerService, Stage
from p2pforum.peers.tables import Changes
from p2pforum.store.peer_book import load_book, save_book
from p2pforum.store.posts import Store
from p2pforum.sync.terms import KnownPeers


class StoredBook:
    """The address book with the store that keeps it: the exchange's PeerRecords."""

    def __init__(
        self, config: Config, store: Store, mine: PeerID, rng: Random, hour: Callable[[], int]
    ) -> None:
        """`mine`: this node's peer ID. `hour` returns the hour since 1970. Reads the book: raises
        StoreError."""
        self._store = store
        self.hour = hour
        secret, rows = load_book(store, behind_proxy=config.socks is not None)
        policy = AddressPolicy(private=config.private, lan=config.lan, onion=config.socks is not None)
        self.book = Book(secret, rng, policy, mine=mine, number=number_of)
        self.book.restore(rows)

    def learn(self, record: PeerRecord, group: str) -> None:
        for address in record.dialled:
            self.book.learn(address, group, self.hour(), record.raw)

    def records(self) -> Sequence[bytes]:
        return self.book.records(self.hour())

    def found(self, address: str) -> bool:
        """An address was found in the local network. False if the book knew it or does not keep it."""
        return self.book.learn(address, "", self.hour(), local=True)

    async def save(self, changes: Changes) -> None:
        """Write changed rows. Raises StoreError."""
        await trio.to_thread.run_sync(save_book, self._store, changes.rows, changes.gone)


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that is wanted and not connected. `error` may be empty."""

    address: str
    stage: Stage
    error: str
    is_named: bool


class ConnectionManager:
    """Peers of this node. `guards`: through these peers own posts are sent. `announced`: this node's own
    record, if the user chose to publish its addresses."""

    def __init__(
        self,
        config: Config,
        network: Network,
        rng: Random,
        stored: StoredBook,
        guards: GuardNeeds | None = None,
        announced: bytes | None = None,
    ) -> None:
        self._network = network
        self._guards = guards
        self._stored = stored
        self.book = stored.book
        self._peers = PeerService(network, rng, self.book, stored.hour, guards, stored.save)
        self.name(config.peers)
        params = config.params
        self._exchange = ExchangeService(network, params, rng, stored, announced) if config.exchange else None
        self._lan = LanService(network, params, rng, self._found) if config.lan else None

    def known_peers(self) -> KnownPeers:
        """Trusted peers (named ones, anchors, guards), and a wider set: these and all peers that answered
        this node once."""

        def trusted() -> set[str]:
            return {
                *(named.peer for named in self._peers.named()),
                *(entry.peer for entry in self.book if entry.is_anchor),
                *(self._guards.taken()[0] if self._guards else ()),
            }

        return KnownPeers(trusted, lambda: trusted() | {entry.peer for entry in self.book if entry.is_tried})

    def name(self, addresses: Iterable[str]) -> None:
        """Keep connected to these peers always. The address book decides on all others."""
        self._peers.name(addresses)

    async def run(self) -> None:
        """Run all services, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._peers.run)
            for service in (self._exchange, self._lan):
                if service is not None:
                    nursery.start_soon(service.run)

    def _found(self, address: str) -> None:
        if self._stored.found(address):
            self._peers.look()

    async def find(self, target: str) -> PeerID:
        """A peer by its address, which the node dials if need be, or by the beginning or end of its ID.

        Raises NotFound, Ambiguous or NetworkError.
        """
        if target.startswith("/"):
            return await self._network.dial(target)
        found = [
            c.peer
            for c in self._network.connections()
            if c.peer.startswith(target) or c.peer.endswith(target)
        ]
        if len(found) > 1:
            raise Ambiguous(f'several peers fit "{target}"', list(found))
        if not found:
            raise NotFound(f'no connected peer has an ID that begins or ends with "{target}"')
        return found[0]

    # -- for front ends ------------------------------------------------------------------------------------

    def is_named(self, peer: str) -> bool:
        return any(named.peer == peer for named in self._peers.named())

    def absent(self) -> list["Absent"]:
        """Wanted peers that are not connected: named ones, and addresses that the node is dialling just
        now."""
        named = [n for n in self._peers.named() if n.stage is not Stage.CONNECTED]
        rows = [Absent(n.address, n.stage, n.error, is_named=True) for n in named]
        return rows + [Absent(a, Stage.DIALLING, "", is_named=False) for a in self._peers.dialling()]

    def book_size(self) -> tuple[int, int]:
        """Sizes of the book's tables: new, tried."""
        return self.book.counts()

    def outbound(self) -> int:
        """Outbound connections, of those that are wanted."""
        return self._peers.outbound()

    def exchange(self) -> dict[str, int] | None:
        """Counts since the start, and how many records may be shared. None: the exchange is off."""
        if self._exchange is None:
            return None
        return {**asdict(self._exchange.counts), "records": len(self._exchange.known())}

    @property
    def lan(self) -> LanService | None:
        """What finds nodes in the local network. None: the search is off."""
        return self._lan
