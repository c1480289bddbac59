"""The node's end of the local socket: who may connect, how many, and how it ends.

Only this user (and root) may connect: socket 0600 in a 0700 directory, and the kernel says the uid of each
connection. When the node ends, every connection is closed after a grace period, whatever the front end does.
"""

import contextlib
import json
import logging
import os
import socket
import stat
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import trio

from p2pforum.api.address import socket_address
from p2pforum.api.app import Listen, Request, Sync, find_route
from p2pforum.api.backend import ApiBackend
from p2pforum.api.connection import FrontEndConnection, FrontEndGone
from p2pforum.api.problems import describe
from p2pforum.api.streaming import stream_new, stream_sync
from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError, StoreBusy

_log = logging.getLogger(__name__)

_LINES = "application/x-ndjson"
_UCRED = struct.Struct("3i")  # struct ucred of <sys/socket.h>: pid, uid, gid


async def serve_api(
    backend: ApiBackend, path: Path, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Answer front ends on `path` until cancelled; then end within API_GRACE_SECONDS + 1 s,
    whatever they do.

    Call it only while holding the store's lock: a socket file that exists then belongs to a dead node.
    """
    with bound_socket(path) as listening:
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        await _FrontEnds(backend).serve(listener, task_status)


@contextlib.contextmanager
def bound_socket(path: Path) -> Iterator[socket.socket]:
    """A listening socket, mode 0600. A stale one is replaced, and ours is removed at the end."""
    _prepare_directory(path.parent)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, socket_address(path) as address:
        _remove_stale(path, address)
        sock.bind(address)
        path.chmod(0o600)
        made = path.stat().st_ino
        sock.listen(limits.MAX_API_CONNECTIONS)
        try:
            yield sock
        finally:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == made:
                    path.unlink()


def _prepare_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.getuid():
        raise P2PForumError(f"{directory} belongs to another account")
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)


def _remove_stale(path: Path, address: str) -> None:
    if not path.is_socket():
        if path.exists():
            raise P2PForumError(f"{path} is in the way: it is not a socket")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            path.unlink()
            return
    raise StoreBusy(f"another program answers on {path}")


def may_talk(uid: int) -> bool:
    return uid in (os.getuid(), 0)


def uid_of(sock: trio.socket.SocketType) -> int:
    """The user ID of the process that connected, as the kernel noted it."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


class _FrontEnds:
    """All connections of front ends, and how they end."""

    def __init__(self, backend: ApiBackend) -> None:
        self._backend = backend
        self._open: set[FrontEndConnection] = set()
        self._ending = False

    async def serve(self, listener: trio.SocketListener, task_status: trio.TaskStatus[None]) -> None:
        """Our own cancellation does not reach the connections, so that answers under way (to `stop`, say)
        still arrive. Each connection ends by its own deadline.
        """
        async with trio.open_nursery() as nursery:
            task_status.started()
            try:
                await trio.serve_listeners(self._serve_one, [listener], handler_nursery=nursery)
            finally:
                self._ending = True
                for connection in self._open:
                    connection.finish(limits.API_GRACE_SECONDS)

    async def _serve_one(self, stream: trio.SocketStream) -> None:
        is_full = self._ending or len(self._open) >= limits.MAX_API_CONNECTIONS
        if is_full or not may_talk(uid_of(stream.socket)):
            await trio.aclose_forcefully(stream)
            return
        connection = FrontEndConnection(stream)
        self._open.add(connection)
        try:
            with connection.scope:
                await converse(self._backend, connection)
        except FrontEndGone:
            pass
        except Exception:
            _log.warning("a front end's connection broke", exc_info=True)
        finally:
            self._open.discard(connection)
            await trio.aclose_forcefully(stream)


async def converse(backend: ApiBackend, connection: FrontEndConnection) -> None:
    """Answer the requests of one front end until there are no more. Raises FrontEndGone."""
    while True:
        try:
            head = await connection.next_request()
            if head is None:
                return
            route = find_route(head)
            answer = await route.act(Request(backend, head, await connection.body(route.most)))
        except FrontEndGone:
            raise
        except Exception as error:
            answer = describe(error)
        match answer:
            case Sync(target):
                await connection.stream(_LINES, partial(stream_sync, backend, target))
            case Listen():
                await connection.stream(_LINES, partial(stream_new, backend.new_posts, connection))
            case status, told:
                text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
                await connection.answer(status, "application/json", text.encode())
