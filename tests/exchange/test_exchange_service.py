"""Nodes that exchange addresses: who asks whom, what is learnt, what is blamed; and nobody is dialled."""

import contextlib
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest
import trio
from exchange_nodes import (
    ANNOUNCED,
    PROTOCOL,
    ExchangeNode,
    a_record,
    an_exchange_node,
    ask,
    own_of,
)
from strategies import TEST_NETWORK
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.core.limits import NetworkParams
from p2pforum.exchange.record import PeerRecord, decode
from p2pforum.exchange.service import DEFAULT_PACE, ExchangeService, Outside
from p2pforum.exchange.wire import ANSWER_SIZE, ASK_SIZE, decode_frame, encode_frame
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork

RECORDS = [a_record(key).raw for key in range(1, 101)]
NOTHING = encode_frame([], ASK_SIZE)
FIRST = DEFAULT_PACE.first[1] + 1  # seconds after which every peer has been asked


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(Random(1), (0.01, 0.1))


async def start(stack: AsyncExitStack, hub: MemoryHub, names: str, **options: Any) -> list[ExchangeNode]:
    return [await stack.enter_async_context(an_exchange_node(hub, name, **options)) for name in names.split()]


# -- asking and learning ---------------------------------------------------------------------------


async def test_records_travel_from_who_announces_to_who_asks(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", announces=True, known=RECORDS[:3])
        (leaf,) = await start(stack, hub, "leaf")
        await leaf.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        expected = {home.own, *RECORDS[:3]}
        assert {record.raw for record, _ in leaf.heard} == expected
        assert home.heard == [], "a node that announces nothing says nothing"
        assert leaf.service.counts.asked == home.service.counts.answered == 1


async def test_who_dials_in_is_learnt_from_its_own_mouth_and_asked_nothing(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    async with AsyncExitStack() as stack:
        (caller,) = await start(stack, hub, "caller", announces=True, known=RECORDS)
        (home,) = await start(stack, hub, "home")
        await caller.network.dial(home.network.addresses[0])
        await trio.sleep(100 * FIRST)
        assert home.heard_peers == {str(caller.network.peer_id)}
        assert home.service.counts.asked == 0


async def test_the_source_of_news_is_the_part_of_the_internet_it_came_from(
    autojump_clock: MockClock, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the book can bound what one owner of addresses makes it believe."""
    admit = MemoryNetwork._admit
    monkeypatch.setattr(
        MemoryNetwork, "_admit", lambda node, link, way, _: admit(node, link, way, "/ip4/8.8.1.1/tcp/1")
    )
    async with AsyncExitStack() as stack:
        home, leaf = await start(stack, hub, "home leaf", announces=True)
        await leaf.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        assert [source for _, source in (*home.heard, *leaf.heard)] == ["8.8.0.0/16"] * 2


async def test_asks_come_a_random_while_after_the_connection_and_then_about_hourly(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", announces=True)
        first: list[float] = []
        for number in range(20):
            (leaf,) = await start(stack, hub, f"leaf{number}")
            await leaf.network.dial(home.network.addresses[0])
            began = trio.current_time()
            while not leaf.heard:
                await trio.sleep(0.5)
            first.append(trio.current_time() - began)
        assert min(first) >= DEFAULT_PACE.first[0]
        assert max(first) - min(first) > 15, "when it asks does not say when it came"
        before = home.service.counts.answered
        await trio.sleep(86_400)
        assert 20 * 20 < home.service.counts.answered - before < 20 * 30


async def test_its_own_record_that_comes_back_is_no_news(autojump_clock: MockClock, hub: MemoryHub) -> None:
    async with AsyncExitStack() as stack:
        (leaf,) = await start(stack, hub, "leaf", announces=True)
        assert leaf.own
        (home,) = await start(stack, hub, "home", known=[leaf.own, *RECORDS[:1]])
        await leaf.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        assert leaf.heard_peers == {decode(RECORDS[0], TEST_NETWORK).peer}


async def test_a_peer_that_takes_no_part_is_left_alone(autojump_clock: MockClock, hub: MemoryHub) -> None:
    async with AsyncExitStack() as stack:
        (leaf,) = await start(stack, hub, "leaf")
        silent = await stack.enter_async_context(hub.network("silent", keyed=True))
        await leaf.network.dial(silent.addresses[0])
        await trio.sleep(100 * FIRST)
        assert leaf.peers == {silent.peer_id}
        assert leaf.service.counts.invalid == 0


async def test_a_peer_that_is_gone_is_asked_no_more_and_again_when_it_is_back(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    async with AsyncExitStack() as stack:
        home, leaf = await start(stack, hub, "home leaf", announces=True)
        for times in (1, 2):
            await leaf.network.dial(home.network.addresses[0])
            await trio.sleep(FIRST)
            await leaf.network.disconnect(home.network.peer_id)
            await trio.sleep(86_400)
            assert leaf.service.counts.asked == times


# -- what others see -------------------------------------------------------------------------------


async def test_asks_and_answers_have_one_size_each(
    autojump_clock: MockClock, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a node announces its address, and how many it knows, does not show on the line."""
    sizes: dict[str, set[int]] = {"ask": set(), "answer": set()}
    accept = MemoryNetwork.accept_stream

    def tapped(node: MemoryNetwork, peer: PeerID, protocol: str, stream: Any) -> bool:
        send, receive, got = stream.send_all, stream.receive_some, []

        async def counted_receive(most: int) -> bytes:
            part = await receive(most)
            got.append(len(part))
            if not part:
                sizes["ask"].add(sum(got))
            return bytes(part)

        async def counted_send(answer: bytes) -> None:
            sizes["answer"].add(len(answer))
            await send(answer)

        stream.send_all, stream.receive_some = counted_send, counted_receive
        return accept(node, peer, protocol, stream)

    monkeypatch.setattr(MemoryNetwork, "accept_stream", tapped)
    async with AsyncExitStack() as stack:
        homes = await start(stack, hub, "h1 h2", announces=True, known=RECORDS)
        homes += await start(stack, hub, "h3")
        leaves = [*await start(stack, hub, "l1", announces=True), *await start(stack, hub, "l2")]
        for leaf in leaves:
            for home in homes:
                await leaf.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
    assert sizes == {"ask": {ASK_SIZE}, "answer": {ANSWER_SIZE}}


async def test_an_answer_does_not_tell_who_is_connected(autojump_clock: MockClock, hub: MemoryHub) -> None:
    """A node that announces itself dials in, and is learnt; who asks does not hear of it that day."""
    async with AsyncExitStack() as stack:
        home = (await start(stack, hub, "home", known=RECORDS))[0]
        before = await _scrape(stack, hub, home, "spy1")
        (caller,) = await start(stack, hub, "caller", announces=True)
        await caller.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        assert home.heard_peers == {str(caller.network.peer_id)}, "it was learnt"
        assert await _scrape(stack, hub, home, "spy2") == before


async def test_who_announces_itself_is_told_by_those_it_dials(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    """Whom they never dial, since it is connected. Once the answer that they tell is drawn anew."""
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home")
        (caller,) = await start(stack, hub, "caller", announces=True)
        (leaf,) = await start(stack, hub, "leaf")
        for node in (caller, leaf):
            await node.network.dial(home.network.addresses[0])
        await trio.sleep(3 * 5_400)
        assert leaf.heard_peers == {str(caller.network.peer_id)}


async def test_control_answers_drawn_for_each_ask_tell_it(
    autojump_clock: MockClock, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pforum.exchange.sample._LONG", (0.0, 0.0))
    async with AsyncExitStack() as stack:
        home = (await start(stack, hub, "home", known=RECORDS))[0]
        (caller,) = await start(stack, hub, "caller", announces=True)
        await caller.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        heard = [await _scrape(stack, hub, home, f"spy{number}") for number in range(40)]
        assert any(caller.own in answer for answer in heard)


async def _scrape(stack: AsyncExitStack, hub: MemoryHub, home: ExchangeNode, name: str) -> set[bytes]:
    spy = await stack.enter_async_context(hub.network(name, keyed=True))
    await spy.dial(home.network.addresses[0])
    return set(decode_frame(await ask(spy, home.network.peer_id, NOTHING) or b"", limits.PEERS_TOLD))


async def test_rationed_asks_get_no_answer_and_a_flood_ends_the_connection(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", known=RECORDS)
        spy = await stack.enter_async_context(hub.network("spy", keyed=True))
        await spy.dial(home.network.addresses[0])
        answers = [await ask(spy, home.network.peer_id, NOTHING) for _ in range(limits.PEERS_BURST + 5)]
        assert [len(answer or b"") for answer in answers] == [ANSWER_SIZE] * limits.PEERS_BURST + [0] * 5
        assert home.peers == {spy.peer_id}, "a node that lost its connection some times is forgiven"
        for _ in range(limits.PEERS_REFUSED):
            await ask(spy, home.network.peer_id, NOTHING)
        assert home.peers == set()
        await spy.dial(home.network.addresses[0])
        assert not await ask(spy, home.network.peer_id, NOTHING), "nor does connecting anew help"


# -- blame -----------------------------------------------------------------------------------------

FORGED = bytearray(RECORDS[0])
FORGED[-1] ^= 1
OTHER_NETWORK = NetworkParams("another-net")


def _filled(record: bytes, size: int) -> bytes:
    return encode_frame([bytes(record)], size)


BAD_ASKS = {
    "half a frame": NOTHING[:500],
    "more than a frame": NOTHING + b"\x00",
    "much more": NOTHING * 100,
    "junk": b"\xff" * ASK_SIZE,
    "another's record": _filled(RECORDS[0], ASK_SIZE),
    "a forged record": _filled(FORGED, ASK_SIZE),
    "two records": encode_frame(RECORDS[:2], ASK_SIZE),
}
BAD_ANSWERS = {
    "half a frame": encode_frame(RECORDS[:3], ANSWER_SIZE)[:-1],
    "more than a frame": encode_frame(RECORDS[:3], ANSWER_SIZE) + b"\x00",
    "without end": b"\x00" * 10 * ANSWER_SIZE,
    "junk": b"\xff" * ANSWER_SIZE,
    "a forged record": encode_frame([bytes(FORGED)], ANSWER_SIZE),
    "too many records": encode_frame(RECORDS[: limits.PEERS_TOLD + 1], ANSWER_SIZE),
    "a record of another network": _filled(
        a_record(1, params=OTHER_NETWORK).raw,
        ANSWER_SIZE,
    ),
}


@pytest.mark.parametrize("frame", BAD_ASKS.values(), ids=BAD_ASKS.keys())
async def test_an_ask_that_breaks_the_protocol_ends_the_connection(
    autojump_clock: MockClock, hub: MemoryHub, frame: bytes
) -> None:
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", known=RECORDS)
        stranger = await stack.enter_async_context(hub.network("stranger", keyed=True))
        await stranger.dial(home.network.addresses[0])
        assert not await ask(stranger, home.network.peer_id, frame)
        await trio.sleep(1)
        assert (home.peers, home.heard, home.service.counts.invalid) == (set(), [], 1)


@pytest.mark.parametrize("frame", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_an_answer_that_breaks_the_protocol_ends_the_connection(
    autojump_clock: MockClock, hub: MemoryHub, frame: bytes
) -> None:
    async with AsyncExitStack() as stack:
        (leaf,) = await start(stack, hub, "leaf")
        liar = await _who_answers(stack, hub, frame)
        await leaf.network.dial(liar.addresses[0])
        await trio.sleep(FIRST)
        assert (leaf.peers, leaf.service.counts.invalid) == (set(), 1)
        assert len(leaf.heard) < limits.PEERS_TOLD


async def _who_answers(stack: AsyncExitStack, hub: MemoryHub, frame: bytes) -> MemoryNetwork:
    liar = await stack.enter_async_context(hub.network("liar", keyed=True))

    async def answer(_peer: PeerID, stream: trio.abc.Stream) -> None:
        await stream.send_all(frame)

    liar.set_handler(PROTOCOL, answer)
    return liar


async def test_a_slow_stranger_is_let_go_and_costs_nothing_but_a_stream(
    autojump_clock: MockClock, hub: MemoryHub, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", known=RECORDS)
        stranger = await stack.enter_async_context(hub.network("stranger", keyed=True))
        await stranger.dial(home.network.addresses[0])
        stream = await stranger.open_stream(home.network.peer_id, PROTOCOL)
        await stream.send_all(NOTHING[:10])
        await trio.sleep(limits.PEERS_SECONDS + 1)
        assert await stream.receive_some() == b""
        assert (home.peers, home.service.counts.answered) == ({stranger.peer_id}, 0)
        assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


async def test_our_own_fault_drops_that_peer_is_told_and_the_rest_goes_on(
    autojump_clock: MockClock, hub: MemoryHub, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_record: PeerRecord, _source: str) -> None:
        raise ZeroDivisionError

    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", announces=True)
        network = await stack.enter_async_context(hub.network("leaf", keyed=True))
        service = ExchangeService(network, TEST_NETWORK, Random(1), Outside(broken, list))
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(service.run)
        await network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        assert home.peers == set()
        assert "ZeroDivisionError" in caplog.text
        nursery.cancel_scope.cancel()


async def test_the_log_joins_no_peer_and_no_address(
    autojump_clock: MockClock, hub: MemoryHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", known=RECORDS, announces=True)
        names = [str(home.network.peer_id), ANNOUNCED, *(decode(r, TEST_NETWORK).peer for r in RECORDS)]
        for number, frame in enumerate(BAD_ASKS.values()):
            stranger = await stack.enter_async_context(hub.network(f"stranger{number}", keyed=True))
            names.append(str(stranger.peer_id))
            await stranger.dial(home.network.addresses[0])
            await ask(stranger, home.network.peer_id, frame)
        assert "dropped a peer" in caplog.text
        assert not [name for name in names if name in caplog.text]


# -- nobody is dialled -----------------------------------------------------------------------------

TRAPS = [
    "/ip4/127.0.0.1/tcp/22",
    "/ip4/10.0.0.1/tcp/80",
    "/ip4/169.254.169.254/tcp/80",
    "/ip4/192.168.1.1/tcp/80",
    "/ip6/::1/tcp/22",
    "/dns4/tracker.example/tcp/443",
    "/memory/trap",  # what a memory network would dial
]


async def _dials_after_hearing_of_traps(
    hub: MemoryHub, learn: Callable[[Network], Callable[[PeerRecord, str], None]]
) -> list[str]:
    """What a node dials by itself within a day of being told addresses that a stranger chose."""
    async with AsyncExitStack() as stack:
        network = _Watched(await stack.enter_async_context(hub.network("leaf", keyed=True)))
        service = ExchangeService(
            network, TEST_NETWORK, Random(1), Outside(learn(network), list), own_of(network)
        )
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(service.run)
        told = [*(a_record(1, *TRAPS).raw for _ in range(2)), own_of(network)]
        liar = await _who_answers(stack, hub, encode_frame(told, ANSWER_SIZE))
        await network.dial(liar.addresses[0])
        network.dialled.clear()
        await trio.sleep(86_400)
        assert service.counts.learnt, "it did hear"
        nursery.cancel_scope.cancel()
        return network.dialled


class _Watched:
    """Writes down what is dialled."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self.dialled: list[str] = []

    async def dial(self, address: str, *, timeout: float = 30.0) -> PeerID:
        self.dialled.append(address)
        return await self._network.dial(address, timeout=timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


async def test_no_peer_can_make_the_exchange_dial_an_address(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    assert await _dials_after_hearing_of_traps(hub, lambda _network: lambda _record, _source: None) == []


async def test_control_a_node_that_dials_what_it_hears_is_found(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    """As py-libp2p's pubsub does with the peer records in a PRUNE."""
    async with trio.open_nursery() as nursery:

        async def dial(network: Network, address: str) -> None:
            with contextlib.suppress(NetworkError):
                await network.dial(address)

        def naive(network: Network) -> Callable[[PeerRecord, str], None]:
            def learn(record: PeerRecord, _source: str) -> None:
                for address in record.dialled:
                    nursery.start_soon(dial, network, address)

            return learn

        assert await _dials_after_hearing_of_traps(hub, naive) != []
