"""py-libp2p's own host and pubsub as they come, run as a process: the other side of interop tests.

Commands are lines of JSON on standard input, what happens is lines of JSON on standard output. Only the
heartbeat (120 s in the library) and the message ID (there: author and number) are set, as js users do.
"""

import hashlib
import json
import sys
from typing import Any

import trio
from libp2p import new_host
from libp2p.custom_types import TProtocol
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr

LOOPBACK = Multiaddr("/ip4/127.0.0.1/tcp/0")


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def by_data(message: rpc_pb2.Message) -> bytes:
    return hashlib.sha256(message.data).digest()


async def hear(pubsub: Pubsub, topic: str) -> None:
    subscription = await pubsub.subscribe(topic)
    while True:
        message = await subscription.get()
        say(got=message.data.hex(), topic=topic)


def send_bare(pubsub: Pubsub, data: bytes, topic: str) -> None:
    """An RPC made by hand, without the fields that publish() puts in."""
    rpc = rpc_pb2.RPC(publish=[rpc_pb2.Message(data=data, topicIDs=[topic])])
    for queue in pubsub.peer_queues.values():
        queue.push(rpc)


async def obey(host: Any, pubsub: Pubsub, command: dict[str, Any]) -> None:
    match command:
        case {"dial": address}:
            await host.connect(info_from_p2p_addr(Multiaddr(address)))
        case {"publish": data, "topic": topic}:
            await pubsub.publish(topic, bytes.fromhex(data))
        case {"bare": data, "topic": topic}:
            send_bare(pubsub, bytes.fromhex(data), topic)
        case {"status": topic}:
            mesh = [str(peer) for peer in pubsub.router.mesh.get(topic, ())]
            subscribed = [str(peer) for peer in pubsub.peer_topics.get(topic, ())]
            peers = [str(peer) for peer in pubsub.peers]
            say(mesh=mesh, subscribed=subscribed, peers=peers)


async def main(strict_signing: bool, topics: list[str]) -> None:
    host = new_host(listen_addrs=[LOOPBACK])
    router = GossipSub([TProtocol("/meshsub/1.1.0")], 6, 4, 12, heartbeat_interval=1)
    pubsub = Pubsub(host, router, strict_signing=strict_signing, msg_id_constructor=by_data)
    async with (
        host.run([LOOPBACK]),
        background_trio_service(pubsub),
        background_trio_service(router),
        trio.open_nursery() as nursery,
    ):
        await pubsub.wait_until_ready()
        for topic in topics:
            nursery.start_soon(hear, pubsub, topic)
        say(address=f"{host.get_transport_addrs()[0]}/p2p/{host.get_id()}")
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            await obey(host, pubsub, json.loads(line))
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1] == "strict", sys.argv[2:])
