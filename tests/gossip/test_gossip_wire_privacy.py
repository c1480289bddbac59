"""T1: what is heard two hops from an author, decrypted, holds no trace of the author's node.

The same check fails for py-libp2p's own pubsub, in both of its modes: so it can see what it looks for.
"""

import base58
import pytest
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from gossip_real import RealNode, real_node, stock_process, until
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2
from strategies import TEST_NETWORK, a_post

from p2pforum.gossip.wire.framing import FrameSplitter

pytestmark = pytest.mark.e2e


def traces(streams: list[bytearray], peer_id: str) -> set[str]:
    """What in these streams of RPCs says who the author is, or is no part of a post."""
    raw = ID.from_base58(peer_id).to_bytes()
    assert base58.b58decode(peer_id) == raw
    needles = {
        "the peer ID": raw,
        "the peer ID as text": peer_id.encode(),
        "the peer ID's multihash digest": raw[2:],
        "the peer's public key": raw[-32:],
        "the peer ID in hexadecimal": raw.hex().encode(),
    }
    found = {name for name, needle in needles.items() for stream in streams if needle in stream}
    for rpc in rpcs_in(streams):
        found |= {f"RPC.{field}" for field in fields_of(rpc) - {"subscriptions", "publish", "control"}}
        for message in rpc.publish:
            found |= {f"Message.{field}" for field in fields_of(message) - {"data", "topicIDs"}}
    return found


def fields_of(message: Message) -> set[str]:
    names = {field.name for field, _ in message.ListFields()}
    return names | {f"unknown {field.field_number}" for field in UnknownFieldSet(message)}


def rpcs_in(streams: list[bytearray]) -> list[rpc_pb2.RPC]:
    return [rpc_pb2.RPC.FromString(b) for stream in streams for b in FrameSplitter().feed(bytes(stream))]


def posts_in(streams: list[bytearray]) -> list[bytes]:
    return [message.data for rpc in rpcs_in(streams) for message in rpc.publish]


def joined(*nodes: RealNode) -> bool:
    return all(node.service.statistics().mesh_peers == len(node.network.connections()) > 0 for node in nodes)


async def test_t1_two_hops_away_nothing_names_the_author() -> None:
    posts = [a_post(f"Post {n}.", key=n + 1) for n in range(5)]
    async with real_node() as a, real_node() as b, real_node() as c:
        await a.network.dial(b.address)
        await b.network.dial(c.address)
        await until(lambda: len(b.network.connections()) == 2 and joined(a, b, c))
        for post in posts:
            await a.publish(post)
        await until(lambda: b.holds(*posts) and c.holds(*posts))
        for hop in (b, c):
            assert set(posts_in(hop.network.heard)) == {post.raw for post in posts}
            assert traces(hop.network.heard, a.peer_id) == set()
            assert traces(hop.network.heard, b.peer_id) == set()


@pytest.mark.parametrize("strict_signing", [False, True])
async def test_t1_control_the_library_names_the_author(strict_signing: bool) -> None:
    """The author a and the hop b are stock; c is ours, and refuses what it hears."""
    post = a_post("A post.")
    topic = TEST_NETWORK.topic
    async with (
        stock_process(strict_signing=strict_signing) as a,
        stock_process(strict_signing=strict_signing) as b,
        real_node() as c,
    ):
        await a.tell(dial=b.address)
        await c.network.dial(b.address)
        await a.meshed(topic, b.peer_id)
        await b.meshed(topic, c.peer_id)
        await a.tell(publish=post.raw.hex(), topic=topic)
        await until(lambda: post.raw in posts_in(c.network.heard))
        found = traces(c.network.heard, a.peer_id)
        assert {"the peer ID", "Message.from_id", "Message.seqno"} <= found
        assert c.service.statistics().authored > 0
        assert not c.holds(post)
