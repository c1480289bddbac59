"""A sync while it runs: an answer that takes time."""

import contextlib
import json
from typing import Any

import trio

from p2pforum.api.backend import ApiBackend
from p2pforum.api.connection import Write
from p2pforum.api.problems import describe
from p2pforum.core import limits


async def stream_sync(backend: ApiBackend, target: str, write: Write) -> None:
    """One JSON object a line: {"progress": ...} while it runs, then {"result": ...} or {"error", "code"}.

    An empty line every few seconds shows that the node is alive. Steps are dropped, not queued, when the
    front end reads slowly; the session never waits for it.
    """
    into, steps = trio.open_memory_channel[dict[str, Any]](limits.API_PROGRESS_STEPS)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run, backend, target, into)
        step: dict[str, Any] = {"progress": {}}
        while "progress" in step:
            line = b"\n"
            with trio.move_on_after(limits.API_ALIVE_SECONDS):
                step = await steps.receive()
                line = json.dumps(step).encode() + b"\n"
            await write(line)


async def _run(backend: ApiBackend, target: str, into: trio.MemorySendChannel[dict[str, Any]]) -> None:
    def report(step: dict[str, Any]) -> None:
        with contextlib.suppress(trio.WouldBlock):  # the next step has newer numbers
            into.send_nowait({"progress": step})

    try:
        last = {"result": await backend.sync(target, report)}
    except Exception as error:
        last = describe(error)[1]
    await into.send(last)
