"""HTTP/1.1 with one front end: h11 says what the bytes mean, this file moves them within bounds.

No endpoints here (app.py). Each step has a time limit: the head of a request, its body, and each part of an
answer. So a front end that stops in the middle loses its connection, and the node gets the slot back.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11
import trio

from p2pforum.api.problems import BadRequest
from p2pforum.core import limits

READ_SIZE = 64 * 1024  # bytes asked of the socket at once

Write = Callable[[bytes], Awaitable[None]]


class FrontEndGone(Exception):
    """The front end closed the connection, or does not read."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    query: str
    content_type: str


class FrontEndConnection:
    """One request after another, each answered before the next is read.

    Every method but `finish` raises FrontEndGone.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.MAX_API_HEAD)
        self._idle = trio.CancelScope()
        self.is_finishing = False  #: no further request is taken, and streams without an end of their own end
        self._wants_body = True
        self.scope = trio.CancelScope(shield=True)  #: everything here runs in it: `finish` ends it

    def finish(self, within: float) -> None:
        """End now if no request is under way, else after its answer, and at the latest `within` seconds."""
        self.is_finishing = True
        self._idle.cancel()
        self.scope.deadline = trio.current_time() + within

    def pause(self, seconds: float) -> trio.CancelScope:
        """For waiting while nothing is under way and `is_finishing` is false: `finish` ends it at once."""
        self._idle = trio.CancelScope(deadline=trio.current_time() + seconds)
        return self._idle

    async def next_request(self) -> Head | None:
        """The next request. None if there is none: the connection was idle for too long, or has ended.

        Raises BadRequest if the front end does not speak HTTP/1.1.
        """
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        elif self._http.our_state is not h11.IDLE:
            await self._leave()
            return None
        if self.is_finishing:
            return None
        with self.pause(limits.API_IDLE_SECONDS):
            event = await self._next_event()
            if isinstance(event, h11.Request):
                self._wants_body = event.method != b"HEAD"
                return _head_of(event)
        return None

    async def body(self, most: int) -> bytes:
        """The body of the request. Raises BadRequest as soon as it is larger than `most` bytes, whatever the
        Content-Length says, and if it does not come within API_BODY_SECONDS.
        """
        body = bytearray()
        with trio.move_on_after(limits.API_BODY_SECONDS):
            while isinstance(event := await self._next_event(), h11.Data):
                body += event.data
                if len(body) > most:
                    raise BadRequest(413, "too large", f"the body has more than {most} bytes")
            return bytes(body)
        raise BadRequest(408, "too slow", f"the body did not come within {limits.API_BODY_SECONDS} s")

    async def answer(self, status: int, content_type: str, body: bytes) -> None:
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        if self.is_finishing or self._is_unread():
            headers.append(("Connection", "close"))
        content = [h11.Data(data=body)] if self._wants_body else []
        await self._send(h11.Response(status_code=status, headers=headers), *content, h11.EndOfMessage())

    async def stream(self, content_type: str, produce: Callable[[Write], Awaitable[None]]) -> None:
        """An answer that comes piece by piece; the connection ends with it. `produce` is cancelled if the
        front end closes the connection or its sending side. Then it raises FrontEndGone.
        """

        async def write(piece: bytes) -> None:
            try:
                await self._send(h11.Data(data=piece))
            except FrontEndGone:
                nursery.cancel_scope.cancel()
                await trio.lowlevel.checkpoint_if_cancelled()

        is_whole = False
        headers = [("Content-Type", content_type), ("Connection", "close")]
        await self._send(h11.Response(status_code=200, headers=headers))
        if not self._wants_body:
            await self._send(h11.EndOfMessage())
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_when_gone, nursery.cancel_scope)
            await produce(write)
            is_whole = True
            nursery.cancel_scope.cancel()
        if not is_whole:
            raise FrontEndGone
        await self._send(h11.EndOfMessage())

    async def _cancel_when_gone(self, scope: trio.CancelScope) -> None:
        await self._throw_away()
        scope.cancel()

    async def _throw_away(self) -> None:
        """Read and discard what still comes, until the front end has closed its side."""
        with suppress(trio.BrokenResourceError):
            while await self._stream.receive_some(READ_SIZE):
                pass

    def _is_unread(self) -> bool:
        """Whether the front end may still be sending bytes that will not be read."""
        return self._http.their_state in (h11.SEND_BODY, h11.ERROR)

    async def _leave(self) -> None:
        """Close so that a front end that is still sending can read the answer: a socket that is closed with
        unread bytes is reset.
        """
        if self._is_unread():
            with trio.move_on_after(limits.API_IDLE_SECONDS), suppress(trio.BrokenResourceError):
                await self._stream.send_eof()
                await self._throw_away()

    async def _next_event(self) -> object:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    await self._send(h11.InformationalResponse(status_code=100, headers=[]))
                self._http.receive_data(bytes(await self._stream.receive_some(READ_SIZE)))
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint, "malformed", "that is no HTTP/1.1 request") from error
        except trio.BrokenResourceError as error:
            raise FrontEndGone from error
        return event

    async def _send(self, *events: h11.Event) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        try:
            with trio.move_on_after(limits.API_TAKE_SECONDS) as taking:
                await self._stream.send_all(data)
        except trio.BrokenResourceError as error:
            raise FrontEndGone from error
        if taking.cancelled_caught:
            raise FrontEndGone


def _head_of(request: h11.Request) -> Head:
    """Raises BadRequest for a request whose end two programs could see at two positions
    (request smuggling).
    """
    headers: dict[bytes, Any] = dict(request.headers)
    if b"content-length" in headers and b"transfer-encoding" in headers:
        raise BadRequest(400, "malformed", "Content-Length and Transfer-Encoding exclude each other")
    path, _, query = request.target.decode("ascii").partition("?")
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    return Head(request.method.decode("ascii"), path, query, content_type)
