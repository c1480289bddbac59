"""The stream to one peer: writes the peer's queue to it, until the stream is lost."""

import trio

from p2pforum.core import limits
from p2pforum.gossip.peer_state import PeerState, PeerStates
from p2pforum.gossip.router import Router
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import encode_rpc
from p2pforum.network.interface import Network


class RpcSender:
    def __init__(self, network: Network, protocol: str, router: Router, states: PeerStates) -> None:
        self._network = network
        self._protocol = protocol
        self._router = router
        self._states = states

    async def send(self, state: PeerState, nursery: trio.Nursery) -> None:
        """Returns when the stream is found lost while the queue is empty. Raises what opening a stream and
        sending raise, and trio.TooSlowError for a peer that does not read."""
        async with await self._network.open_stream(state.peer, self._protocol) as stream:
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_when_lost, stream, scope)
                await self._write(state, stream)

    async def _write(self, state: PeerState, stream: trio.abc.SendStream) -> None:
        await stream.send_all(frame(encode_rpc(self._router.hello(state.peer, again=state.greeted))))
        state.greeted = True
        while True:
            self._states.fetch_asked(state, self._router.kept)
            data, count = state.queue.next_bytes()
            if not data:
                await state.wake.heard()
                continue
            with trio.fail_after(limits.GOSSIP_SEND_SECONDS):
                await stream.send_all(data)
            self._states.written(state, count)


async def _cancel_when_lost(stream: trio.abc.ReceiveStream, scope: trio.CancelScope) -> None:
    """Only a reader notices that a stream is dead, so this reads while the writer has nothing to write. The
    peer should send nothing on this stream, and bytes that it sends are ignored."""
    try:
        await stream.receive_some(1)
    except trio.BrokenResourceError:
        scope.cancel()
    except trio.ClosedResourceError:
        pass
