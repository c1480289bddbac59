"""The real network among strangers: whatever one of them does, the node stays up for the others."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest
import trio
from network_tools import (
    ECHO,
    LOOPBACK,
    echoes,
    our_node,
    python_process,
    raw_stream,
    receive_all,
    say_protocol,
    tcp_to,
    until,
)

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.network import multistream
from p2pforum.network.interface import Connected, Ended
from p2pforum.network.yamux_config import YamuxConfig

pytestmark = pytest.mark.e2e

NOISE = Random(1)


@asynccontextmanager
async def two_nodes(**options: Any) -> AsyncIterator[tuple[Any, Any]]:
    """A node, with `options`, and a peer of it that dialled it."""
    async with our_node(**options) as node, our_node(listening=False) as peer:
        await peer.dial(node.addresses[0])
        await until(node.connections)
        yield node, peer


# -- before anybody is known -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + NOISE.randbytes(500),  # TLS
        b"SSH-2.0-OpenSSH_9.9\r\n",
        NOISE.randbytes(100_000),
        multistream.encode(multistream.HEADER),
        multistream.encode(multistream.HEADER) + multistream.encode(b"/plaintext/2.0.0"),
        multistream.encode(multistream.HEADER) + multistream.encode(b"\xff\xfe"),
        multistream.encode(multistream.HEADER) + b"\xff\xff\xff\xff\x0f" + bytes(1000),
        multistream.encode(multistream.HEADER) + multistream.encode(b"/noise") + b"\xff\xff" + bytes(65_535),
        multistream.encode(multistream.HEADER) + multistream.encode(b"/noise") + b"\x00\x20" + bytes(32),
    ],
)
async def test_nonsense_on_the_port_ends_only_that_connection(said: bytes) -> None:
    async with two_nodes() as (node, peer):
        async with await tcp_to(node.addresses[0]) as stranger:
            with suppress(trio.BrokenResourceError):
                await stranger.send_all(said)
                await stranger.send_eof()
                await receive_all(stranger)  # the node closes it
        await until(lambda: not node._pending)
        assert await echoes(peer, node.peer_id)
        assert [connection.peer for connection in node.connections()] == [peer.peer_id]


async def test_strangers_that_say_nothing_keep_nobody_out() -> None:
    async with our_node(max_connections=20) as node, our_node(listening=False) as peer:
        silent = [await tcp_to(node.addresses[0]) for _ in range(limits.MAX_PENDING_INBOUND + 50)]
        with trio.fail_after(limits.UPGRADE_SECONDS / 2):  # until when they would be cut
            await peer.dial(node.addresses[0])
        assert len(node._pending) <= limits.MAX_PENDING_INBOUND
        assert await echoes(peer, node.peer_id)
        for stranger in silent:
            await stranger.aclose()
        await until(lambda: not node._pending)


async def test_a_stranger_that_stops_half_way_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPGRADE_SECONDS", 0.2)
    async with our_node() as node:
        for said in (b"", b"\x13/multi", multistream.encode(multistream.HEADER)):
            stranger = await tcp_to(node.addresses[0])
            await stranger.send_all(said)
            with trio.fail_after(30), suppress(trio.BrokenResourceError):
                await receive_all(stranger)
            await stranger.aclose()
        await until(lambda: not node._pending)


# -- peers that are connected ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        multistream.encode(multistream.HEADER) + b"\x03\xff\xfe\n",  # three bytes stop a stock host
        multistream.encode(multistream.HEADER) + b"\xff" * 20,
        NOISE.randbytes(1000),
        bytes(100_000),
        multistream.encode(multistream.HEADER) + multistream.encode(b"/meshsub/1.1.0"),
        multistream.encode(multistream.HEADER) + multistream.encode(b"/nobody/1") * 100,
        multistream.encode(multistream.HEADER) + multistream.encode(b"/ipfs/ping/1.0.0") + b"short",
    ],
)
async def test_nonsense_on_a_stream_ends_only_that_stream(said: bytes) -> None:
    async with two_nodes() as (node, peer):
        stream = raw_stream(peer, node.peer_id)
        with suppress(trio.BrokenResourceError):
            await stream.send_all(said)
            await stream.send_eof()
            await receive_all(stream)
        await stream.aclose()
        assert await echoes(peer, node.peer_id)
        [muxed] = node._table[peer.peer_id]
        await until(lambda: muxed.handlers == 0)


async def test_a_flood_of_streams_ends_with_the_flooder() -> None:
    async with (
        our_node(config=YamuxConfig(frames=10**6)) as node,
        our_node(False) as peer,
        our_node(False, config=YamuxConfig(streams=10**6)) as bad,
    ):
        for one in (peer, bad):
            await one.dial(node.addresses[0])
        await until(lambda: len(node.connections()) == 2)
        [muxed] = node._table[bad.peer_id]
        for reset_at_once in (False, True):
            for _ in range(limits.MAX_REFUSED_STREAMS // 3):
                stream = raw_stream(bad, node.peer_id)
                with suppress(trio.BrokenResourceError):  # most are reset
                    await say_protocol(stream, ECHO.encode())
                if reset_at_once:
                    stream.reset()
                assert muxed.handlers <= limits.MAX_STREAMS_PER_PEER
        assert await echoes(peer, node.peer_id)
        assert await echoes(node, peer.peer_id)
        assert len(node.connections()) == 2
        with suppress(trio.BrokenResourceError):
            while True:
                raw_stream(bad, node.peer_id)
                await trio.lowlevel.checkpoint()
        await until(lambda: [connection.peer for connection in node.connections()] == [peer.peer_id])
        assert await echoes(peer, node.peer_id)


async def test_streams_that_are_reset_at_once_do_not_pile_up_handlers() -> None:
    async with two_nodes() as (node, peer):
        running = most = 0

        async def busy(peer: str, stream: trio.abc.Stream) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await trio.sleep_forever()  # it does not notice that its stream has gone

        node.set_handler("/busy/1", busy)
        for _ in range(3 * limits.MAX_STREAMS_PER_PEER):
            with suppress(NetworkError):
                await trio.aclose_forcefully(await peer.open_stream(node.peer_id, "/busy/1"))
        assert most == limits.MAX_STREAMS_PER_PEER


async def test_many_dials_to_one_peer_make_one_connection() -> None:
    async with our_node() as node, our_node(listening=False) as peer:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(peer.dial, node.addresses[0])
        assert len(peer._roster) == 1
        await until(lambda: not node._pending)
        assert len(node._roster) == 1


async def test_a_peer_that_comes_again_keeps_its_newest_connection() -> None:
    # as one does that lost its network and came back, before we notice that the old one is dead
    async with our_node() as node, AsyncExitStack() as stack:
        events = node.watch()
        for number in range(1, 6):
            again = await stack.enter_async_context(our_node(False, key_seed=bytes(32)))
            await again.dial(node.addresses[0])
            assert isinstance((await events.receive()), Connected)
            if number > 1:
                assert isinstance((await events.receive()), Ended)
            assert len(node._roster) == 1
            assert await echoes(again, node.peer_id)
            assert await echoes(node, again.peer_id)  # by the newest
        assert len(node.connections()) == 1


async def test_what_a_peer_sends_and_nobody_reads_is_bounded() -> None:
    async with two_nodes() as (node, peer):

        async def deaf(peer: str, stream: trio.abc.Stream) -> None:
            await trio.sleep_forever()

        node.set_handler("/deaf/1", deaf)
        streams = [await peer.open_stream(node.peer_id, "/deaf/1") for _ in range(4)]
        async with trio.open_nursery() as nursery:
            for stream in streams:
                nursery.start_soon(stream.send_all, bytes(50_000_000))
            [muxed] = node._table[peer.peer_id]
            most = len(streams) * limits.STREAM_WINDOW
            await until(lambda: most - 1000 < muxed.yamux._buffered)
            assert await echoes(peer, node.peer_id)
            assert muxed.yamux._buffered <= most
            nursery.cancel_scope.cancel()


async def test_a_peer_that_says_nothing_about_a_protocol_is_not_waited_for_long() -> None:
    # the protocol of a stream must be named within NEGOTIATE_SECONDS, and `open_stream` has its own
    async with two_nodes() as (node, peer):
        muxed = node._table[peer.peer_id][0]
        peer._table[node.peer_id][0].yamux._on_stream = lambda stream: None
        with pytest.raises(NetworkError, match="says nothing"):
            await node.open_stream(peer.peer_id, ECHO, timeout=0.2)
        assert not muxed.yamux._streams


async def test_streams_on_which_nothing_is_asked_are_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NEGOTIATE_SECONDS", 0.2)
    async with two_nodes() as (node, peer):
        streams = [raw_stream(peer, node.peer_id) for _ in range(limits.MAX_STREAMS_PER_PEER)]
        for stream in streams:
            with trio.fail_after(15), pytest.raises(trio.BrokenResourceError):
                await receive_all(stream)
        assert await echoes(peer, node.peer_id)


# -- peers that die or stop: real processes --------------------------------------------------------

PEER_PROGRAM = f"""
import sys, trio
from p2pforum.network.libp2p_network import open_libp2p_network

async def main():
    async def swallow(peer, stream):
        async for part in stream:
            pass
    async with open_libp2p_network([{LOOPBACK!r}]) as node:
        node.set_handler("/swallow/1", swallow)
        await node.dial(sys.argv[1])
        print(node.peer_id, flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@asynccontextmanager
async def peer_process(address: str) -> AsyncIterator[tuple[trio.Process, str]]:
    async with python_process(PEER_PROGRAM, address) as process:
        with trio.fail_after(30):
            name = (await receive_all(process.stdout, 53)).decode().strip()
        yield process, name


async def test_a_killed_peer_is_gone_at_once() -> None:
    async with our_node() as node:
        events = node.watch()
        async with peer_process(node.addresses[0]) as (process, name):
            assert (await events.receive()).connection.peer == name
            stream = await node.open_stream(name, "/swallow/1")
            process.send_signal(signal.SIGKILL)
            with trio.fail_after(limits.PING_SECONDS / 2):
                assert (await events.receive()).connection.peer == name
            with pytest.raises(trio.BrokenResourceError):
                await stream.receive_some()


async def test_a_stopped_peer_is_noticed_and_can_be_disconnected() -> None:
    # a stock host still counts it as connected after 75 seconds, and its disconnect never returns
    async with our_node(config=YamuxConfig(ping=0.5)) as node:
        events = node.watch()
        async with peer_process(node.addresses[0]) as (process, name):
            await events.receive()
            process.send_signal(signal.SIGSTOP)
            with trio.fail_after(30):
                assert (await events.receive()).connection.peer == name
    async with our_node() as node, peer_process(node.addresses[0]) as (process, name):
        await until(node.connections)
        stream = await node.open_stream(name, "/swallow/1")
        process.send_signal(signal.SIGSTOP)
        with trio.move_on_after(0.2):
            await stream.send_all(bytes(20_000_000))
        with trio.fail_after(30):
            await node.disconnect(name)
        assert not node.connections()


async def test_the_listening_port_of_a_killed_node_is_free() -> None:
    async with our_node() as node:
        address = node.addresses[0].split("/p2p/")[0]
        with pytest.raises(NetworkError, match=f"can't listen on {address}: another program listens"):
            async with our_node_on(address):
                pass
    async with our_node_on(address) as again:
        assert again.addresses[0].startswith(address)


@asynccontextmanager
async def our_node_on(*addresses: str) -> AsyncIterator[Any]:
    from p2pforum.network.libp2p_network import open_libp2p_network

    async with open_libp2p_network(addresses) as node:
        yield node


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("nonsense", "not an address: nonsense"),
        ("/ip4/127.0.0.1/udp/1", "not an address"),
        ("/dns4/localhost/tcp/0", "can't listen on /dns4/localhost/tcp/0: expected /ip4/ADDRESS/tcp/PORT"),
        ("/ip4/192.0.2.1/tcp/0", "can't listen on /ip4/192.0.2.1/tcp/0: this machine does not have"),
    ],
)
async def test_an_address_that_can_not_be_listened_on_is_said_why(address: str, complaint: str) -> None:
    with pytest.raises(NetworkError, match=complaint):
        async with our_node_on(LOOPBACK, address):
            pass


async def test_a_node_may_listen_on_several_addresses() -> None:
    async with our_node_on(LOOPBACK, LOOPBACK) as node, our_node(listening=False) as peer:
        assert len(set(node.addresses)) == 2
        for address in node.addresses:
            assert await peer.dial(address) == node.peer_id
            await peer.disconnect(node.peer_id)
