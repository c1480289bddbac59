"""The agent process: holds one key, and gives it to commands of the same account until it ends.

It ends when it is told to lock, after some time without use, after some time in any case, and when the
keystore gets another passphrase, is replaced or is gone. Then nothing is left: the key was in one page.

A request is a letter and the mark, which is the beginning of the keystore file that stays as long as its
passphrase does. KEY gives the 32 bytes if the mark is the one it was started with, LOCK a byte once all is
wiped, STATUS three numbers. The agent answers any other request by closing the connection.
"""

import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from p2pforum.agent.memory import SecretPage, forbid_dumps
from p2pforum.api.address import socket_address

SOCKET_NAME = "agent.sock"
MARK_SIZE = 36  # bytes of the keystore file: magic, version, cost and salt
KEY, LOCK, STATUS = b"K", b"L", b"S"
ANSWER = struct.Struct(">II?")  # to STATUS: seconds left without use, and in any case; page is locked
CREDENTIALS = struct.Struct("3i")  # struct ucred of <sys/socket.h>: pid, uid, gid

_TICK = 1.0  # seconds between two looks at the clock and at the keystore
_PATIENCE = 1.0  # seconds for one request: so one process can't hold up the others for longer
_BACKLOG = 16


class Holder:
    """One agent. `idle` and `most` are seconds; the time a machine sleeps counts."""

    def __init__(self, keystore: Path, mark: bytes, page: SecretPage, idle: int, most: int) -> None:
        self._keystore = keystore
        self._path = keystore.with_name(SOCKET_NAME)
        self._mark = mark
        self._page = page
        self._idle = idle
        self._end = _now() + most
        self._idle_end = _now() + idle
        self._inode = 0
        self._is_told = False

    def serve(self, listening: socket.socket) -> None:
        """Answer one request after another until it is time to end (`idle`, `most`, LOCK, or
        another keystore).
        """
        self._inode = self._path.stat().st_ino
        listening.settimeout(_TICK)
        while not self._is_over():
            with suppress(TimeoutError):
                connection, _ = listening.accept()
                with closing(connection), suppress(OSError):
                    connection.settimeout(_PATIENCE)
                    self._answer(connection)

    def _is_over(self) -> bool:
        return self._is_told or _now() >= min(self._end, self._idle_end) or not self._is_current()

    def _is_current(self) -> bool:
        """Whether the keystore is still the one that the key opens, and no other agent runs
        in place of this one.
        """
        try:
            with self._keystore.open("rb", buffering=0) as file:
                return file.read(MARK_SIZE) == self._mark and self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def _answer(self, connection: socket.socket) -> None:
        if credentials(connection)[1] != os.geteuid():
            return
        request = receive(connection, 1 + MARK_SIZE)
        asked, mark = request[:1], request[1:]
        if asked == LOCK:
            self._is_told = True
            self._page.wipe()
            remove_socket(self._path, self._inode)
            connection.sendall(LOCK)
        elif asked == STATUS:
            idle, most = (max(0, round(end - _now())) for end in (self._idle_end, self._end))
            connection.sendall(ANSWER.pack(min(idle, most), most, self._page.is_locked))
        elif asked == KEY and mark == self._mark and not self._is_over():
            self._idle_end = _now() + self._idle
            with self._page.view() as key:
                connection.sendall(key)


def _now() -> float:
    """Seconds since the machine was started, with the time it slept, which monotonic() leaves out."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Process, user and group ID of the other end, as the kernel noted them."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, gid = CREDENTIALS.unpack(raw)
    return pid, uid, gid


def receive(connection: socket.socket, size: int) -> bytes:
    """`size` bytes, or fewer if the other end closed."""
    got = b""
    while len(got) < size and (piece := connection.recv(size - len(got))):
        got += piece
    return got


def remove_socket(path: Path, inode: int) -> None:
    with suppress(OSError):
        if path.lstat().st_ino == inode:
            path.unlink()


@contextmanager
def listening_socket(path: Path) -> Iterator[socket.socket]:
    """A listening socket, mode 0600. It replaces the socket of an agent that is there; that
    agent sees this and ends.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        with socket_address(fresh) as address:
            listening.bind(address)  # umask 077, and the directory is 0700
        fresh.chmod(0o600)
        inode = fresh.lstat().st_ino
        listening.listen(_BACKLOG)
        fresh.rename(path)
        try:
            yield listening
        finally:
            remove_socket(path, inode)


def main() -> None:
    """`argv`: the keystore file, seconds without use, seconds in any case. Standard input: mark and key.

    Writes one byte when it answers on the socket; from then on it runs alone.
    """
    keystore, idle, most = sys.argv[1:]
    if os.fork():
        os._exit(0)  # the process that started us need not wait for our end
    os.umask(0o077)
    forbid_dumps()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    page = SecretPage()
    try:
        mark = os.read(0, MARK_SIZE)
        page.fill_from(0)
        with listening_socket(Path(keystore).with_name(SOCKET_NAME)) as listening:
            holder = Holder(Path(keystore), mark, page, int(idle), int(most))
            os.write(1, b"+")
            for fd in (0, 1):
                os.close(fd)
            holder.serve(listening)
    finally:
        page.wipe()
