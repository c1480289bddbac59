"""What nodes dial of what they are told, how a network finds itself, and what a node's config changes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
from exchange_nodes import Watched
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from strategies import HOUR, TEST_NETWORK
from trio.testing import MockClock

from p2pforum.config import Config, find_paths
from p2pforum.connection_manager import ConnectionManager, StoredBook
from p2pforum.core.address import Address, parse_address
from p2pforum.core.errors import ConfigError
from p2pforum.core.peer_id import public_key_of
from p2pforum.exchange.record import PeerRecord, decode, make
from p2pforum.exchange.wire import ANSWER_SIZE, encode_frame
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.node import open_node
from p2pforum.peers import service
from p2pforum.peers.book import Book
from p2pforum.peers.tables import Changes
from p2pforum.store.posts import open_store

HOURS = 3_600
NAME = TEST_NETWORK.name


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> MemoryHub:
    async def save(_self: StoredBook, _changes: Changes) -> None:
        """Not at all: in a thread, while the virtual clock runs on, it would be another clock's time."""
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(StoredBook, "save", save)
    monkeypatch.setattr(service, "_LOOK_SECONDS", 120)  # or most of the time goes into looking
    return MemoryHub(Random(1), (0.01, 0.1))


def place(number: int) -> str:
    """Public, each in a network of its own."""
    return f"/ip4/{20 + number}.1.1.1/tcp/4001"


@asynccontextmanager
async def neighbours_of(
    hub: MemoryHub, directory: Path, number: int, *peers: str, announces: bool = True, **config: Any
) -> AsyncIterator[tuple[Watched, ConnectionManager]]:
    """As in a node, under a virtual clock."""
    with open_store(directory / str(number), TEST_NETWORK) as store:
        async with (
            hub.network(f"n{number}", at=place(number), keyed=True) as network,
            trio.open_nursery() as nursery,
        ):
            watched: Any = Watched(network)
            own = own_record(network, place(number)) if announces else None
            settings = Config(network=NAME, peers=peers, **config)
            rng = Random(number)
            book = StoredBook(
                settings, store, network.peer_id, rng, lambda: HOUR + int(trio.current_time()) // 3600
            )
            neighbours = ConnectionManager(settings, watched, rng, book, announced=own)
            nursery.start_soon(neighbours.run)
            yield watched, neighbours
            nursery.cancel_scope.cancel()


def own_record(network: MemoryNetwork, *addresses: str) -> bytes:
    return make(addresses, 1, public_key_of(network.peer_id), network.sign, TEST_NETWORK).raw


def a_record(key: int, *addresses: str) -> PeerRecord:
    public, secret = crypto_sign_seed_keypair(key.to_bytes(32, "big"))
    return make(addresses, 1, public, lambda message: crypto_sign(message, secret)[:64], TEST_NETWORK)


# -- what is told ----------------------------------------------------------------------------------

TRAPS = [
    "/ip4/127.0.0.1/tcp/4001",
    "/ip4/10.0.0.1/tcp/4001",
    "/ip4/192.168.1.1/tcp/8080",
    "/ip4/169.254.169.254/tcp/80",
    "/ip4/100.64.0.1/tcp/4001",
    "/ip4/224.0.0.251/tcp/5353",
    "/ip4/8.8.8.8/tcp/22",
    "/ip4/8.8.8.8/tcp/25",
    "/ip6/::1/tcp/4001",
    "/ip6/fc00::1/tcp/4001",
    "/dns4/tracker.example/tcp/4001",
    "/dns/localhost/tcp/4001",
    "/later/8.8.4.4/udp/4001/quic-v1",
    "/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:4001",
]


async def _dials_of_hours(hub: MemoryHub, directory: Path) -> tuple[set[str], str, str]:
    """What a node dials that is told traps and one good address; and who told them, and the good one."""
    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(hub.network("good", at=place(101), keyed=True))
        liar = await stack.enter_async_context(hub.network("liar", at=place(102), keyed=True))
        told: list[bytes] = []

        async def answer(_peer: PeerID, stream: trio.abc.Stream) -> None:
            await stream.send_all(encode_frame(told, ANSWER_SIZE))

        liar.set_handler(TEST_NETWORK.peers_protocol, answer)
        node, neighbours = await stack.enter_async_context(
            neighbours_of(hub, directory, 1, liar.addresses[0])
        )
        traps = [a_record(key, trap).raw for key, trap in enumerate(TRAPS, 1)]
        told += [*traps, traps[0], own_record(node._network, place(1)), own_record(good, place(101))]
        await trio.sleep(2 * HOURS)
        assert (neighbours.exchange() or {})["learnt"] >= len(TRAPS), "it did hear"
        return set(node.dialled), liar.addresses[0], good.addresses[0]


async def test_no_peer_makes_a_node_dial_but_by_the_rules_of_the_book(
    autojump_clock: MockClock, hub: MemoryHub, tmp_path: Path
) -> None:
    dialled, liar, good = await _dials_of_hours(hub, tmp_path)
    assert dialled == {liar, good}


async def test_control_a_book_without_rules_is_found(
    autojump_clock: MockClock, hub: MemoryHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def admit(_book: Book, text: str, **_: Any) -> Address | None:
        return parse_address(text) if "/tcp/" in text else None

    monkeypatch.setattr(Book, "_admit", admit)
    dialled, liar, good = await _dials_of_hours(hub, tmp_path)
    assert len(dialled - {liar, good}) > 5


@pytest.mark.slow
async def test_nodes_that_know_one_node_come_to_know_the_others(
    autojump_clock: MockClock, hub: MemoryHub, tmp_path: Path
) -> None:
    """And are connected to all of them, though nobody named them."""
    async with AsyncExitStack() as stack:
        seed, _ = await stack.enter_async_context(neighbours_of(hub, tmp_path, 0))
        nodes = [
            await stack.enter_async_context(neighbours_of(hub, tmp_path, number, seed.addresses[0]))
            for number in range(1, 6)
        ]
        await trio.sleep(4 * HOURS)
        for node, _ in nodes:
            assert len(node.connections()) == 5


@pytest.mark.slow
async def test_control_without_the_exchange_they_stay_with_the_one_they_know(
    autojump_clock: MockClock, hub: MemoryHub, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        seed, _ = await stack.enter_async_context(neighbours_of(hub, tmp_path, 0, exchange=False))
        nodes = [
            await stack.enter_async_context(
                neighbours_of(hub, tmp_path, number, seed.addresses[0], exchange=False)
            )
            for number in range(1, 6)
        ]
        await trio.sleep(4 * HOURS)
        assert {str(c.peer) for node, _ in nodes for c in node.connections()} == {seed.peer_id}


@pytest.mark.slow
async def test_who_does_not_announce_itself_is_told_by_nobody(
    autojump_clock: MockClock, hub: MemoryHub, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        seed, _ = await stack.enter_async_context(neighbours_of(hub, tmp_path, 0))
        shy, _ = await stack.enter_async_context(
            neighbours_of(hub, tmp_path, 1, seed.addresses[0], announces=False)
        )
        others = [
            await stack.enter_async_context(neighbours_of(hub, tmp_path, number, seed.addresses[0]))
            for number in range(2, 5)
        ]
        await trio.sleep(4 * HOURS)
        assert any(neighbours.book.of_peer(seed.peer_id) for _, neighbours in others), "they did hear"
        for node, neighbours in others:
            assert neighbours.book.of_peer(shy.peer_id) == []
            assert not [address for address in node.dialled if shy.peer_id in address]


# -- a node and its config -------------------------------------------------------------------------


def a_config(**changes: Any) -> Config:
    return Config(network=NAME, **changes)


@pytest.mark.e2e
async def test_nodes_say_the_same_of_themselves_unless_they_take_no_part(tmp_path: Path) -> None:
    """What identify lists: whether a node announces itself does not show, nor does what it knows."""
    fixed = ("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.2/tcp/45671")
    configs = {
        "plain": a_config(),
        "announces": a_config(listen=fixed, announce=("/ip4/203.0.113.7/tcp/45671",)),
        "no part": a_config(exchange=False),
    }
    said = {}
    for name, config in configs.items():
        async with open_node(config, find_paths(tmp_path / name.replace(" ", "-"))) as node:
            said[name] = node.network.protocols  # type: ignore[attr-defined]
    assert said["plain"] == said["announces"]
    assert set(said["plain"]) - set(said["no part"]) == {TEST_NETWORK.peers_protocol}


@pytest.mark.e2e
async def test_the_record_lasts_as_the_peer_id_does(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)

    async def start(*announced: str) -> tuple[PeerRecord, str]:
        config = a_config(listen=("/ip4/127.0.0.2/tcp/45671",), announce=announced)
        async with open_node(config, paths) as node:
            (kept,) = paths.data_dir.glob("*.record")
            return decode(kept.read_bytes(), TEST_NETWORK), node.desk.status()["peer_id"]

    here, there = "/ip4/203.0.113.7/tcp/45671", "/ip6/2001:db8::8/tcp/45671"
    first, peer = await start(here)
    assert (first.sequence, first.addresses, first.peer) == (1, (here,), peer)
    assert await start(here) == (first, peer)
    second, peer_then = await start(here, there)
    assert (second.sequence, second.addresses, peer_then) == (2, (here, there), peer)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"announce": ("/ip4/203.0.113.7/tcp/4001",)}, "a port that changes"),
        ({"announce": ("/ip4/203.0.113.7/tcp/4001",), "listen": ()}, "a port that changes"),
        (
            {
                "announce": ("/ip4/203.0.113.7/tcp/4001",),
                "listen": ("/ip4/127.0.0.2/tcp/45671",),
                "exchange": False,
            },
            "tells no addresses",
        ),
        ({"lan": True}, "no IPv4 address"),
        ({"lan": True, "listen": ("/ip4/127.0.0.1/tcp/4001", "/ip6/::/tcp/4001")}, "no IPv4 address"),
        ({"lan": True, "listen": ()}, "no IPv4 address"),
    ],
)
async def test_a_node_does_not_start_where_nobody_could_come(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    paths = find_paths(tmp_path)
    with pytest.raises(ConfigError, match=complaint):
        async with open_node(a_config(**changes), paths):
            pass
    assert not paths.data_dir.exists(), "and it leaves nothing behind"
