"""multistream-select 1.0: two peers agree on the name of a protocol, on any trio stream.

Reads exactly the bytes of the negotiation, so that the protocol can use the stream afterwards. Names are
compared as bytes, so a name that is not UTF-8 simply counts as unknown.
"""

from collections.abc import Container

import trio

from p2pforum.core.errors import ProtocolRefused, RemoteProtocolError
from p2pforum.core.limits import MAX_PROTOCOL_NAME, MAX_PROTOCOL_TRIES

HEADER = b"/multistream/1.0.0"
NOT_AVAILABLE = b"na"


def encode(name: bytes) -> bytes:
    """Length as a varint, then the name and a newline; the length counts the newline."""
    length = len(name) + 1
    prefix = bytes([length]) if length < 0x80 else bytes([length & 0x7F | 0x80, length >> 7])
    return prefix + name + b"\n"


async def request(stream: trio.abc.Stream, protocol: str) -> None:
    """Ask for one protocol, in one round trip.

    Raises ProtocolRefused, RemoteProtocolError if the peer does not speak multistream, or what the stream
    raises.
    """
    name = protocol.encode()
    await stream.send_all(encode(HEADER) + encode(name))
    if await _read(stream) != HEADER:
        raise RemoteProtocolError("the peer does not speak multistream")
    if await _read(stream) != name:
        raise ProtocolRefused(f"the peer does not speak {protocol}")


async def answer(stream: trio.abc.Stream, protocols: Container[bytes]) -> str:
    """Let the peer choose one of `protocols`, and return it.

    "ls", which would list them, gets no list, because identify lists them. Raises RemoteProtocolError if the
    peer asks for too many unknown ones or breaks multistream.
    """
    await stream.send_all(encode(HEADER))
    if await _read(stream) != HEADER:
        raise RemoteProtocolError("the peer does not speak multistream")
    for _ in range(MAX_PROTOCOL_TRIES):
        name = await _read(stream)
        if name in protocols:
            await stream.send_all(encode(name))
            return name.decode()
        await stream.send_all(encode(NOT_AVAILABLE))
    raise RemoteProtocolError("the peer asked for too many unknown protocols")


async def _read(stream: trio.abc.Stream) -> bytes:
    length = (await receive_exactly(stream, 1))[0]
    if length >= 0x80:
        length = length & 0x7F | (await receive_exactly(stream, 1))[0] << 7
    if not 0 < length <= MAX_PROTOCOL_NAME:
        raise RemoteProtocolError("a protocol name of a wrong length")
    line = await receive_exactly(stream, length)
    if not line.endswith(b"\n"):
        raise RemoteProtocolError("a protocol name without its newline")
    return line[:-1]


async def receive_exactly(stream: trio.abc.Stream, length: int) -> bytes:
    """So many bytes and no more. Raises RemoteProtocolError if the stream ends before."""
    received = bytearray()
    while len(received) < length:
        part = await stream.receive_some(length - len(received))
        if not part:
            raise RemoteProtocolError("the stream ended during negotiation")
        received += part
    return bytes(received)
