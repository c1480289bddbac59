"""What front ends can ask of the node: the endpoints and their answers.

No sockets here (server.py), no logic of the node (backend.py). Requests are never logged: an attacker who has
the log and a peer's record of times could see who wrote what.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from p2pforum import __version__
from p2pforum.api.answers import Version
from p2pforum.api.backend import ApiBackend
from p2pforum.api.connection import Head
from p2pforum.api.problems import BadRequest
from p2pforum.core import limits
from p2pforum.core.bundle import split_posts
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.core.verdict import Outcome

T = TypeVar("T")

API_VERSION = 1

STATUS = {
    Outcome.STORED: 201,
    Outcome.DUPLICATE: 200,
    Outcome.TOO_EARLY: 409,
    Outcome.REFUSED: 403,
    Outcome.INVALID: 422,
}


@dataclass(frozen=True, slots=True)
class Request:
    backend: ApiBackend
    head: Head
    body: bytes


@dataclass(frozen=True, slots=True)
class Sync:
    """The answer is a sync with that peer, while it runs."""

    target: str


@dataclass(frozen=True, slots=True)
class Listen:
    """The answer tells of new posts until the front end or the node goes away."""


Answer = tuple[int, Any] | Sync | Listen
"""A status and a value for JSON, or a stream."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    act: Callable[[Request], Awaitable[Answer]]
    most: int = limits.MAX_API_BODY  #: bytes of the body


def find_route(head: Head) -> Route:
    """The endpoint for a path and method. Raises BadRequest (404, 405) if there is none."""
    route = ROUTES.get(head.path)
    if route is None:
        raise BadRequest(404, "no such path", "no such path; docs/API.md lists them")
    if head.method != route.method and (head.method, route.method) != ("HEAD", "GET"):
        raise BadRequest(405, "no such method", "that path has another method; docs/API.md lists them")
    return route


async def _submit(request: Request) -> Answer:
    _check_type(request, "a post is", "application/cbor")
    listen = _seconds(dict(parse_qsl(request.head.query, keep_blank_values=True)).get("listen", "0"))
    done = await request.backend.submit(request.body, listen)
    answer: dict[str, Any] = {"outcome": done.outcome.value, "id": done.id and format_id(done.id)}
    if done.outcome not in (Outcome.STORED, Outcome.DUPLICATE):
        answer |= {"error": done.reason or done.outcome.value, "code": done.outcome.value}
    if done.spread is not None:
        answer["spread"] = done.spread
    return STATUS[done.outcome], answer


def _check_type(request: Request, what: str, content_type: str) -> None:
    if request.head.content_type != content_type:
        raise BadRequest(415, "unsupported", f"{what} sent as {content_type}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if 0 <= seconds <= limits.MAX_LISTEN_SECONDS:
        return seconds
    raise BadRequest(400, "malformed", f"listen is a number from 0 to {limits.MAX_LISTEN_SECONDS}")


async def _forget(request: Request) -> Answer:
    """One ID in one request: the node must not learn that two posts belong together."""
    post_id = _asked(request, '{"id": "a whole ID"}', lambda asked: parse_id(asked["id"]))
    return 200, {"forgotten": await request.backend.forget(post_id)}


async def _scrub(request: Request) -> Answer:
    return 200, {"clean": await request.backend.scrub()}


async def _submit_bundle(request: Request) -> Answer:
    _check_type(request, "posts are", "application/x-p2pforum-posts")
    counts = await request.backend.submit_bundle(split_posts(request.body))
    return 200, {outcome.value: count for outcome, count in counts.items()}


async def _pin(request: Request) -> Answer:
    root, pinned = _asked(
        request,
        '{"root": "a whole ID", "pinned": true or false}',
        lambda asked: (parse_id(asked["root"]), _of_type(bool, asked["pinned"])),
    )
    return 200, {"changed": await request.backend.pin(root, pinned)}


async def _status(request: Request) -> Answer:
    return 200, request.backend.status()


async def _peers(request: Request) -> Answer:
    return 200, request.backend.peers()


async def _reload(request: Request) -> Answer:
    request.backend.reload()
    return 200, {"reloaded": True}


async def _stop(request: Request) -> Answer:
    request.backend.stop()
    return 202, {"stopping": True}


async def _version(_request: Request) -> Answer:
    answer: Version = {"version": __version__, "api": API_VERSION}
    return 200, answer


async def _sync(request: Request) -> Answer:
    shape = '{"peer": "an address or a peer ID"}'
    return Sync(_asked(request, shape, lambda asked: _of_type(str, asked.get("peer", ""))))


async def _new(_request: Request) -> Answer:
    return Listen()


def _asked(request: Request, shape: str, read: Callable[[Any], T]) -> T:
    """The parts of the request that `read` finds in the JSON of the body; an empty body counts as {}.

    All JSON from front ends comes through here. Raises BadRequest for JSON of another shape.
    """
    try:
        asked = json.loads(request.body or b"{}")
        json.dumps(asked, ensure_ascii=False).encode()  # an answer can hold no half character
        return read(asked)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        text = f"the body is not {shape}"  # 4 KiB of "[" are too deep for Python
        raise BadRequest(400, "malformed", text) from error


def _of_type(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError
    return value


ROUTES = {
    "/v1/posts": Route("POST", _submit, limits.MAX_POST),
    "/v1/bundle": Route("POST", _submit_bundle, limits.MAX_BUNDLE_CHUNK),
    "/v1/pin": Route("POST", _pin),
    "/v1/forget": Route("POST", _forget),
    "/v1/scrub": Route("POST", _scrub),
    "/v1/status": Route("GET", _status),
    "/v1/peers": Route("GET", _peers),
    "/v1/sync": Route("POST", _sync),
    "/v1/new": Route("GET", _new),
    "/v1/reload": Route("POST", _reload),
    "/v1/stop": Route("POST", _stop),
    "/v1/version": Route("GET", _version),
}
