"""The stdlib client against the real server, and what it says when there is none."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from api_backend import RecordingBackend
from node_answers import a_status, sums

from p2pforum.api.backend import Submitted
from p2pforum.api.client import NodeClient
from p2pforum.api.server import serve_api
from p2pforum.core.errors import (
    Ambiguous,
    InvalidPost,
    NodeUnreachable,
    NotFound,
    P2PForumError,
    Refused,
    StoreError,
)
from p2pforum.core.post_id import format_id
from p2pforum.core.verdict import Outcome


@pytest.fixture
def client(server: RecordingBackend, socket_path: Path) -> NodeClient:
    return NodeClient(socket_path)


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """The client blocks: it belongs in a thread here, as in a process of its own."""
    return await trio.to_thread.run_sync(function, *args)


async def test_submit(client: NodeClient, backend: RecordingBackend) -> None:
    kept = await in_thread(client.submit, b"a post")
    assert (kept.id, kept.is_new) == (format_id(bytes(32)), True)
    backend.answer = Submitted(Outcome.DUPLICATE, bytes(32))
    assert not (await in_thread(client.submit, b"a post")).is_new


async def test_forget_and_scrub(client: NodeClient, backend: RecordingBackend) -> None:
    assert await in_thread(client.forget, bytes(32))
    assert not await in_thread(client.forget, b"x" * 32)
    assert backend.forgotten == [bytes(32), b"x" * 32], "one ID in each request"
    assert await in_thread(client.scrub)


@pytest.mark.parametrize(
    ("outcome", "error"),
    [(Outcome.INVALID, InvalidPost), (Outcome.REFUSED, Refused), (Outcome.TOO_EARLY, Refused)],
)
async def test_posts_that_are_not_taken(
    client: NodeClient, backend: RecordingBackend, outcome: Outcome, error: type[Exception]
) -> None:
    backend.answer = Submitted(outcome, None, "the reason")
    with pytest.raises(error, match="the reason"):
        await in_thread(client.submit, b"a post")


async def test_errors_of_the_node(
    client: NodeClient, backend: RecordingBackend, wanted_faults: list[str]
) -> None:
    wanted_faults.append("a request of a front end failed")
    backend.error = StoreError("the disk is full")
    with pytest.raises(StoreError, match="the disk is full"):
        await in_thread(client.submit, b"a post")
    backend.error = RuntimeError("secret detail")
    with pytest.raises(P2PForumError, match="the node failed"):
        await in_thread(client.submit, b"a post")
    with pytest.raises(Refused, match="more than 16000 bytes"):
        await in_thread(client.submit, b"x" * 100_000)


async def test_the_rest(client: NodeClient, backend: RecordingBackend) -> None:
    assert (await in_thread(client.status))["peers"] == 2
    assert len(await in_thread(client.peers)) == 1
    assert await in_thread(client.is_running)
    await in_thread(client.stop)
    assert backend.stopped.is_set()


async def test_sync(client: NodeClient) -> None:
    steps = await in_thread(lambda: list(client.sync("12D3")))
    assert steps[0] == {"progress": sums(wanted=3)}
    assert steps[-1] == {"result": {**sums(new=3, sent=1), "done": 1, "sessions": []}}


async def test_sync_errors(client: NodeClient) -> None:
    with pytest.raises(NotFound, match="no connected peer"):
        await in_thread(lambda: list(client.sync("nobody")))
    with pytest.raises(Ambiguous) as caught:
        await in_thread(lambda: list(client.sync("several")))
    assert caught.value.candidates == ["12D3KooWaaa", "12D3KooWabc"]


async def test_leaving_a_sync_ends_it(client: NodeClient, backend: RecordingBackend) -> None:
    def leave_early() -> None:
        steps = client.sync("slow")
        assert "progress" in next(steps)
        steps.close()

    await in_thread(leave_early)
    with trio.fail_after(30):
        await backend.sync_cancelled.wait()


async def test_new_posts(client: NodeClient, backend: RecordingBackend) -> None:
    def listen() -> list[list[bytes]]:
        steps = client.new_posts()
        heard = [next(steps)]
        trio.from_thread.run_sync(backend.new_posts.tell, [bytes(32), b"x" * 32])
        heard.append(next(steps))
        steps.close()
        return heard

    assert await in_thread(listen) == [[], [bytes(32), b"x" * 32]]
    with trio.fail_after(30):
        while backend.new_posts._listeners:
            await trio.sleep(0.001)


async def test_a_stream_of_new_posts_ends_with_the_node(backend: RecordingBackend, tmp_path: Path) -> None:
    path = tmp_path / "data" / "api.sock"
    steps = NodeClient(path).new_posts()
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_api, backend, path)
        assert await in_thread(next, steps) == []
        nursery.cancel_scope.cancel()
    with pytest.raises(NodeUnreachable, match="the node ended"):
        await in_thread(next, steps)


def test_no_node(tmp_path: Path) -> None:
    client = NodeClient(tmp_path / "api.sock")
    assert not client.is_running()
    with pytest.raises(NodeUnreachable, match="no node is running"):
        client.status()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "api.sock"))
    with pytest.raises(NodeUnreachable, match="no node is running"):
        client.status()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n7\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n["new", ["short"]]\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"new": ["short"]}\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"new": [{}]}\n',
    ],
)
@pytest.mark.parametrize("call", ["status", "sync", "new_posts"])
def test_a_node_that_dies_or_is_none(tmp_path: Path, answer: Any, call: str) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer_one() -> None:
            with listening.accept()[0] as connection:
                connection.recv(10_000)
                connection.sendall(answer)

        thread = threading.Thread(target=answer_one)
        thread.start()
        client = NodeClient(path)
        # Where only keys are missing it may be a node of another version, and must not pass for none.
        is_json = call == "status" and answer.endswith(b"}\n")
        with pytest.raises(P2PForumError if is_json else NodeUnreachable):
            client.status() if call == "status" else list(getattr(client, call)())
        thread.join()


def test_a_node_of_another_version_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status = a_status()
    monkeypatch.setattr(NodeClient, "_ask", lambda *_: status)
    client = NodeClient(Path("unused"))
    assert client.status() == status
    status["later"] = 1
    assert client.status() == status, "a later node may say more"
    del status["stem"]
    with pytest.raises(P2PForumError, match="another version") as caught:
        client.status()
    assert not isinstance(caught.value, NodeUnreachable)


def test_the_client_is_light() -> None:
    """It is loaded by every front end that writes: no trio, no third-party HTTP."""
    program = "import sys, p2pforum.api.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"trio", "anyio", "httpx", "h11", "libp2p"} & set(loaded.stdout.split())
