"""Requests of front ends to the node and its answers: the Starlette application.

No sockets here (server.py), no logic of the node (backend.py). Requests are never logged: together
with a peer's view of the clock they would tell who wrote what.
"""

import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from p2pforum import __version__
from p2pforum.api.backend import ApiBackend
from p2pforum.core import errors, limits
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.core.verdict import Outcome

_log = logging.getLogger(__name__)

API_VERSION = 1

_STATUS = {
    Outcome.STORED: 201,
    Outcome.DUPLICATE: 200,
    Outcome.TOO_EARLY: 409,
    Outcome.REFUSED: 403,
    Outcome.INVALID: 422,
}

# First match wins: subclasses before their bases.
_ERRORS: list[tuple[type[errors.P2PForumError], int, str]] = [
    (errors.InvalidPost, 422, "invalid"),
    (errors.Refused, 403, "refused"),
    (errors.NotFound, 404, "not found"),
    (errors.Ambiguous, 409, "ambiguous"),
    (errors.NetworkError, 502, "network"),
    (errors.RemoteProtocolError, 502, "network"),
    (errors.StoreError, 507, "store"),
    (errors.P2PForumError, 500, "error"),
]


class _TooLarge(Exception):
    """The body of a request is over its bound."""


class _TooSlow(Exception):
    """The body of a request did not come."""


def build_app(backend: ApiBackend) -> Starlette:
    def route(path: str, method: str, act: Callable[[ApiBackend, Request], Awaitable[Response]]) -> Route:
        return Route(path, _guarded(partial(act, backend)), methods=[method])

    return Starlette(
        routes=[
            route("/v1/posts", "POST", _submit),
            route("/v1/forget", "POST", _forget),
            route("/v1/scrub", "POST", _scrub),
            route("/v1/status", "GET", _status),
            route("/v1/peers", "GET", _peers),
            route("/v1/sync", "POST", _sync),
            route("/v1/stop", "POST", _stop),
            route("/v1/version", "GET", _version),
        ],
        exception_handlers={404: _no_such_path, 405: _no_such_method},
    )


async def _submit(backend: ApiBackend, request: Request) -> Response:
    if request.headers.get("content-type") != "application/cbor":
        return _problem(415, "unsupported", "a post is sent as application/cbor")
    listen = _seconds(request.query_params.get("listen", "0"))
    if listen is None:
        return _problem(400, "malformed", f"listen is a number from 0 to {limits.MAX_LISTEN_SECONDS}")
    raw = await _read_body(request, limits.MAX_POST)
    done = await backend.submit(raw, listen)
    answer: dict[str, Any] = {"outcome": done.outcome.value, "id": done.id and format_id(done.id)}
    if done.outcome not in (Outcome.STORED, Outcome.DUPLICATE):
        answer |= {"error": done.reason or done.outcome.value, "code": done.outcome.value}
    if done.spread is not None:
        answer["spread"] = done.spread
    return JSONResponse(answer, _STATUS[done.outcome])


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= limits.MAX_LISTEN_SECONDS else None


async def _forget(backend: ApiBackend, request: Request) -> Response:
    """One ID in one request: that two posts go together is nothing for the node to know."""
    try:
        asked = json.loads(await _read_body(request, limits.MAX_API_BODY))
        post_id = parse_id(asked["id"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return _problem(400, "malformed", 'the body is not {"id": "a whole ID"}')
    return JSONResponse({"forgotten": await backend.forget(post_id)})


async def _scrub(backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse({"clean": await backend.scrub()})


async def _status(backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse(backend.status())


async def _peers(backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse(backend.peers())


async def _stop(backend: ApiBackend, _request: Request) -> Response:
    backend.stop()
    return JSONResponse({"stopping": True}, 202)


async def _version(_backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse({"version": __version__, "api": API_VERSION})


async def _sync(backend: ApiBackend, request: Request) -> Response:
    body = await _read_body(request, limits.MAX_API_BODY)
    try:
        asked = json.loads(body or b"{}")
    except (ValueError, RecursionError):  # 4 KiB of "[" are too deep for Python
        return _problem(400, "malformed", "the body is not JSON")
    target = asked.get("peer", "") if isinstance(asked, dict) else None
    if not isinstance(target, str):
        return _problem(400, "malformed", 'the body is not {"peer": "an address or a peer ID"}')
    return _SyncResponse(backend, target)


class _SyncResponse(Response):
    """One JSON object a line: {"progress": ...} while it runs, then {"result": ...} or {"error", "code"}.

    An empty line every few seconds says that the node is alive. Steps are dropped, not queued, when
    the front end reads slowly; the session never waits for it.
    """

    media_type = "application/x-ndjson"

    def __init__(self, backend: ApiBackend, target: str) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._backend, self._target = backend, target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        last = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
            last = await self._relay(send)
            nursery.cancel_scope.cancel()
        # Out of reach of that watch: Hypercorn tells it of the end from inside this send.
        await send({"type": "http.response.body", "body": last})

    async def _relay(self, send: Send) -> bytes:
        """Send the steps as they come, and give the last line."""
        into, steps = trio.open_memory_channel[dict[str, Any]](limits.API_PROGRESS_STEPS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run, into)
            step: dict[str, Any] = {"progress": {}}
            while "progress" in step:
                line = b"\n"
                with trio.move_on_after(limits.API_ALIVE_SECONDS):
                    step = await steps.receive()
                    line = _json_line(step)
                if "progress" in step:
                    await send({"type": "http.response.body", "body": line, "more_body": True})
        return _json_line(step)

    async def _run(self, into: trio.MemorySendChannel[dict[str, Any]]) -> None:
        def report(step: dict[str, Any]) -> None:
            with contextlib.suppress(trio.WouldBlock):  # the next step says more
                into.send_nowait({"progress": step})

        try:
            last = {"result": await self._backend.sync(self._target, report)}
        except Exception as error:
            last = _describe(error)[1]
        await into.send(last)


def _json_line(step: dict[str, Any]) -> bytes:
    return json.dumps(step).encode() + b"\n"


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    await _drain(receive)
    scope.cancel()


async def _drain(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _guarded(act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """What an endpoint raises becomes an answer; a bug is logged here and stays with this request."""

    async def endpoint(request: Request) -> Response:
        try:
            return await act(request)
        except ClientDisconnect:
            return Response()  # nobody reads it
        except _TooLarge as error:
            return _Draining(_problem(413, "too large", str(error)))
        except _TooSlow as error:
            return _problem(408, "too slow", str(error))
        except Exception as error:
            status, answer = _describe(error)
            return JSONResponse(answer, status)

    return endpoint


class _Draining(Response):
    """Sends a response while throwing away what still comes, or the sender would never read it."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_drain, receive)
            await self._response(scope, receive, send)
            nursery.cancel_scope.cancel()


async def _read_body(request: Request, most: int) -> bytes:
    """Raises _TooLarge as soon as it is, whatever the Content-Length says."""
    body = bytearray()
    with trio.move_on_after(limits.API_BODY_SECONDS):
        async with contextlib.aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > most:
                    raise _TooLarge(f"the body has more than {most} bytes")
        return bytes(body)
    raise _TooSlow(f"the body did not come within {limits.API_BODY_SECONDS} s")


def _describe(error: Exception) -> tuple[int, dict[str, Any]]:
    for kind, status, code in _ERRORS:
        if isinstance(error, kind):
            answer: dict[str, Any] = {"error": str(error), "code": code}
            if isinstance(error, errors.Ambiguous):
                answer["candidates"] = error.candidates
            return status, answer
    _log.error("a request of a front end failed", exc_info=error)
    return 500, {"error": "the node failed on this request; its log has the reason", "code": "internal"}


def _problem(status: int, code: str, text: str) -> Response:
    return JSONResponse({"error": text, "code": code}, status)


async def _no_such_path(_request: Request, _error: Exception) -> Response:
    return _problem(404, "no such path", "no such path; docs/API.md lists them")


async def _no_such_method(_request: Request, _error: Exception) -> Response:
    return _problem(405, "no such method", "that path has another method; docs/API.md lists them")
