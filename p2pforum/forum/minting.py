"""Mint a stamp on all cores. The user can interrupt it at any moment; it leaves nothing behind.

Not how much a stamp is worth (core/stamp.py).
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Payload, sig_structure
from p2pforum.core.stamp import NONCE_SIZE, grind, stamp_salt
from p2pforum.forum.mint_worker import CHUNK, grind_chunk

if TYPE_CHECKING:
    import subprocess

MintProgress = Callable[[int, int], None]
"""Called with the tries so far and the tries expected (half of all stamps take over 0.7 times that)."""

_NEVER = 256  # bits that no hash has
_TRIES = 4 * CHUNK  # 40 ms
_ALONE_BITS = 9  # up to here (70 ms) starting other processes costs more than it saves


def mint(
    payload: Payload, author: bytes, params: NetworkParams, progress: MintProgress | None = None
) -> Payload:
    """The same payload with a nonce that earns the stamp's bits. 14 bits take about 2^14 tries of 0.14 ms."""
    bits = payload.stamp.bits
    structure = sig_structure(author, payload.encode(), params)
    salt = stamp_salt(payload.hour)
    cores = len(os.sched_getaffinity(0))
    report = progress or (lambda tried, expected: None)
    nonce = None
    if bits > _ALONE_BITS and cores > 1:
        nonce = _mint_on_all_cores(structure, salt, bits, cores, report)
    tried = 0
    while nonce is None:
        nonce = grind_chunk(structure, salt, bits)
        tried += CHUNK
        report(tried, 1 << bits)
    return replace(payload, stamp=replace(payload.stamp, nonce=nonce.to_bytes(NONCE_SIZE, "big")))


def seconds_for(bits: int) -> float:
    """How long a stamp of so many bits takes here on average while nothing else runs, by some tries now."""
    grind(bytes(NONCE_SIZE), stamp_salt(0), _NEVER, 0, 1)  # the first loads what it needs
    began = time.process_time()
    grind(bytes(NONCE_SIZE), stamp_salt(0), _NEVER, 0, _TRIES)
    return (1 << bits) * (time.process_time() - began) / _TRIES / len(os.sched_getaffinity(0))


def _mint_on_all_cores(
    structure: bytes, salt: bytes, bits: int, cores: int, report: MintProgress
) -> int | None:
    """None if no worker lived long enough to find a nonce (no memory, no executable)."""
    task = json.dumps({"structure": structure.hex(), "salt": salt.hex(), "bits": bits}) + "\n"
    tried = 0
    with _workers(cores, task.encode()) as outputs:
        for line in _lines(outputs):
            if line != b".":
                return int(line)
            tried += CHUNK
            report(tried, 1 << bits)
    return None


@contextmanager
def _workers(count: int, task: bytes) -> Iterator[list[IO[bytes]]]:
    """Start `count` processes that work on the task, and give their outputs. The processes
    end with the block.
    """
    import subprocess

    paths = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", "-m", "p2pforum.forum.mint_worker"]
    with ExitStack() as stack:
        outputs: list[IO[bytes]] = []
        while len(outputs) < count and sys.executable:
            try:
                process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except OSError:  # no process or memory left: the others go on
                break
            stack.callback(_end, process)
            outputs.append(_give_task(process, task))
        yield outputs


def _give_task(process: "subprocess.Popen[bytes]", task: bytes) -> IO[bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it died at once: its output ends, and the others go on
        process.stdin.write(task)
        process.stdin.flush()
    return process.stdout


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _lines(outputs: list[IO[bytes]]) -> Iterator[bytes]:
    """Whole lines from all outputs as they come, until all have ended."""
    import selectors

    with selectors.DefaultSelector() as selector:
        for output in outputs:
            selector.register(output, selectors.EVENT_READ, bytearray())
        while selector.get_map():
            for key, _ in selector.select():
                chunk = os.read(key.fd, 4096)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
                *lines, rest = bytes(key.data).split(b"\n")
                key.data[:] = rest
                yield from lines
