"""Nodes that exchange addresses, on a memory network under a virtual clock."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import trio
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from strategies import TEST_NETWORK

from p2pforum.core.errors import NetworkError
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.peer_id import public_key_of
from p2pforum.exchange.record import PeerRecord, make
from p2pforum.exchange.service import DEFAULT_PACE, ExchangeService
from p2pforum.exchange.wire import ASK_SIZE, encode_frame
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork

ANNOUNCED = "/ip4/203.0.113.7/tcp/4001"
PROTOCOL = TEST_NETWORK.peers_protocol


def a_record(
    key: int, *addresses: str, sequence: int = 1, params: NetworkParams = TEST_NETWORK
) -> PeerRecord:
    public, secret = crypto_sign_seed_keypair(key.to_bytes(32, "big"))

    def sign(message: bytes) -> bytes:
        return crypto_sign(message, secret)[:64]

    return make(addresses or [f"/ip4/198.51.100.{key % 256}/tcp/4001"], sequence, public, sign, params)


class Watched:
    """Writes down what is dialled."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.dialled: list[str] = []

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        self.dialled.append(address)
        return await self._network.dial(address, timeout=timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


def own_of(network: Network, *addresses: str) -> bytes:
    key = public_key_of(network.peer_id)
    return make(addresses or [ANNOUNCED], 1, key, network.sign, TEST_NETWORK).raw


RECORDS = [a_record(key).raw for key in range(1, 101)]
NOTHING = encode_frame([], ASK_SIZE)
FIRST = DEFAULT_PACE.first[1] + 1  # seconds after which every peer has been asked


class Records:
    """PeerRecords that does `learn` with what is heard, and tells `known`."""

    def __init__(self, learn: Callable[[PeerRecord, str], None], known: Sequence[bytes] = ()) -> None:
        self._learn = learn
        self._known = known

    def learn(self, record: PeerRecord, group: str) -> None:
        self._learn(record, group)

    def records(self) -> Sequence[bytes]:
        return self._known


@dataclass(eq=False)
class ExchangeNode:
    network: Network
    own: bytes | None
    known: list[bytes]  # what its book would tell
    service: ExchangeService = field(init=False)
    heard: list[tuple[PeerRecord, str]] = field(default_factory=list)

    @property
    def peers(self) -> set[str]:
        return {str(c.peer) for c in self.network.connections()}

    @property
    def heard_peers(self) -> set[str]:
        return {record.peer for record, _ in self.heard}


@asynccontextmanager
async def an_exchange_node(
    hub: MemoryHub,
    name: str,
    *,
    announces: bool = False,
    known: Sequence[bytes] = (),
    at: str | None = None,
) -> AsyncIterator[ExchangeNode]:
    async with hub.network(name, at=at, keyed=True) as network, trio.open_nursery() as nursery:
        own = own_of(network) if announces else None
        node = ExchangeNode(network, own, list(known))
        book = Records(lambda *news: node.heard.append(news), node.known)
        node.service = ExchangeService(network, TEST_NETWORK, Random(name), book, own)
        nursery.start_soon(node.service.run)
        yield node
        nursery.cancel_scope.cancel()


async def ask(network: Network, peer: str, frame: bytes) -> bytes | None:
    """A stranger's ask. None: the stream broke or was refused."""
    answer = bytearray()
    with contextlib.suppress(NetworkError, trio.BrokenResourceError, trio.ClosedResourceError):
        async with await network.open_stream(PeerID(peer), PROTOCOL) as stream:
            await stream.send_all(frame)
            await stream.send_eof()
            async for part in stream:
                answer += part
        return bytes(answer)
    return None


async def start(stack: AsyncExitStack, hub: MemoryHub, names: str, **options: Any) -> list[ExchangeNode]:
    return [await stack.enter_async_context(an_exchange_node(hub, name, **options)) for name in names.split()]
