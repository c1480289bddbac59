"""Runs stream handlers in the background, so that an exception in one of them does not hurt the node."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.network.interface import PEER_LOST, PeerID, StreamHandler

log = logging.getLogger(__name__)

# Exceptions that a peer, or the loss of one, causes in a handler. They are not worth a traceback.
_THEIRS = (*PEER_LOST, RemoteProtocolError)


@asynccontextmanager
async def open_background() -> AsyncIterator[trio.Nursery]:
    """A nursery that is cancelled when its block ends.

    An exception of the block is raised as it is, not in a group, so that the user of a network sees
    NetworkError. A task that fails cancels the block, as in any nursery.
    """
    raised: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except Exception as error:
            raised = error
        nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised


async def hold_nursery(task_status: trio.TaskStatus[trio.Nursery]) -> None:
    """Start it for a nursery inside another one, to be cancelled alone."""
    async with trio.open_nursery() as nursery:
        task_status.started(nursery)
        await trio.sleep_forever()


async def run_handler(handler: StreamHandler, peer: PeerID, stream: trio.abc.HalfCloseableStream) -> None:
    """Run a handler. The stream is closed when it returns, and reset when it raises."""
    try:
        await handler(peer, stream)
        await stream.aclose()
    except Exception as error:
        if _is_theirs(error):
            log.debug("a stream ended early: %s", type(error).__name__)
        else:
            log.exception("a stream handler failed")  # without the peer: the traceback may name posts
    finally:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)  # does nothing to a stream that is closed


def _is_theirs(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.split(_THEIRS)[1] is None
    return isinstance(error, _THEIRS)
