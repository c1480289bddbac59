"""What the library's own host gets wrong, each beside what our connections do instead.

The numbers are the rows of the audit that led to connections of our own (docs/PROTOCOL.md).
A control that no longer shows its fault means that the library has changed: look again.
"""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.network.config import ConnectionConfig
from libp2p.network.exceptions import SwarmException
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr
from network_tools import (
    ECHO,
    LOOPBACK,
    echoes,
    our_node,
    python_process,
    raw_stream,
    receive_all,
    stock_address,
    stock_host,
    tcp_to,
    until,
)

from p2pforum.core.errors import NetworkError, ProtocolRefused
from p2pforum.core.limits import MAX_STREAMS_PER_PEER
from p2pforum.network import multistream
from p2pforum.network.interface import PeerID
from p2pforum.network.yamux import YamuxConnection
from p2pforum.network.yamux_config import YamuxConfig

pytestmark = pytest.mark.e2e


async def stock_echo(stream: Any) -> None:
    while True:
        await stream.write(await stream.read(65_536))


def info(address: str) -> Any:
    return info_from_p2p_addr(Multiaddr(address))


# -- rows 4 and 5: an exception in one stream -----------------------------------------------------


async def say_three_bytes(node: Any, peer: PeerID) -> None:
    """A protocol name that is not UTF-8."""
    stream = raw_stream(node, peer)
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(multistream.encode(multistream.HEADER) + b"\x03\xff\xfe\n")
        await stream.send_eof()
        await receive_all(stream)
    await stream.aclose()


async def test_rows_4_and_5_three_bytes_stop_a_stock_host() -> None:
    async def attack_a_stock_host() -> None:
        async with our_node(listening=False) as attacker, stock_host() as victim:
            await attacker.dial(stock_address(victim))
            await say_three_bytes(attacker, attacker.connections()[0].peer)
            with trio.fail_after(30):
                await trio.sleep_forever()  # the exception ends this block

    with pytest.raises(ExceptionGroup) as caught:
        await attack_a_stock_host()
    assert caught.group_contains(UnicodeDecodeError)


async def test_rows_4_and_5_but_not_our_node() -> None:
    async with our_node() as node, our_node(listening=False) as peer, our_node(listening=False) as bad:
        await peer.dial(node.addresses[0])
        await bad.dial(node.addresses[0])
        for _ in range(50):
            await say_three_bytes(bad, node.peer_id)
        assert await echoes(peer, node.peer_id)


# -- row 6: connections over a lifetime --------------------------------------------------------------


async def test_row_6_a_stock_host_goes_deaf() -> None:
    config = ConnectionConfig(max_connections=3, min_connections=0, low_watermark=0, high_watermark=3)
    async with stock_host(connection_config=config) as host:
        for _ in range(3):
            async with our_node(listening=False) as peer:
                await peer.dial(stock_address(host))
        await until(lambda: not host.get_network().get_connections())
        assert host.get_network()._inbound_limiter.available_tokens == 0  # though nobody is connected
        async with our_node(listening=False) as peer:
            with pytest.raises(NetworkError):
                await peer.dial(stock_address(host), timeout=1)


async def test_row_6_but_not_our_node() -> None:
    async with our_node(max_connections=4) as node:
        for _ in range(30):
            async with our_node(listening=False) as peer:
                await peer.dial(node.addresses[0])
                assert await echoes(peer, node.peer_id)
            await until(lambda: not node.connections())


# -- row 13: the muxer ---------------------------------------------------------------------------


async def test_row_13_our_connections_use_our_yamux() -> None:
    # the library ignores the muxer class it is given; ours can't be replaced by a setting
    async with our_node() as node, our_node(listening=False) as peer:
        await peer.dial(node.addresses[0])
        await until(node.connections)
        for one, other in ((node, peer), (peer, node)):
            assert type(one._table[other.peer_id][0].yamux) is YamuxConnection


# -- row 14: streams of one peer ----------------------------------------------------------------------


async def test_row_14_one_peer_takes_all_streams_of_a_stock_host() -> None:
    async with stock_host() as host, our_node(False, config=YamuxConfig(streams=10**6)) as greedy:
        host.set_stream_handler(TProtocol(ECHO), stock_echo)
        network = host.get_network()
        network._stream_semaphore = trio.Semaphore(50)  # of the thousands it has by default
        await greedy.dial(stock_address(host))
        peer = greedy.connections()[0].peer
        for _ in range(60):
            raw_stream(greedy, peer)
        await until(lambda: network._stream_semaphore.value == 0)
        async with our_node(listening=False) as honest:
            await honest.dial(stock_address(host))
            with pytest.raises(NetworkError, match="says nothing"):
                await honest.open_stream(peer, ECHO, timeout=0.5)


async def test_row_14_but_not_of_our_node() -> None:
    async with (
        our_node() as node,
        our_node(False) as honest,
        our_node(False, config=YamuxConfig(streams=10**6)) as greedy,
    ):
        for peer in (honest, greedy):
            await peer.dial(node.addresses[0])
        for _ in range(10 * MAX_STREAMS_PER_PEER):
            raw_stream(greedy, node.peer_id)
        await until(lambda: len(node.connections()) == 2)
        [muxed] = node._table[greedy.peer_id]
        await until(lambda: muxed.handlers == MAX_STREAMS_PER_PEER)
        assert await echoes(honest, node.peer_id)


# -- rows 16 and 17: dialling --------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def silent_port(says: bytes = b"") -> AsyncIterator[str]:
    """An address where something accepts, and then keeps silent."""
    held: list[trio.SocketStream] = []

    async def hold(stream: trio.SocketStream) -> None:
        held.append(stream)
        await stream.send_all(says)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, host="127.0.0.1"), hold, 0)
        port = listener.socket.getsockname()[1]
        yield f"/ip4/127.0.0.1/tcp/{port}/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
        nursery.cancel_scope.cancel()


HALF_WAY = multistream.encode(multistream.HEADER) + multistream.encode(b"/noise")


@pytest.mark.parametrize("says", [b"", HALF_WAY])
async def test_row_16_a_dial_ends_in_time(says: bytes) -> None:
    async with our_node(listening=False) as node, silent_port(says) as address:
        started = trio.current_time()
        with pytest.raises(NetworkError, match=r"nothing answers at .* within 0.3 seconds"):
            await node.dial(address, timeout=0.3)
        assert trio.current_time() - started < 2


async def test_row_16_a_stock_dial_does_not() -> None:
    async with stock_host() as host, silent_port(HALF_WAY) as address:
        with trio.move_on_after(1.5) as scope:
            await host.connect(info(address))
        assert scope.cancelled_caught


async def test_row_16_a_stock_host_will_not_try_again_soon_but_ours_does() -> None:
    seed = bytes(range(32))
    async with our_node(key_seed=seed) as first:
        address = first.addresses[0]
    async with stock_host() as host, our_node(listening=False) as node:
        host.get_network().retry_config.max_retries = 0
        with pytest.raises(SwarmException):
            await host.connect(info(address))
        with pytest.raises(NetworkError, match=f"nothing answers at {address}"):
            await node.dial(address)
        from p2pforum.network.libp2p_network import open_libp2p_network

        async with open_libp2p_network([address.split("/p2p/")[0]], key_seed=seed):
            with pytest.raises(SwarmException, match="negative cache"):
                await host.connect(info(address))
            await node.dial(address)


async def test_row_17_cancelled_dials_leave_nothing_behind() -> None:
    async with silent_port(HALF_WAY) as nowhere, our_node() as friend:
        async with our_node(max_connections=2) as node:
            for _ in range(10):
                with trio.move_on_after(0.05):
                    await node.dial(nowhere)
            await node.dial(friend.addresses[0])
            assert await echoes(node, friend.peer_id)
        async with stock_host() as host:
            manager = host.get_network()._resource_manager
            before = manager.get_stats()["connections"]
            for _ in range(5):
                with trio.move_on_after(0.1):
                    await host.get_network().dial_addr(
                        Multiaddr(nowhere.split("/p2p/")[0]), info(nowhere).peer_id
                    )
            assert manager.get_stats()["connections"] == before + 5  # of nobody


# -- rows 19, 20, 20b, 21 --------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["/plaintext/2.0.0", "/secio/1.0.0", "/tls/1.0.0"])
async def test_row_19_nothing_but_noise(protocol: str) -> None:
    async with our_node() as node:
        stream = await tcp_to(node.addresses[0])
        async with stream:
            with pytest.raises(ProtocolRefused):
                await multistream.request(stream, protocol)
            await stream.send_all(multistream.encode(b"/noise"))
            assert await receive_all(stream, 8) == multistream.encode(b"/noise")


async def test_row_19_a_stock_host_takes_plain_text() -> None:
    async with stock_host() as host, await tcp_to(stock_address(host)) as stream:
        await multistream.request(stream, "/plaintext/2.0.0")


async def test_row_20_a_stock_host_dials_what_lies_in_its_peerstore() -> None:
    async with stock_host() as host, our_node() as trap:
        host.get_peerstore().add_addr(
            info(trap.addresses[0]).peer_id, Multiaddr(trap.addresses[0].split("/p2p/")[0]), 1000
        )
        with trio.fail_after(10):
            await host.get_network().auto_connector.maybe_connect()
            await until(trap.connections)


async def test_row_20_our_node_dials_only_what_it_is_told() -> None:
    # a peer pushes an address at it in every way the library would listen to
    async with our_node() as node, our_node() as trap, our_node(listening=False) as pusher:
        pusher.set_handler("/ipfs/id/1.0.0", trap._handlers[b"/ipfs/id/1.0.0"])
        await pusher.dial(node.addresses[0])
        for protocol in ("/ipfs/id/push/1.0.0", "/meshsub/1.1.0", "/ipfs/kad/1.0.0", "/libp2p/dcutr"):
            with pytest.raises(ProtocolRefused):
                await pusher.open_stream(node.peer_id, protocol)
        assert await echoes(pusher, node.peer_id)
        assert not trap.connections()
        assert not trap._pending


async def test_row_20b_a_bare_node_speaks_two_protocols() -> None:
    from p2pforum.network.libp2p_network import open_libp2p_network

    async with open_libp2p_network([LOOPBACK]) as node:
        assert node.protocols == ["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_row_21_a_node_that_leaves_tells_its_peers(cancelled: bool) -> None:
    async with contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(our_node(listening=False)) for _ in range(10)]
        with trio.CancelScope() as scope:
            async with our_node() as node:
                for peer in peers:
                    await peer.dial(node.addresses[0])
                await until(lambda: len(node.connections()) == len(peers))
                leaving = trio.current_time()
                if cancelled:
                    scope.cancel()
        assert trio.current_time() - leaving < 1  # a stock host takes 0.2 s for each, one by one
        await until(lambda: not any(peer.connections() for peer in peers), 1)


LEAVE = """
import sys, trio
from libp2p import new_host
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr

async def main():
    host = new_host()
    async with host.run([]):
        await host.connect(info_from_p2p_addr(Multiaddr(sys.argv[1])))
    print("left", flush=True)
    await trio.sleep_forever()

trio.run(main)
"""


async def test_row_21_a_stock_host_does_not() -> None:
    async with our_node() as node, python_process(LEAVE, node.addresses[0]) as process:
        with trio.fail_after(30):
            assert await receive_all(process.stdout, 5) == b"left\n"
        await trio.sleep(1)
        assert node.connections()  # so it looks, until a ping goes unanswered
