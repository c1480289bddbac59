"""Each endpoint against the real server, with a foreign HTTP client; and what bad requests get."""

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from api_backend import RecordingBackend
from node_answers import sums

from p2pforum import __version__
from p2pforum.api.app import ROUTES
from p2pforum.api.backend import Submitted
from p2pforum.core import limits
from p2pforum.core.bundle import join_posts
from p2pforum.core.errors import ConfigError, KeystoreError, StoreError
from p2pforum.core.post_id import format_id
from p2pforum.core.verdict import Outcome

CBOR = {"Content-Type": "application/cbor"}
FAILED = "a request of a front end failed"  # by a fault of the node's own


async def test_version_status_peers(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/version")).json() == {"version": __version__, "api": 1}
    assert (await http.get("/v1/status")).json()["peer_id"] == "12D3KooWself"
    assert (await http.get("/v1/peers")).json()[0]["direction"] == "outbound"


async def test_submit(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    response = await http.post("/v1/posts", content=b"a post", headers=CBOR)
    assert response.status_code == 201
    assert response.json() == {"outcome": "stored", "id": format_id(bytes(32))}
    assert backend.submitted == [b"a post"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.DUPLICATE, 200), (Outcome.TOO_EARLY, 409), (Outcome.REFUSED, 403), (Outcome.INVALID, 422)],
)
async def test_other_outcomes(
    http: httpx.AsyncClient, backend: RecordingBackend, outcome: Outcome, status: int
) -> None:
    backend.answer = Submitted(outcome, None, "the reason")
    response = await http.post("/v1/posts", content=b"a post", headers=CBOR)
    answer = response.json()
    assert response.status_code == status
    assert answer["outcome"] == outcome.value
    if status >= 400:
        assert answer["error"] == "the reason"
        assert answer["code"] == outcome.value


async def test_submit_and_listen(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    backend.answer = Submitted(Outcome.STORED, bytes(32), "", {"handed": 3, "told": 2, "heard": 1})
    response = await http.post("/v1/posts?listen=2.5", content=b"a post", headers=CBOR)
    assert response.json()["spread"] == {"handed": 3, "told": 2, "heard": 1}
    await http.post("/v1/posts", content=b"a post", headers=CBOR)
    assert backend.listened == [2.5, 0]
    for bad in ("-1", "31", "nan", "inf", "soon", ""):
        response = await http.post(f"/v1/posts?listen={bad}", content=b"a post", headers=CBOR)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert len(backend.listened) == 2


async def test_forget_and_scrub(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    answer = await http.post("/v1/forget", json={"id": format_id(bytes(32))})
    assert (answer.status_code, answer.json()) == (200, {"forgotten": True})
    answer = await http.post("/v1/forget", json={"id": format_id(b"x" * 32)})
    assert answer.json() == {"forgotten": False}
    assert backend.forgotten == [bytes(32), b"x" * 32]
    for bad in ({"id": "abcd"}, {"ids": []}, ["x"], {"id": 5}, {"id": None}, "text"):
        assert (await http.post("/v1/forget", json=bad)).json()["code"] == "malformed"
    assert (await http.post("/v1/forget", content=b"no JSON")).status_code == 400
    assert len(backend.forgotten) == 2
    assert (await http.post("/v1/scrub")).json() == {"clean": True}


async def test_store_errors_are_told_and_bugs_are_not(
    http: httpx.AsyncClient,
    backend: RecordingBackend,
    caplog: pytest.LogCaptureFixture,
    wanted_faults: list[str],
) -> None:
    backend.error = StoreError("the disk is full")
    response = await http.post("/v1/posts", content=b"a post", headers=CBOR)
    assert response.status_code == 507
    assert response.json() == {"error": "the disk is full", "code": "store"}
    assert not caplog.records
    backend.error = RuntimeError("secret detail")
    response = await http.post("/v1/posts", content=b"a post", headers=CBOR)
    assert response.status_code == 500
    assert response.json()["code"] == "internal"
    assert "secret" not in response.text
    assert "secret detail" in caplog.text  # the log has it, with the traceback
    wanted_faults.append(FAILED)


async def test_nothing_is_logged_of_a_request(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="p2pforum")
    await http.post("/v1/posts", content=b"a post", headers=CBOR)
    await http.get("/v1/nowhere")
    assert not [r for r in caplog.records if r.name.startswith("p2pforum")]


async def test_sync_streams_progress_and_result(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    lines = []
    async with http.stream("POST", "/v1/sync", json={"peer": "12D3"}) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) async for line in response.aiter_lines() if line]
    assert lines[0] == {"progress": sums(wanted=3)}
    assert lines[-1] == {"result": {**sums(new=3, sent=1), "done": 1, "sessions": []}}
    assert backend.synced == ["12D3"]


async def test_sync_with_everyone_needs_no_body(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    await http.post("/v1/sync")
    assert backend.synced == [""]


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("nobody", {"error": 'no connected peer is called "nobody"', "code": "not found"}),
        (
            "several",
            {
                "error": "several peers begin so",
                "code": "ambiguous",
                "candidates": ["12D3KooWaaa", "12D3KooWabc"],
            },
        ),
        ("bug", {"error": "the node failed on this request; its log has the reason", "code": "internal"}),
    ],
)
async def test_sync_errors_are_the_last_line(
    http: httpx.AsyncClient, target: str, answer: Any, wanted_faults: list[str]
) -> None:
    if target == "bug":
        wanted_faults.append(FAILED)
    response = await http.post("/v1/sync", json={"peer": target})
    assert json.loads(response.text) == answer


async def test_stop(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    response = await http.post("/v1/stop")
    assert response.status_code == 202
    assert backend.stopped.is_set()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [limits.MAX_POST + 1, 3_000_000])
async def test_oversized_posts(server: RecordingBackend, socket_path: Path, chunked: bool, size: int) -> None:
    """The answer reaches a client that only then stops sending, and the connection ends."""
    head = b"POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n"
    body = b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    if chunked:
        body = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n"
    answer = b""
    async with await trio.open_unix_socket(socket_path) as stream, trio.open_nursery() as nursery:

        async def send() -> None:
            with contextlib.suppress(trio.BrokenResourceError):
                await stream.send_all(head + body)

        nursery.start_soon(send)
        with trio.fail_after(10):
            while not answer.endswith(b"}"):
                answer += await stream.receive_some()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"too large"' in answer
    assert server.submitted == []


async def test_a_post_of_the_largest_size_is_read(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    await http.post("/v1/posts", content=b"x" * limits.MAX_POST, headers=CBOR)
    assert len(backend.submitted[0]) == limits.MAX_POST


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status"),
    [
        ("POST", "/v1/posts", b"x", {"Content-Type": "text/plain"}, 415),
        ("POST", "/v1/posts", b"x", {}, 415),
        ("GET", "/v1/posts", None, {}, 405),
        ("GET", "/v2/status", None, {}, 404),
        ("GET", "/v1/status/../../etc/passwd", None, {}, 404),
        ("POST", "/v1/sync", b"{", {}, 400),
        ("POST", "/v1/sync", b"[" * limits.MAX_API_BODY, {}, 400),
        ("POST", "/v1/sync", b'{"peer": 5}', {}, 400),
        ("POST", "/v1/sync", b"[]", {}, 400),
        ("POST", "/v1/sync", b"\xff\xfe\x00", {}, 400),
        ("POST", "/v1/sync", b" " * (limits.MAX_API_BODY + 1), {}, 413),
    ],
)
async def test_bad_requests(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    content: bytes | None,
    headers: dict[str, str],
    status: int,
) -> None:
    response = await http.request(method, path, content=content, headers=headers)
    assert response.status_code == status
    assert set(response.json()) == {"error", "code"}


POSTS = {"Content-Type": "application/x-p2pforum-posts"}


async def test_posts_of_a_bundle(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    response = await http.post("/v1/bundle", content=join_posts([b"one", b"two"]), headers=POSTS)
    assert (response.status_code, response.json()) == (200, {"stored": 2})
    assert backend.submitted == [b"one", b"two"]


async def test_bad_bundles(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    assert (await http.post("/v1/bundle", content=b"\0\1x", headers=CBOR)).status_code == 415
    for body in (b"\0", b"\0\5x", b"\0\0", b"\xff\xff" + bytes(0xFFFF)):
        assert (await http.post("/v1/bundle", content=body, headers=POSTS)).status_code == 422
    large = bytes(limits.MAX_BUNDLE_CHUNK + 1)
    assert (await http.post("/v1/bundle", content=large, headers=POSTS)).status_code == 413
    assert backend.submitted == []


async def test_pin(http: httpx.AsyncClient, backend: RecordingBackend) -> None:
    root = format_id(bytes(32))
    for pinned, changed in ((True, True), (True, False), (False, True)):
        response = await http.post("/v1/pin", json={"root": root, "pinned": pinned})
        assert response.json() == {"changed": changed}
    for body in ({}, {"root": root}, {"root": root[:8], "pinned": True}, {"root": 7, "pinned": True}, [root]):
        assert (await http.post("/v1/pin", json=body)).status_code == 400
    assert not backend.pins


def routes_with_a_body() -> list[str]:
    """Whatever takes a POST, read off the table itself: a new endpoint is tested, too."""
    return sorted(path for path, route in ROUTES.items() if route.method == "POST")


JSON_BOMBS = [
    b"[" * 4_000,
    b'{"a":' * 800,
    b'{"id": "\\ud800", "root": "\\ud800", "pinned": true, "peer": "\\ud800"}',
    b'{"id": %s, "root": %s, "peer": %s}' % ((b"9" * 1_300,) * 3),
    b'{"id": [], "root": {}, "pinned": 1, "peer": 7}',
    b"null",
    b"\xff\xfe",
    b"NaN",
]
TYPES = ("application/json", "application/cbor", "application/x-p2pforum-posts")


@pytest.mark.parametrize("path", routes_with_a_body())
async def test_no_body_is_a_fault_of_the_node(
    http: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    for bomb in JSON_BOMBS:
        for content_type in TYPES:
            answer = await http.post(path, content=bomb, headers={"Content-Type": content_type})
            assert answer.status_code < 500, (bomb[:20], content_type, answer.text)
    assert not caplog.records


@pytest.mark.parametrize("path", ["/v1/forget", "/v1/pin", "/v1/sync"])
async def test_json_that_is_none_or_means_nothing_is_malformed(
    http: httpx.AsyncClient, backend: RecordingBackend, path: str
) -> None:
    for bomb in JSON_BOMBS:
        answer = await http.post(path, content=bomb)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), bomb[:20]
    assert not backend.forgotten
    assert not backend.synced
    assert not backend.pins


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("line 3: no"), "config"), (KeystoreError("no"), "keystore")]
)
async def test_a_mistake_of_the_user_is_no_fault_of_the_node(
    http: httpx.AsyncClient, backend: RecordingBackend, error: Exception, code: str
) -> None:
    backend.error = error
    answer = await http.post("/v1/reload")
    assert (answer.status_code, answer.json()) == (409, {"error": str(error), "code": code})
