"""Who breaks the exchange is cut; and whatever it is told, the exchange dials nobody."""

import contextlib
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

import pytest
import trio
from exchange_nodes import (
    ANNOUNCED,
    FIRST,
    NOTHING,
    PROTOCOL,
    RECORDS,
    Records,
    Watched,
    a_record,
    ask,
    own_of,
    start,
)
from strategies import TEST_NETWORK
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.core.network_params import NetworkParams
from p2pforum.exchange.record import PeerRecord, decode
from p2pforum.exchange.service import ExchangeService
from p2pforum.exchange.wire import ANSWER_SIZE, ASK_SIZE, encode_frame
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork

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
    autojump_clock: MockClock, hub: MemoryHub, caplog: pytest.LogCaptureFixture, wanted_faults: list[str]
) -> None:
    wanted_faults.append("a fault in the exchange of addresses")

    def broken(_record: PeerRecord, _source: str) -> None:
        raise ZeroDivisionError

    async with AsyncExitStack() as stack:
        (home,) = await start(stack, hub, "home", announces=True)
        network = await stack.enter_async_context(hub.network("leaf", keyed=True))
        service = ExchangeService(network, TEST_NETWORK, Random(1), Records(broken))
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
        network = Watched(await stack.enter_async_context(hub.network("leaf", keyed=True)))
        service = ExchangeService(network, TEST_NETWORK, Random(1), Records(learn(network)), own_of(network))
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(service.run)
        told = [*(a_record(key, trap).raw for key, trap in enumerate(TRAPS, 1)), own_of(network)]
        liar = await _who_answers(stack, hub, encode_frame(told, ANSWER_SIZE))
        await network.dial(liar.addresses[0])
        network.dialled.clear()
        await trio.sleep(86_400)
        assert service.counts.learnt, "it did hear"
        nursery.cancel_scope.cancel()
        return network.dialled


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
