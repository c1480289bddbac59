"""Requests of front ends to the node and its answers: the Starlette application.

No sockets here (server.py), no logic of the node (backend.py). Requests are never logged: together
with a peer's view of the clock they would tell who wrote what.
"""

import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import trio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from p2pforum import __version__
from p2pforum.api.backend import ApiBackend
from p2pforum.api.problems import describe, problem
from p2pforum.api.streaming import Draining, SyncResponse
from p2pforum.core import limits
from p2pforum.core.bundle import split_posts
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.core.verdict import Outcome

_log = logging.getLogger(__name__)

T = TypeVar("T")

API_VERSION = 1

_STATUS = {
    Outcome.STORED: 201,
    Outcome.DUPLICATE: 200,
    Outcome.TOO_EARLY: 409,
    Outcome.REFUSED: 403,
    Outcome.INVALID: 422,
}


class _Malformed(Exception):
    """The body of a request is not what the endpoint wants."""


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
            route("/v1/bundle", "POST", _submit_bundle),
            route("/v1/pin", "POST", _pin),
            route("/v1/forget", "POST", _forget),
            route("/v1/scrub", "POST", _scrub),
            route("/v1/status", "GET", _status),
            route("/v1/peers", "GET", _peers),
            route("/v1/sync", "POST", _sync),
            route("/v1/reload", "POST", _reload),
            route("/v1/stop", "POST", _stop),
            route("/v1/version", "GET", _version),
        ],
        exception_handlers={404: _no_such_path, 405: _no_such_method},
    )


async def _submit(backend: ApiBackend, request: Request) -> Response:
    if request.headers.get("content-type") != "application/cbor":
        return problem(415, "unsupported", "a post is sent as application/cbor")
    listen = _seconds(request.query_params.get("listen", "0"))
    if listen is None:
        return problem(400, "malformed", f"listen is a number from 0 to {limits.MAX_LISTEN_SECONDS}")
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
    post_id = await _asked(request, '{"id": "a whole ID"}', lambda asked: parse_id(asked["id"]))
    return JSONResponse({"forgotten": await backend.forget(post_id)})


async def _scrub(backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse({"clean": await backend.scrub()})


async def _submit_bundle(backend: ApiBackend, request: Request) -> Response:
    if request.headers.get("content-type") != "application/x-p2pforum-posts":
        return problem(415, "unsupported", "posts are sent as application/x-p2pforum-posts")
    raws = split_posts(await _read_body(request, limits.MAX_BUNDLE_CHUNK))
    counts = await backend.submit_bundle(raws)
    return JSONResponse({outcome.value: count for outcome, count in counts.items()})


async def _pin(backend: ApiBackend, request: Request) -> Response:
    shape = '{"root": "a whole ID", "pinned": true or false}'
    root, pinned = await _asked(
        request, shape, lambda asked: (parse_id(asked["root"]), _of_type(bool, asked["pinned"]))
    )
    return JSONResponse({"changed": await backend.pin(root, pinned)})


async def _status(backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse(backend.status())


async def _peers(backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse(backend.peers())


async def _reload(backend: ApiBackend, _request: Request) -> Response:
    backend.reload()
    return JSONResponse({"reloaded": True})


async def _stop(backend: ApiBackend, _request: Request) -> Response:
    backend.stop()
    return JSONResponse({"stopping": True}, 202)


async def _version(_backend: ApiBackend, _request: Request) -> Response:
    return JSONResponse({"version": __version__, "api": API_VERSION})


async def _sync(backend: ApiBackend, request: Request) -> Response:
    shape = '{"peer": "an address or a peer ID"}'
    target = await _asked(request, shape, lambda asked: _of_type(str, asked.get("peer", "")))
    return SyncResponse(backend, target)


async def _asked(request: Request, shape: str, read: Callable[[Any], T]) -> T:
    """What `read` finds in the JSON of the body; an empty body counts as {}.

    All JSON from front ends comes through here. Raises _Malformed for what is not of that shape.
    """
    body = await _read_body(request, limits.MAX_API_BODY)
    try:
        asked = json.loads(body or b"{}")
        json.dumps(asked, ensure_ascii=False).encode()  # half a character could be in no answer
        return read(asked)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _Malformed(f"the body is not {shape}") from error  # 4 KiB of "[" are too deep for Python


def _of_type(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _guarded(act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """What an endpoint raises becomes an answer; a bug is logged here and stays with this request."""

    async def endpoint(request: Request) -> Response:
        try:
            return await act(request)
        except ClientDisconnect:
            return Response()  # nobody reads it
        except _Malformed as error:
            return problem(400, "malformed", str(error))
        except _TooLarge as error:
            return Draining(problem(413, "too large", str(error)))
        except _TooSlow as error:
            return problem(408, "too slow", str(error))
        except Exception as error:
            status, answer = describe(error)
            return JSONResponse(answer, status)

    return endpoint


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


async def _no_such_path(_request: Request, _error: Exception) -> Response:
    return problem(404, "no such path", "no such path; docs/API.md lists them")


async def _no_such_method(_request: Request, _error: Exception) -> Response:
    return problem(405, "no such method", "that path has another method; docs/API.md lists them")
