"""What is said before a connection is closed arrives, also at a peer that goes on sending: on real sockets,
because it is the kernel that resets a connection whose socket is closed with bytes unread."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from network_tools import an_account, our_node, receive_all, until

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.network.yamux import YamuxConnection
from p2pforum.network.yamux_frames import DATA, GO_AWAY, SYN, YamuxFrameReader, header
from p2pforum.network.yamux_stream import YamuxStream

pytestmark = pytest.mark.e2e

CLOSES = 50
MUCH = header(DATA, 0, 99, 60_000) + bytes(60_000)  # for a stream that is unknown: it is read and dropped


def refuse(stream: YamuxStream) -> None:
    raise AssertionError("no stream is opened here")


@asynccontextmanager
async def a_connection(
    on_stream: Callable[[YamuxStream], None] = refuse,
) -> AsyncIterator[tuple[YamuxConnection, socket.socket]]:
    """Ours, and the socket of its peer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
        peer = socket.create_connection(server.getsockname())
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 * 1024)
        accepted, _ = server.accept()
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(accepted))
    ours = YamuxConnection(stream, initiator=False, on_stream=on_stream, account=an_account())
    with peer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ours.run)
            yield ours, peer
            nursery.cancel_scope.cancel()


def push(peer: socket.socket) -> None:
    """More than the node reads in a turn."""
    peer.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            peer.send(MUCH)


async def goodbye_of_one_that_was_pushed() -> bool:
    """Whether a peer that sends all the time, and gives up when it can't, reads our GO_AWAY."""
    async with a_connection() as (ours, peer), trio.open_nursery() as nursery:
        push(peer)
        nursery.start_soon(ours.close, 10.0)  # a busy machine is no part of this test
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(peer))
        reader = YamuxFrameReader(1)
        async with stream:
            try:
                await stream.send_all(MUCH * 5)
                while part := await stream.receive_some():
                    if any(frame.kind == GO_AWAY for frame in reader.feed(part)):
                        return True
            except trio.BrokenResourceError:
                return False
    return False


async def test_a_peer_that_goes_on_sending_hears_the_goodbye() -> None:
    assert [await goodbye_of_one_that_was_pushed() for _ in range(CLOSES)] == [True] * CLOSES


async def test_control_closed_at_once_it_is_reset_before_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def close(self: YamuxConnection, grace: float = 1.0) -> None:
        self.enqueue(header(GO_AWAY, 0, 0, 0))
        while self._queue.size and not self._ended:
            await self._queue.changed.park()
        self.kill()

    monkeypatch.setattr(YamuxConnection, "close", close)
    assert [await goodbye_of_one_that_was_pushed() for _ in range(5)] == [False] * 5


async def test_two_tasks_may_close_at_once() -> None:
    """As when a peer breaks two rules: both ban it. The second must not end the node."""
    async with a_connection() as (ours, peer), trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(ours.close, 10.0)
        peer.setblocking(True)
        with trio.fail_after(20):
            said = await trio.to_thread.run_sync(peer.recv, 65_536)
            assert any(frame.kind == GO_AWAY for frame in YamuxFrameReader(1).feed(said))
            peer.close()
            await until(lambda: ours.ended)


async def test_a_connection_that_ends_while_it_is_closed_is_no_fault() -> None:
    """The peer does not read, so that our writing task is in the middle of something. Which task runs
    first is drawn by lot: hence twenty times."""
    for _ in range(20):
        async with a_connection() as (ours, peer), trio.open_nursery() as nursery:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            for _ in range(8):
                ours.enqueue(MUCH)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(ours.close, 10.0)
            await trio.testing.wait_all_tasks_blocked()
            assert not ours.ended
            ours.kill()


async def test_who_does_not_close_is_closed_in_a_second(autojump_clock: trio.testing.MockClock) -> None:
    async with a_connection() as (ours, peer):
        started = trio.current_time()
        await ours.close()
        assert ours.ended
        assert trio.current_time() - started == pytest.approx(limits.GRACE_SECONDS, abs=0.1)
        assert peer.recv(12) == header(GO_AWAY, 0, 0, 0)


async def test_a_node_that_can_not_write_any_more_still_reads_what_was_said() -> None:
    """The other end of the same: who closed said something before, and then a write of ours failed."""
    for _ in range(20):
        streams: list[YamuxStream] = []
        async with a_connection(streams.append) as (ours, peer):
            peer.sendall(header(DATA, SYN, 1, 3) + b"END")
            ours.enqueue(MUCH)
            await trio.lowlevel.checkpoint()
            peer.close()  # with bytes unread: a reset
            ours.enqueue(MUCH)
            await until(lambda ours=ours: ours.ended)
            assert await streams[0].receive_some() == b"END"


async def test_the_last_words_of_a_protocol_arrive_each_time() -> None:
    """As END of sync: said to a peer that is cut off for what it sent, and sends more."""
    heard = 0
    async with our_node() as node:

        async def complain(peer: str, stream: trio.abc.HalfCloseableStream) -> None:
            await stream.receive_some(1)
            await stream.send_all(b"END 4")
            await node.disconnect(peer)

        node.set_handler("/complain/1", complain)
        for _ in range(CLOSES):
            async with our_node(listening=False) as peer:
                stream = await peer.open_stream(await peer.dial(node.addresses[0]), "/complain/1")
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(flood, stream)
                    with suppress(trio.BrokenResourceError):
                        heard += await receive_all(stream, 5) == b"END 4"
                    nursery.cancel_scope.cancel()
    assert heard == CLOSES


async def flood(stream: trio.abc.SendStream) -> None:
    with suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(bytes(100_000))


async def test_who_is_turned_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the handshake, when all places are taken by peers that keep them."""
    async with our_node(max_connections=2) as node, our_node(False) as first, our_node(False) as second:
        await first.dial(node.addresses[0])
        monkeypatch.setattr(node._slots, "could_make_one", lambda _: True)
        monkeypatch.setattr(node._slots, "make_one", lambda _: False)
        await second.dial(node.addresses[0])
        await until(lambda: not second.connections())
        with pytest.raises(NetworkError, match="no connection"):
            await second.open_stream(node.peer_id, "/complain/1")
        assert [c.peer for c in node.connections()] == [first.peer_id]
