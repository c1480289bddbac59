"""A town of nodes in a network namespace of its own, where every address of 20.0.0.0/8 is this machine's.

    unshare --net python e2e_crowd.py KIND      prints what came of it, as JSON

Hosts, each in a /16 of its own, tell each other's records over the exchange, and answer whoever dials. Some
are one party's: each of these has many peer IDs, and each of them many ports. None is a node of ours: they
speak the exchange by hand. The nodes in the middle are ours: peers, book and exchange, as ConnectionManager
joins them. KIND is `plain`, or `by_record` for the control: a book in which every record counts.
"""

import functools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import trio

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2]))

from strategies import HOUR, TEST_NETWORK

from p2pforum.core import limits
from p2pforum.core.peer_id import public_key_of
from p2pforum.exchange.record import PeerRecord, make
from p2pforum.exchange.service import AskIntervals, ExchangeService
from p2pforum.exchange.wire import ANSWER_SIZE, encode_frame
from p2pforum.network.interface import PeerID
from p2pforum.network.libp2p_network import Libp2pNetwork, open_libp2p_network
from p2pforum.peers import service
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book
from p2pforum.peers.service import PeerService
from simulation.address_book import ByRecord

HONEST, SPIES = 25, 5  # hosts
NAMES, PORTS = 3, 4  # peer IDs of a spying host, and ports of each
NODES, STARTS = 3, 5
DIALS = 100  # of a node, then it has tried enough
MEET_SECONDS = 20  # ten times as long as it takes
QUICK = AskIntervals(first=(0.1, 0.3), again=(1.0, 1.0))


@dataclass(eq=False)
class Raw:
    """One peer ID. A spy tells of spies alone."""

    network: Libp2pNetwork
    told: list[bytes] = field(default_factory=list)

    @property
    def record(self) -> bytes:
        key = public_key_of(self.network.peer_id)
        places = [address.rpartition("/p2p/")[0] for address in self.network.addresses]
        return make(places, 1, key, self.network.sign, TEST_NETWORK).raw

    async def answer(self, _peer: PeerID, stream: trio.abc.Stream) -> None:
        await stream.send_all(encode_frame(self.told, ANSWER_SIZE))


def places_of(host: int, name: int, ports: int) -> list[str]:
    return [f"/ip4/20.{host}.1.1/tcp/{4001 + ports * name + port}" for port in range(ports)]


@asynccontextmanager
async def a_crowd() -> AsyncIterator[tuple[list[Raw], list[Raw]]]:
    """Honest ones, and spies."""
    async with AsyncExitStack() as stack:

        async def start(host: int, name: int, ports: int) -> Raw:
            places = places_of(host, name, ports)
            raw = Raw(await stack.enter_async_context(open_libp2p_network(places)))
            raw.network.set_handler(TEST_NETWORK.peers_protocol, raw.answer)
            return raw

        spies = [await start(host, name, PORTS) for host in range(SPIES) for name in range(NAMES)]
        honest = [await start(SPIES + host, 0, 1) for host in range(HONEST)]
        rng, theirs = Random(1), [spy.record for spy in spies]
        everything = theirs + [raw.record for raw in honest]
        for raw in honest:
            raw.told = rng.sample(everything, limits.PEERS_TOLD)
        for spy in spies:
            spy.told = theirs
        yield honest, spies


class Node:
    """Ours. `dials` counts whom it tried."""

    def __init__(self, number: int, kind: str, network: Libp2pNetwork) -> None:
        self.rng = Random(number)
        book = {"plain": Book, "by_record": ByRecord}[kind]
        self.book = book(bytes([number]) * 32, self.rng, AddressPolicy(), mine=network.peer_id)
        self.network = network
        self.dials = 0
        self.exchange = ExchangeService(network, TEST_NETWORK, self.rng, self, pace=QUICK)

    async def dial(self, address: str) -> PeerID:
        self.dials += 1
        return await self.network.dial(address)

    def __getattr__(self, name: str) -> object:
        return getattr(self.network, name)

    def learn(self, record: PeerRecord, group: str) -> None:
        for address in record.dialled:
            self.book.learn(address, group, HOUR, record.raw)

    def records(self) -> list[bytes]:
        return self.book.records(HOUR)

    async def meet(self) -> None:
        """Ask, and try what it hears of: all, or enough of it. What failed a moment ago is not tried
        again soon, so it may be that nothing is left to try."""
        limits.FEELER_SECONDS = 0.02
        async with trio.open_nursery() as nursery:
            peers = PeerService(self, self.rng, self.book, lambda: HOUR)
            nursery.start_soon(self.exchange.run)
            nursery.start_soon(peers.run)
            with trio.move_on_after(MEET_SECONDS):
                while not self._has_met_all():
                    await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
        await self._leave()

    def _has_met_all(self) -> bool:
        hosts = {entry.address.split("/")[2] for entry in self.book}
        return len(hosts) == SPIES + HONEST and (not self.book.counts()[0] or self.dials >= DIALS)

    async def start_again(self) -> list[str]:
        """The addresses to which it is connected then: drawn anew, as anchors would make this slow."""
        limits.FEELER_SECONDS = 3_600
        self.book.anchors = []
        async with trio.open_nursery() as nursery:
            peers = PeerService(self, self.rng, self.book, lambda: HOUR)
            nursery.start_soon(peers.run)
            with trio.fail_after(MEET_SECONDS):
                while peers.outbound() < limits.OUTBOUND_WANTED:
                    await trio.sleep(0.02)
            found = [connection.address for connection in self.network.connections()]
            nursery.cancel_scope.cancel()
        await self._leave()
        return found

    async def _leave(self) -> None:
        for connection in self.network.connections():
            with suppress(Exception):
                await self.network.disconnect(connection.peer)


def of_spies(addresses: Sequence[str]) -> int:
    return sum(int(address.split(".")[1]) < SPIES for address in addresses)


async def crowd(kind: str) -> dict[str, object]:
    service._PAUSE = (0.0, 0.01)
    async with a_crowd() as (honest, spies), AsyncExitStack() as stack:
        nodes = []
        for number in range(NODES):
            nodes.append(Node(number, kind, await stack.enter_async_context(open_libp2p_network())))
            for raw in [*honest[:3], spies[0]]:
                nodes[-1].book.learn(raw.network.addresses[0], "", HOUR)
        async with trio.open_nursery() as nursery:
            for node in nodes:
                nursery.start_soon(node.meet)
        entries = [[entry.address for entry in node.book] for node in nodes]
        connected = [await node.start_again() for node in nodes for _ in range(STARTS)]
        return {
            "entries": [(len(each), of_spies(each)) for each in entries],
            "connections": sum(map(len, connected)),
            "spying": sum(map(of_spies, connected)),
            "dials": [node.dials for node in nodes],
        }


if __name__ == "__main__":
    for command in ("ip link set lo up", "ip route add local 20.0.0.0/8 dev lo"):
        subprocess.run(command.split(), check=True)
    print(json.dumps(trio.run(functools.partial(crowd, sys.argv[1]))))
