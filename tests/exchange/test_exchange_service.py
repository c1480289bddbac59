"""Nodes that exchange addresses: who asks whom, what is learnt, and what others see of it."""

import functools
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest
import trio
from exchange_nodes import (
    ANNOUNCED,
    FIRST,
    NOTHING,
    RECORDS,
    ExchangeNode,
    Records,
    a_record,
    ask,
    own_of,
    start,
)
from strategies import TEST_NETWORK
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.exchange.record import PeerRecord, decode
from p2pforum.exchange.service import DEFAULT_PACE, AskIntervals, ExchangeService
from p2pforum.exchange.wire import ANSWER_SIZE, ASK_SIZE, decode_frame, encode_frame
from p2pforum.network.interface import Direction, PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork

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


async def test_it_asks_on_connections_that_it_made_and_on_no_others(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    """The peer had been dialled, lost that connection without this node's knowledge, and dialled back: when
    the old one is found dead, it is a peer that chose itself."""
    async with AsyncExitStack() as stack:
        home, leaf = await start(stack, hub, "home leaf", announces=True)
        await leaf.network.dial(home.network.addresses[0])
        hub.lose_connections("home", 4.0)
        await home.network.dial(leaf.network.addresses[0])
        await trio.sleep(100 * FIRST)
        assert (leaf.service.counts.asked, home.service.counts.asked > 0) == (0, True)
        assert [c.direction for c in leaf.network.connections()] == [Direction.INBOUND]


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


@pytest.mark.slow
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
        (caller,) = await start(stack, hub, "caller", announces=True, at=ANNOUNCED)
        await caller.network.dial(home.network.addresses[0])
        await trio.sleep(FIRST)
        assert home.heard_peers == {str(caller.network.peer_id)}, "it was learnt"
        assert await _scrape(stack, hub, home, "spy2") == before


async def test_who_announces_itself_is_told_by_those_it_dials(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    """Whom they never dial, since it is connected. Once the answer that they tell is drawn anew. But not
    who says to be where another is."""
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home")
        (caller,) = await start(stack, hub, "caller", announces=True, at=ANNOUNCED)
        (liar,) = await start(stack, hub, "liar", announces=True, at="/ip4/198.51.100.1/tcp/4001")
        (leaf,) = await start(stack, hub, "leaf")
        for node in (caller, liar, leaf):
            await node.network.dial(home.network.addresses[0])
        await trio.sleep(3 * 5_400)
        assert home.heard_peers == {str(node.network.peer_id) for node in (caller, liar)}
        assert leaf.heard_peers == {str(caller.network.peer_id)}


async def test_who_is_there_can_not_have_others_knock_elsewhere(
    autojump_clock: MockClock, hub: MemoryHub
) -> None:
    """Its own address is in the record, and seven more: nobody learns it, so nobody passes it on."""
    victims = [f"/ip4/198.51.100.{n}/tcp/4001" for n in range(7)]
    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home")
        (leaf,) = await start(stack, hub, "leaf")
        liar = await stack.enter_async_context(hub.network("liar", at=ANNOUNCED, keyed=True))
        for network in (liar, leaf.network):
            await network.dial(home.network.addresses[0])
        assert await ask(
            liar, home.network.peer_id, encode_frame([own_of(liar, ANNOUNCED, *victims)], ASK_SIZE)
        )
        await trio.sleep(3 * 5_400)
        assert home.heard == leaf.heard == []


async def test_control_answers_drawn_for_each_ask_tell_it(
    autojump_clock: MockClock, hub: MemoryHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pforum.exchange.sample._LONG", (0.0, 0.0))
    async with AsyncExitStack() as stack:
        home = (await start(stack, hub, "home", known=RECORDS))[0]
        (caller,) = await start(stack, hub, "caller", announces=True, at=ANNOUNCED)
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
        with pytest.raises(NetworkError):  # nor does connecting anew help
            await spy.dial(home.network.addresses[0])


# -- real connections ------------------------------------------------------------------------------


@pytest.mark.e2e
async def test_over_libp2p() -> None:
    """The same over TCP, Noise and Yamux: both say what they have to say, and nobody is to blame."""
    from p2pforum.network.libp2p_network import open_libp2p_network

    heard: dict[str, set[str]] = {"home": set(), "leaf": set()}
    everybody = trio.Event()

    def learn(who: str, record: PeerRecord, _source: str) -> None:
        heard[who].add(record.peer)
        if heard["home"] and len(heard["leaf"]) == 2:
            everybody.set()

    async with (
        open_libp2p_network(["/ip4/127.0.0.1/tcp/0"]) as home,
        open_libp2p_network() as leaf,
        trio.open_nursery() as nursery,
    ):
        other = a_record(1)
        services = []
        for name, network, known in (("home", home, [other.raw]), ("leaf", leaf, [])):
            book = Records(functools.partial(learn, name), known)
            services.append(
                ExchangeService(
                    network, TEST_NETWORK, Random(1), book, own_of(network), pace=AskIntervals((0, 0.01))
                )
            )
            nursery.start_soon(services[-1].run)
        await leaf.dial(home.addresses[0])
        with trio.fail_after(20):
            await everybody.wait()
        assert heard == {"home": {leaf.peer_id}, "leaf": {home.peer_id, other.peer}}
        assert [service.counts.invalid for service in services] == [0, 0]
        nursery.cancel_scope.cancel()
