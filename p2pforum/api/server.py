"""The node's end of the local socket: a Unix socket of our own, served by Hypercorn's trio server.

Only this person (and root) may talk: socket 0600 in a 0700 directory, and the uid of each connection is
asked of the kernel. Hypercorn shields its sends from cancellation, so a front end that stops reading
could keep the node from ever ending; here every connection is closed hard after a grace period.
"""

import contextlib
import logging
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from p2pforum.api.address import socket_address
from p2pforum.api.app import build_app
from p2pforum.api.backend import ApiBackend
from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError, StoreBusy

_log = logging.getLogger(__name__)

_UCRED = struct.Struct("3i")  # struct ucred of <sys/socket.h>: pid, uid, gid


async def serve_api(
    backend: ApiBackend, path: Path, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Answer front ends on `path` until cancelled; then end within API_GRACE_SECONDS + 1 s, whatever
    they do.

    Call it only while holding the store's lock: a socket that lies there is taken for a dead node's.
    """
    with bound_socket(path) as listening:
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        connections = _Connections(backend)
        await connections.serve(listener, task_status)


@contextlib.contextmanager
def bound_socket(path: Path) -> Iterator[socket.socket]:
    """A listening socket, mode 0600; a stale one is replaced, and ours is removed at the end."""
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
    """Who connected, as the kernel noted it."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


class _Connections:
    """The open connections, and their end."""

    def __init__(self, backend: ApiBackend) -> None:
        self._app = ASGIWrapper(build_app(backend))  # type: ignore[arg-type]
        self._context = WorkerContext(max_requests=None)
        self._config = _hypercorn_config()
        self._streams: set[trio.SocketStream] = set()
        self._one_less = trio.Condition()
        self._ended = trio.Event()

    async def serve(self, listener: trio.SocketListener, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            connections: trio.Nursery = await nursery.start(self._hold)
            task_status.started()
            try:
                await trio.serve_listeners(self._serve_one, [listener], handler_nursery=connections)
            finally:
                with trio.CancelScope(shield=True):
                    await self._end(connections)

    async def _hold(self, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        """A nursery for the connections that our own cancellation does not reach: `_end` ends it, so
        that answers under way (to `stop`, say) still arrive."""
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as connections:
                task_status.started(connections)
                await self._ended.wait()

    async def _serve_one(self, stream: trio.SocketStream) -> None:
        if len(self._streams) >= limits.MAX_API_CONNECTIONS or not may_talk(uid_of(stream.socket)):
            await trio.aclose_forcefully(stream)
            return
        self._streams.add(stream)
        try:
            await TCPServer(self._app, self._config, self._context, ConnectionState({}), stream)  # type: ignore[arg-type]
        except Exception:  # bytes that are no HTTP break Hypercorn in more ways than it catches
            _log.warning("a front end's connection broke", exc_info=True)
        finally:
            self._streams.discard(stream)
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
                async with self._one_less:
                    self._one_less.notify_all()

    async def _end(self, connections: trio.Nursery) -> None:
        await self._context.terminated.set()
        await self._wait_until_gone(limits.API_GRACE_SECONDS)
        connections.cancel_scope.cancel()
        await self._wait_until_gone(0.5)
        for stream in list(self._streams):  # those in a shielded send to one that does not read
            await trio.aclose_forcefully(stream)
        self._ended.set()

    async def _wait_until_gone(self, seconds: float) -> None:
        with trio.move_on_after(seconds):
            async with self._one_less:
                while self._streams:
                    await self._one_less.wait()


def _hypercorn_config() -> HypercornConfig:
    config = HypercornConfig()
    config.accesslog = None
    config.errorlog = logging.getLogger("p2pforum.api.http")
    config.include_server_header = False
    config.include_date_header = False
    config.keep_alive_timeout = limits.API_IDLE_SECONDS
    return config
