"""The two protocols that every libp2p node answers: identify and ping.

The answer to identify is the same on every node but for its key: no listen address, no observed address, no
signed record, no version of any part. This node never asks identify of peers, and accepts no pushes.
"""

from collections.abc import Iterable
from typing import Protocol

import trio

import p2pforum.network.on_demand  # noqa: F401  # must come before libp2p, so that only parts of it load

# isort: split
from libp2p.identity.identify.pb.identify_pb2 import Identify

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.network.interface import PeerID, StreamHandler
from p2pforum.network.libp2p_noise import Identity

AGENT = "p2pforum"  # with no version, because upgrades would tell nodes apart
PROTOCOL_VERSION = "ipfs/0.1.0"  # what every libp2p node says

IDENTIFY = "/ipfs/id/1.0.0"
PING = "/ipfs/ping/1.0.0"
PING_SIZE = 32  # bytes


class Speaker(Protocol):
    """What identify needs of a network."""

    @property
    def protocols(self) -> Iterable[str]: ...

    def set_handler(self, protocol: str, handler: StreamHandler) -> None: ...


def add_identify(network: Speaker, identity: Identity, agent: str) -> None:
    """Answer identify (libp2p specs, identify/README.md) with this node's key and protocols."""

    async def identify(peer: PeerID, stream: trio.abc.Stream) -> None:
        message = Identify(
            protocol_version=PROTOCOL_VERSION,
            agent_version=agent,
            public_key=identity.public_key,
            protocols=network.protocols,
            observed_addr=b"",  # present and empty: js-libp2p reads it
        ).SerializeToString()
        await stream.send_all(_varint(len(message)) + message)

    network.set_handler(IDENTIFY, identify)


def add_ping(network: Speaker) -> None:
    """Answer ping (libp2p specs, ping/ping.md): 32 bytes come back as they came, until the peer ends the
    stream."""

    async def ping(peer: PeerID, stream: trio.abc.Stream) -> None:
        while True:
            asked = bytearray()
            while len(asked) < PING_SIZE:
                part = await stream.receive_some(PING_SIZE - len(asked))
                if not part:
                    if asked:
                        raise RemoteProtocolError("half a ping")
                    return
                asked += part
            await stream.send_all(asked)

    network.set_handler(PING, ping)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
