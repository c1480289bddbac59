"""Running a stream's handler so that nothing it raises hurts the node."""

import logging

import trio

from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.network.interface import PeerID, StreamHandler

log = logging.getLogger(__name__)

# what a peer, or the loss of one, does to a handler: not worth a traceback
_THEIRS = (trio.BrokenResourceError, trio.ClosedResourceError, RemoteProtocolError, NetworkError)


async def run_handler(handler: StreamHandler, peer: PeerID, stream: trio.abc.HalfCloseableStream) -> None:
    """The stream is closed when the handler returns, and reset when it raises."""
    try:
        await handler(peer, stream)
        await stream.aclose()
    except Exception as error:
        if _is_theirs(error):
            log.debug("a stream ended early: %s", type(error).__name__)
        else:
            log.exception("a stream handler failed")  # and names no peer: the traceback may name posts
    finally:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)  # does nothing to a stream that is closed


def _is_theirs(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.split(_THEIRS)[1] is None
    return isinstance(error, _THEIRS)
