"""Answers that take time: a sync as it goes on, and a request whose rest must be thrown away."""

import contextlib
import json
from typing import Any

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from p2pforum.api.backend import ApiBackend
from p2pforum.api.problems import describe
from p2pforum.core import limits


class SyncResponse(Response):
    """One JSON object a line: {"progress": ...} while it runs, then {"result": ...} or {"error", "code"}.

    An empty line every few seconds says that the node is alive. Steps are dropped, not queued, when
    the front end reads slowly; the session never waits for it.
    """

    media_type = "application/x-ndjson"

    def __init__(self, backend: ApiBackend, target: str) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._backend, self._target = backend, target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        last = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
            last = await self._relay(send)
            nursery.cancel_scope.cancel()
        # Out of reach of that watch: Hypercorn tells it of the end from inside this send.
        await send({"type": "http.response.body", "body": last})

    async def _relay(self, send: Send) -> bytes:
        """Send the steps as they come, and give the last line."""
        into, steps = trio.open_memory_channel[dict[str, Any]](limits.API_PROGRESS_STEPS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run, into)
            step: dict[str, Any] = {"progress": {}}
            while "progress" in step:
                line = b"\n"
                with trio.move_on_after(limits.API_ALIVE_SECONDS):
                    step = await steps.receive()
                    line = _json_line(step)
                if "progress" in step:
                    await send({"type": "http.response.body", "body": line, "more_body": True})
        return _json_line(step)

    async def _run(self, into: trio.MemorySendChannel[dict[str, Any]]) -> None:
        def report(step: dict[str, Any]) -> None:
            with contextlib.suppress(trio.WouldBlock):  # the next step says more
                into.send_nowait({"progress": step})

        try:
            last = {"result": await self._backend.sync(self._target, report)}
        except Exception as error:
            last = describe(error)[1]
        await into.send(last)


def _json_line(step: dict[str, Any]) -> bytes:
    return json.dumps(step).encode() + b"\n"


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    await drain(receive)
    scope.cancel()


async def drain(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Draining(Response):
    """Sends a response while throwing away what still comes, or the sender would never read it."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain, receive)
            await self._response(scope, receive, send)
            nursery.cancel_scope.cancel()
