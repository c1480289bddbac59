"""An encrypted keystore whose KDF costs nothing, and an agent that holds its key."""

import os
import re
import signal
import time
from pathlib import Path

from keystore_samples import a_keystore, reopened

from p2pforum.agent import client
from p2pforum.keystore.keystore import Keystore

PATIENCE = 20.0  # seconds for what takes the agent one or two


def unlocked(directory: Path, idle: int = 600) -> tuple[Keystore, bytes]:
    """A keystore with an agent; and its key."""
    keystore = a_keystore(directory)
    held = keystore.mark_and_key
    assert held is not None
    client.start(keystore.path, *held, idle)
    return keystore, held[1]


def pid_of(keystore: Keystore) -> int:
    status = client.ask_status(keystore.path)
    assert status is not None
    return status.pid


def is_gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has waited for yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_gone(pid):
        assert time.monotonic() < deadline, "the agent still runs"
        time.sleep(0.02)


def end(pid: int) -> None:
    if not is_gone(pid):
        os.kill(pid, signal.SIGTERM)


def count_in_memory(pid: int, needle: bytes) -> int:
    """How often the needle lies in the writable memory of a process. Raises PermissionError."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    count = 0
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for low, high in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.MULTILINE):
            try:
                memory.seek(int(low, 16))
                count += memory.read(int(high, 16) - int(low, 16)).count(needle)
            except (OSError, OverflowError, ValueError):
                continue  # device memory
    return count


__all__ = ["count_in_memory", "end", "is_gone", "pid_of", "reopened", "unlocked", "wait_gone"]
