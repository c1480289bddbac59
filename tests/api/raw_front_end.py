"""A front end that writes its bytes by hand, in virtual time and without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import trio
import trio.testing
from api_backend import RecordingBackend

from p2pforum.api.connection import FrontEndConnection, FrontEndGone
from p2pforum.api.server import converse

VERSION = b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n"
STOP = b"POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
POST = b"POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
NEW = b"GET /v1/new HTTP/1.1\r\nHost: x\r\n\r\n"
SYNC = b'POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{"peer": "slow"}'

Stream = trio.abc.HalfCloseableStream


class FrontEnd:
    """Our end, where we misbehave, and the node's connection to it."""

    def __init__(self, ours: Stream, theirs: Stream) -> None:
        self.stream = ours
        self.connection = FrontEndConnection(theirs)
        self.ended_at: float | None = None  # seconds of virtual time after the start
        self._theirs = theirs
        self._started = trio.current_time()

    async def serve(self, backend: RecordingBackend) -> None:
        """As server.py does."""
        try:
            with self.connection.scope:
                await converse(backend, self.connection)
        except FrontEndGone:
            pass
        finally:
            self.ended_at = trio.current_time() - self._started
            await trio.aclose_forcefully(self._theirs)

    async def read(self) -> bytes:
        """All that comes until the node closes."""
        received = b""
        while data := await self.stream.receive_some(1_000):
            received += data
        return received

    async def ask(self, request: bytes) -> bytes:
        await self.stream.send_all(request)
        return await self.read()


@asynccontextmanager
async def front_end(backend: RecordingBackend, *, lockstep: bool = False) -> AsyncIterator[FrontEnd]:
    """`lockstep`: what one side sends is in no buffer, the other takes it or it is not sent."""
    pair = trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
    peer = FrontEnd(*pair())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.serve, backend)
        try:
            with trio.fail_after(1_000):
                yield peer
        finally:
            peer.connection.finish(0)


def statuses(answer: bytes) -> list[int]:
    """Of each answer in these bytes, as a client that asked with GET reads them."""
    found = []
    while answer:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(answer)
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response | h11.InformationalResponse):
                found.append(event.status_code)
        answer = client.trailing_data[0]
    return found
