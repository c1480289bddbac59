"""How this node finds and keeps peers: joins what does it, and says what came of it.

The address book is read here and written here, through the store; peers/ decides what is in it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import trio

from p2pforum.config import Config
from p2pforum.core import limits
from p2pforum.network.interface import Network
from p2pforum.peers.book import Book, Reach
from p2pforum.peers.service import Outside, PeerService, Stage
from p2pforum.peers.tables import Changes
from p2pforum.store.peer_book import load_book, save_book
from p2pforum.store.posts import Store


@dataclass(frozen=True, slots=True)
class Opinions:
    """What the rest of the node knows of peers. `hour` is that since 1970."""

    hour: Callable[[], int]
    guards: Callable[[], Sequence[str]]  #: peers through whom own posts go
    unwelcome: Callable[[str], bool]  #: banned for a while


class Neighbours:
    """Reads the address book when made. Raises StoreError."""

    def __init__(
        self, config: Config, store: Store, network: Network, rng: Random, opinions: Opinions
    ) -> None:
        self._store = store
        secret, rows = load_book(store)
        reach = Reach(private=config.private, lan=config.lan)
        self.book = Book(secret, rng, reach, mine=network.peer_id)
        self.book.restore(rows)
        outside = Outside(opinions.hour, opinions.guards, opinions.unwelcome, self._save)
        self._peers = PeerService(network, rng, self.book, outside)
        self.name(config.peers)

    def name(self, addresses: Iterable[str]) -> None:
        """Keep in touch with these always; with others as the address book has them."""
        self._peers.name(addresses)

    async def run(self) -> None:
        """All that goes on, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._peers.run)

    async def _save(self, changes: Changes) -> None:
        await trio.to_thread.run_sync(save_book, self._store, changes.rows, changes.gone)

    # -- for front ends ------------------------------------------------------------------------------------

    def is_named(self, peer: str) -> bool:
        return any(named.peer == peer for named in self._peers.named())

    def absent(self) -> list[dict[str, Any]]:
        """Peers that are not connected, but are wanted: named ones, and who is being dialled just now."""
        named = [n for n in self._peers.named() if n.stage is not Stage.CONNECTED]
        rows = [(n.address, n.stage, n.error, True) for n in named]
        rows += [(address, Stage.DIALLING, "", False) for address in self._peers.dialling()]
        return [
            {
                "peer": None,
                "direction": "outbound",
                "address": address,
                "stage": stage.value,
                "error": error,
                "named": is_named,
            }
            for address, stage, error, is_named in rows
        ]

    def counts(self) -> dict[str, int]:
        """Addresses in the book, and outbound connections."""
        new, tried = self.book.counts()
        return {
            "new": new,
            "tried": tried,
            "outbound": self._peers.outbound(),
            "wanted": limits.OUTBOUND_WANTED,
        }
