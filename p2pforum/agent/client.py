"""A command's side of the agent: start one, ask it for the key, lock it."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from p2pforum.agent.holder import (
    ANSWER,
    KEY,
    LOCK,
    MARK_SIZE,
    SOCKET_NAME,
    STATUS,
    credentials,
    receive,
)
from p2pforum.agent.memory import KEY_SIZE
from p2pforum.api.address import socket_address
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError

_PATIENCE = 2.0  # seconds for an answer: the agent has nothing else to do
_ROOT = Path(__file__).parents[2]  # where the package lies
# -I and -S: neither the environment nor installed packages change what runs there.
_PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from p2pforum.agent.holder import main; main()"


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """`idle` and `most` are the seconds until it locks: without use, and in any case."""

    pid: int
    idle: int
    most: int
    is_locked: bool  #: its page can't be swapped out


def start(keystore: Path, mark: bytes, key: bytes, idle: int) -> None:
    """Start an agent in a session of its own, in place of one that runs. `idle` is in
    seconds. Raises KeystoreError.
    """
    lock(keystore)
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_ROOT)]
    command += [str(keystore), str(idle), str(limits.AGENT_MOST_SECONDS)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(mark + key)
            process.stdin.close()
            answers = process.stdout.read(1)
        except OSError:
            answers = b""
    if not answers:
        raise KeystoreError("the agent could not be started; a passphrase is asked each time")


def ask_key(keystore: Path, mark: bytes) -> bytes | None:
    """The key that opens a file which begins with `mark`; None if no agent has it."""
    key = _ask(keystore, KEY, mark, KEY_SIZE)
    return key if key is not None and len(key) == KEY_SIZE else None


def ask_status(keystore: Path) -> AgentStatus | None:
    """How long the agent of this keystore will hold the key; None if no agent runs."""
    with _connected(keystore) as connection:
        if connection is None:
            return None
        answer = _exchange(connection, STATUS, bytes(MARK_SIZE), ANSWER.size)
        if answer is None or len(answer) != ANSWER.size:
            return None
        return AgentStatus(credentials(connection)[0], *ANSWER.unpack(answer))


def lock(keystore: Path) -> bool:
    """End the agent; when this returns, its copy of the key is gone. False if none ran.

    An agent that does not answer (stopped in a debugger, say) is killed, because the user must be able to
    rely on the lock.
    """
    with _connected(keystore) as connection:
        if connection is None:
            return False
        if _exchange(connection, LOCK, bytes(MARK_SIZE), 1) != LOCK:
            with suppress(ProcessLookupError):
                os.kill(credentials(connection)[0], signal.SIGKILL)
    return True


def _ask(keystore: Path, letter: bytes, mark: bytes, size: int) -> bytes | None:
    with _connected(keystore) as connection:
        return None if connection is None else _exchange(connection, letter, mark, size)


def _exchange(connection: socket.socket, letter: bytes, mark: bytes, size: int) -> bytes | None:
    try:
        connection.sendall(letter + mark)
        return receive(connection, size)
    except OSError:
        return None


@contextmanager
def _connected(keystore: Path) -> Iterator[socket.socket | None]:
    """None if no agent of this account answers."""
    path = keystore.with_name(SOCKET_NAME)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        yield connection if _is_ours(path) and _connect(connection, path) else None


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()


def _connect(connection: socket.socket, path: Path) -> bool:
    try:
        with socket_address(path) as address:
            connection.connect(address)
        return credentials(connection)[1] == os.geteuid()
    except OSError:
        return False
