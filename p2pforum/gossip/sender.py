"""The stream to one peer: what waits for it is written, until the stream is lost."""

import trio

from p2pforum.core import limits
from p2pforum.gossip.framing import frame
from p2pforum.gossip.link import Link, Links
from p2pforum.gossip.router import Router
from p2pforum.gossip.wire import encode_rpc
from p2pforum.network.interface import Network


class Sender:
    def __init__(self, network: Network, protocol: str, router: Router, links: Links) -> None:
        self._network = network
        self._protocol = protocol
        self._router = router
        self._links = links

    async def send(self, link: Link, nursery: trio.Nursery) -> None:
        """Returns when the stream is found lost while nothing is to be sent. Raises what opening a stream and
        sending raise, and trio.TooSlowError for a peer that takes nothing.
        """
        async with await self._network.open_stream(link.peer, self._protocol) as stream:
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_when_lost, stream, scope)
                await self._write(link, stream)

    async def _write(self, link: Link, stream: trio.abc.SendStream) -> None:
        await stream.send_all(frame(encode_rpc(self._router.hello(link.peer, again=link.greeted))))
        link.greeted = True
        while True:
            self._links.fetch_asked(link, self._router.kept)
            data, count = link.outbox.take()
            if not data:
                await link.wake.heard()
                continue
            with trio.fail_after(limits.GOSSIP_SEND_SECONDS):
                await stream.send_all(data)
            self._links.written(link, count)


async def _cancel_when_lost(stream: trio.abc.ReceiveStream, scope: trio.CancelScope) -> None:
    """Who waits for something to send does not see that its stream is dead: who reads does. Nothing else
    comes this way, and a peer that says something here is not listened to."""
    try:
        await stream.receive_some(1)
    except trio.BrokenResourceError:
        scope.cancel()
    except trio.ClosedResourceError:
        pass
