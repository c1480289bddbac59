"""Answers that take time: a sync as it goes on, and new posts as they come."""

import contextlib
import json

import trio

from p2pforum.api.answers import SyncStep, SyncSums
from p2pforum.api.backend import ApiBackend
from p2pforum.api.connection import FrontEndConnection, Write
from p2pforum.api.new_posts import NewPosts
from p2pforum.api.problems import Problem, describe
from p2pforum.core import limits
from p2pforum.core.post_id import format_id


async def stream_sync(backend: ApiBackend, target: str, write: Write) -> None:
    """One JSON object a line: {"progress": ...} while it runs, then {"result": ...} or {"error", "code"}.

    An empty line every few seconds shows that the node is alive. Steps are dropped, not queued, when the
    front end reads slowly; the session never waits for it.
    """
    into, steps = trio.open_memory_channel[SyncStep | Problem](limits.API_PROGRESS_STEPS)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run, backend, target, into)
        is_last = False
        while not is_last:
            line = b"\n"
            with trio.move_on_after(limits.API_ALIVE_SECONDS):
                step = await steps.receive()
                is_last = "progress" not in step
                line = json.dumps(step).encode() + b"\n"
            await write(line)


async def _run(backend: ApiBackend, target: str, into: trio.MemorySendChannel[SyncStep | Problem]) -> None:
    def report(step: SyncSums) -> None:
        with contextlib.suppress(trio.WouldBlock):  # the next step says more
            into.send_nowait({"progress": step})

    last: SyncStep | Problem
    try:
        last = {"result": await backend.sync(target, report)}
    except Exception as error:
        last = describe(error)[1]
    await into.send(last)


async def stream_new(new_posts: NewPosts, connection: FrontEndConnection, write: Write) -> None:
    """One JSON object a line: {"new": [IDs]}, or {"look": true}. An empty line every few seconds.

    Ends with the node. The node holds at most API_NEW_IDS of IDs for a front end that reads slowly, and
    drops a front end that takes nothing.
    """
    with new_posts.listen() as listener:
        while not connection.is_finishing:
            line = b"\n"
            with connection.pause(limits.API_ALIVE_SECONDS):
                ids = await listener.next()
                line = json.dumps({"new": [*map(format_id, ids)]} if ids else {"look": True}).encode() + b"\n"
            await write(line)
