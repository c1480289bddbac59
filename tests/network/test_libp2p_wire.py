"""What a node tells of itself, and to whom it can talk: checked from a stock py-libp2p host."""

import json

import pytest
import trio
import trio.testing
from libp2p.identity.identify.pb.identify_pb2 import Identify
from network_tools import (
    ECHO,
    LOOPBACK,
    echo,
    echoes,
    our_node,
    python_process,
    receive_all,
    stock_address,
    stock_host,
    until,
)

from p2pforum.core import limits
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.yamux_config import YamuxConfig

pytestmark = pytest.mark.e2e

IDENTIFY = "/ipfs/id/1.0.0"


async def identify(node: Network, peer: PeerID) -> Identify:
    """What a peer says of itself; the message is shorter than two bytes of varint can say."""
    stream = await node.open_stream(peer, IDENTIFY)
    said = await receive_all(stream)
    await stream.aclose()
    size, start = (said[0], 1) if said[0] < 0x80 else (said[0] & 0x7F | said[1] << 7, 2)
    assert len(said) == start + size
    return Identify.FromString(said[start:])


def told(message: Identify) -> set[str]:
    """Every field that says something."""
    return {field.name for field, value in message.ListFields() if value}


# -- what is said (row 18) -------------------------------------------------------------------------


async def test_identify_says_only_what_all_nodes_say() -> None:
    async with our_node() as node, our_node(listening=False) as peer:
        await peer.dial(node.addresses[0])
        message = await identify(peer, node.peer_id)
        assert told(message) == {"public_key", "protocols", "protocol_version", "agent_version"}
        assert not message.HasField("signedPeerRecord")
        assert (message.agent_version, message.protocol_version) == ("p2pforum", "ipfs/0.1.0")
        assert list(message.protocols) == [ECHO, IDENTIFY, "/ipfs/ping/1.0.0"]
        # two nodes differ in their keys, and in nothing else
        other = await identify(node, peer.peer_id)
        assert other.public_key != message.public_key
        other.public_key = message.public_key
        assert other == message
        node.set_handler("/zzz/1" + "x" * 100, echo)  # a longer message, in sorted order
        node.set_handler("/aaa/1", echo)
        protocols = list((await identify(peer, node.peer_id)).protocols)
        assert protocols == sorted(protocols)
        assert len(protocols) == 5


async def test_a_stock_host_says_more() -> None:
    async with stock_host() as host, our_node(listening=False) as peer:
        await peer.dial(stock_address(host))
        message = await identify(peer, PeerID(str(host.get_id())))
        assert told(message) >= {"listen_addrs", "observed_addr", "signedPeerRecord"}
        assert "py-libp2p" in message.agent_version


async def test_a_node_that_only_dials_is_new_at_every_start() -> None:
    names = set()
    for _ in range(3):
        async with our_node(listening=False) as node:
            names.add(node.peer_id)
            assert not node.addresses
    assert len(names) == 3
    async with our_node(key_seed=bytes(32)) as node:
        name = node.peer_id
    async with our_node(key_seed=bytes(32)) as node:  # a node that listens may keep its name
        assert node.peer_id == name


async def test_a_node_asks_nothing_and_opens_no_other_socket() -> None:
    # no identify, no push, no ping of its own: a peer sees only the streams that we were told to open
    opened: list[str] = []
    async with our_node() as watcher, our_node(listening=False) as node:

        async def note(peer: str, stream: trio.abc.Stream) -> None:
            opened.append("?")

        for protocol in (IDENTIFY, "/ipfs/ping/1.0.0", "/ipfs/id/push/1.0.0", "/libp2p/autonat/1.0.0"):
            watcher.set_handler(protocol, note)
        await node.dial(watcher.addresses[0])
        assert await echoes(node, watcher.peer_id)
        assert not opened


# -- interoperation with the library as it comes, in a process of its own ------------------------------

STOCK = """
import json, sys, trio
from libp2p import new_host
from libp2p.host.ping import PingService
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.network.stream.exceptions import StreamError
from multiaddr import Multiaddr

async def echo(stream):
    try:
        while True:
            await stream.write(await stream.read(65536))
    except StreamError:  # else it would stop the whole host
        await stream.reset()

async def main():
    listen = [Multiaddr(sys.argv[2])]
    host = new_host(listen_addrs=listen)
    host.set_stream_handler(sys.argv[3], echo)
    async with host.run(listen):
        target = info_from_p2p_addr(Multiaddr(sys.argv[1]))
        await host.connect(target)
        round_trips = await PingService(host).ping(target.peer_id, 3)
        data = bytes(range(256)) * 4000
        stream = await host.new_stream(target.peer_id, [sys.argv[3]])
        got = bytearray()

        async def send():
            for start in range(0, len(data), 60_000):
                await stream.write(data[start : start + 60_000])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            while len(got) < len(data):
                got += await stream.read(65536)
        await stream.close()
        try:
            await host.new_stream(target.peer_id, ["/nobody/1"])
            refused = False
        except Exception:
            refused = True
        report = {
            "address": f"{host.get_transport_addrs()[0]}/p2p/{host.get_id()}",
            "pings": len(round_trips), "echoed": bytes(got) == data, "refused": refused,
        }
        print(json.dumps(report), flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


async def test_a_stock_host_is_a_peer_like_any_other() -> None:
    async with our_node() as node, python_process(STOCK, node.addresses[0], LOOPBACK, ECHO) as process:
        said = b""
        with trio.fail_after(60):
            while not said.endswith(b"\n"):
                said += await process.stdout.receive_some()
        report = json.loads(said)
        address = report.pop("address")
        assert report == {"pings": 3, "echoed": True, "refused": True}

        # over the connection that it made, and over one that we make
        [connection] = node.connections()
        for _ in range(2):
            stream = await node.open_stream(connection.peer, ECHO)
            data = bytes(range(256)) * 4000
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.send_all, data)
                assert await receive_all(stream, len(data)) == data
            await stream.aclose()
            ping = await node.open_stream(connection.peer, "/ipfs/ping/1.0.0")
            await ping.send_all(b"p" * 32)
            assert await receive_all(ping, 32) == b"p" * 32
            await ping.aclose()
            await node.disconnect(connection.peer)
            assert await node.dial(address) == connection.peer
        await until(lambda: not node._table[connection.peer][0].yamux._streams, limits.LINGER_SECONDS + 5)


# -- trio's own test of streams, over TCP, Noise and Yamux ---------------------------------------------


async def test_a_stream_keeps_trios_whole_contract() -> None:
    config = YamuxConfig(linger=0.05)
    async with our_node(config=config) as node, our_node(listening=False, config=config) as peer:
        await peer.dial(node.addresses[0])
        send, accepted = trio.open_memory_channel[trio.abc.HalfCloseableStream](100)

        async def hold(peer: str, stream: trio.abc.HalfCloseableStream) -> None:
            await send.send(stream)
            await until(lambda: stream._closed)

        node.set_handler("/hold/1", hold)

        async def pair() -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
            return await peer.open_stream(node.peer_id, "/hold/1"), await accepted.receive()

        async def clogged() -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
            streams = await pair()
            async with trio.open_nursery() as nursery:
                for stream in streams:
                    nursery.start_soon(stream.send_all, bytes(limits.STREAM_WINDOW))
                await until(lambda: all(stream._send_window == 0 for stream in streams))
                nursery.cancel_scope.cancel()
            return streams

        await trio.testing.check_half_closeable_stream(pair, clogged)
