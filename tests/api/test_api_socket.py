"""The socket itself: who may talk, what lies in the way, and that it always ends."""

import ast
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import trio
from api_backend import RecordingBackend

from p2pforum.api import server as api_server
from p2pforum.api.backend import Submitted
from p2pforum.api.client import NodeClient
from p2pforum.api.server import bound_socket, may_talk, serve_api
from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError, StoreBusy

NOBODY = 65534


async def ask_raw(path: Path, request: bytes) -> bytes:
    """What comes back for these bytes until the server closes."""
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(request)
        answer = b""
        with trio.fail_after(10):
            try:
                while data := await stream.receive_some():
                    answer += data
            except trio.BrokenResourceError:
                pass
        return answer


def test_modes(socket_path: Path) -> None:
    socket_path.parent.mkdir(mode=0o755)
    with bound_socket(socket_path):
        assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600
        assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700
    assert not socket_path.exists()


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(socket_path: Path) -> None:
    socket_path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))  # closed without unlink: what kill -9 leaves
    with bound_socket(socket_path):
        with pytest.raises(StoreBusy, match="another program"), bound_socket(socket_path):
            pass
        assert socket_path.is_socket()


def test_another_file_is_left_alone(socket_path: Path) -> None:
    socket_path.parent.mkdir()
    socket_path.write_text("mine")
    with pytest.raises(P2PForumError, match="in the way"), bound_socket(socket_path):
        pass
    assert socket_path.read_text() == "mine"


def test_at_the_end_only_our_own_socket_is_removed(socket_path: Path) -> None:
    with bound_socket(socket_path):
        socket_path.unlink()
        socket_path.write_text("someone else's")
    assert socket_path.exists()


async def test_a_path_too_long_for_the_kernel(
    backend: RecordingBackend, tmp_path: Path, nursery: trio.Nursery
) -> None:
    path = tmp_path / ("d" * 90) / ("e" * 90) / "api.sock"
    await nursery.start(serve_api, backend, path)
    status = await trio.to_thread.run_sync(NodeClient(path).status)
    assert status["network"] == "lab"


def test_only_this_uid_and_root() -> None:
    assert may_talk(os.getuid())
    assert may_talk(0)
    assert may_talk(NOBODY) is (os.getuid() == NOBODY)


async def test_another_account_gets_no_answer(
    server: RecordingBackend, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is asked who talks, even where the modes would let them in.

    As root, a real process of another account; otherwise, we are the other account.
    """
    assert await ask_raw(socket_path, b"GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    if os.getuid() == 0:
        directory = socket_path.parent
        for path in (socket_path, directory, *list(directory.parents)[:3]):
            path.chmod(0o777)
        answer = await trio.to_thread.run_sync(ask_as_nobody, socket_path)
    else:
        monkeypatch.setattr(api_server, "uid_of", lambda _sock: NOBODY)
        answer = await ask_raw(socket_path, b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer == b""


_AS_NOBODY = f"""
import os, socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    os.setuid({NOBODY})
    sock.settimeout(10)
    sock.connect("api.sock")
    print("connected", end=" ", flush=True)
    try:
        sock.sendall(b"GET /v1/version HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        print(sock.recv(1000))
    except (BrokenPipeError, ConnectionResetError):
        print(b"")
"""


def ask_as_nobody(path: Path) -> bytes:
    """From inside the directory, so that no directory above it matters."""
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY], cwd=path.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("connected "), "the test must reach the server to prove anything"
    return bytes(ast.literal_eval(done.stdout.removeprefix("connected ")))


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 5_000 + b"\r\n\r\n",
        Random(1).randbytes(4_000) + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000,
        b"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000,
        b"POST /v1/posts HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/posts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1_000,
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=["zeros", "random", "endless-path", "path", "headers", "length", "chunks", "h2", "websocket"],
)
async def test_garbage_leaves_the_server_up(
    server: RecordingBackend, socket_path: Path, garbage: bytes
) -> None:
    async with await trio.open_unix_socket(socket_path) as stream:
        with trio.move_on_after(2):
            try:
                await stream.send_all(garbage)
                await stream.send_eof()
                while await stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass
    assert (await trio.to_thread.run_sync(NodeClient(socket_path).version))["api"] == 1


async def test_connections_are_bounded(server: RecordingBackend, socket_path: Path) -> None:
    streams = [await trio.open_unix_socket(socket_path) for _ in range(limits.MAX_API_CONNECTIONS)]
    for stream in streams:
        await stream.send_all(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await stream.receive_some()
    assert await ask_raw(socket_path, b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    await streams.pop().aclose()
    while not await trio.to_thread.run_sync(NodeClient(socket_path).is_running):
        pass
    for stream in streams:
        await stream.aclose()


def sync_request(target: str) -> bytes:
    body = json.dumps({"peer": target}).encode()
    return b"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize("target", ["flood", "slow"])
async def test_stops_whatever_a_client_does(
    backend: RecordingBackend, socket_path: Path, target: str
) -> None:
    """With `flood` the client reads nothing, so that the node sits in a send."""
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_api, backend, socket_path)
        stream = await trio.open_unix_socket(socket_path)
        await stream.send_all(sync_request(target))
        await backend.reported.wait()
        started = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - started < limits.API_GRACE_SECONDS + 1
    assert backend.sync_cancelled.is_set()
    assert not await trio.Path(socket_path).exists()
    await stream.aclose()


async def test_stop_is_answered_before_the_end(backend: RecordingBackend, socket_path: Path) -> None:
    """`p2pforum stop` hears that it worked, though the answer is under way when the node ends."""
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_api, backend, socket_path)

        async def obey() -> None:
            await backend.stopped.wait()
            nursery.cancel_scope.cancel()

        nursery.start_soon(obey)
        with trio.CancelScope(shield=True):
            answer = await ask_raw(
                socket_path, b"POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
            )
    assert answer.startswith(b"HTTP/1.1 202")
    assert answer.endswith(b'{"stopping":true}')


async def test_a_post_under_way_is_answered_when_the_node_ends(
    backend: RecordingBackend, socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not cut off, though it takes a while: the front end hears that its post is on disk."""
    begun, kept = trio.Event(), trio.Event()

    async def submit(raw: bytes, listen: float) -> Submitted:
        begun.set()
        await kept.wait()
        return backend.answer

    monkeypatch.setattr(backend, "submit", submit)
    head = b"POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n"
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_api, backend, socket_path)
        stream = await trio.open_unix_socket(socket_path)
        await stream.send_all(head + b"Content-Length: 1\r\n\r\nx")
        await begun.wait()
        nursery.cancel_scope.cancel()
        kept.set()
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 201")
    await stream.aclose()


async def test_idle_connections_end_at_once(backend: RecordingBackend, socket_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_api, backend, socket_path)
        stream = await trio.open_unix_socket(socket_path)
        await stream.send_all(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.receive_some()
        started = trio.current_time()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - started < 1
    await stream.aclose()
