"""Front ends that break HTTP, stop in the middle, or flood, in virtual time and without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import h11
import pytest
import trio
import trio.testing
from api_backend import RecordingBackend
from trio.testing import MockClock

from p2pforum.api.connection import Connection, Gone
from p2pforum.api.server import converse
from p2pforum.core import limits

VERSION = b"GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n"
STOP = b"POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
POST = b"POST /v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
SYNC = b'POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{"peer": "slow"}'

Stream = trio.abc.HalfCloseableStream


@pytest.fixture
def backend() -> RecordingBackend:
    return RecordingBackend()


class FrontEnd:
    """Our end, where we misbehave, and the node's connection to it."""

    def __init__(self, ours: Stream, theirs: Stream) -> None:
        self.stream = ours
        self.connection = Connection(theirs)
        self.ended_at: float | None = None  # seconds of virtual time after the start
        self._theirs = theirs
        self._started = trio.current_time()

    async def serve(self, backend: RecordingBackend) -> None:
        """As server.py does."""
        try:
            with self.connection.scope:
                await converse(backend, self.connection)
        except Gone:
            pass
        finally:
            self.ended_at = trio.current_time() - self._started
            await trio.aclose_forcefully(self._theirs)

    async def read(self) -> bytes:
        """All that comes until the node closes."""
        received = b""
        while data := await self.stream.receive_some(1_000):
            received += data
        return received

    async def ask(self, request: bytes) -> bytes:
        await self.stream.send_all(request)
        return await self.read()


@asynccontextmanager
async def front_end(backend: RecordingBackend, *, lockstep: bool = False) -> AsyncIterator[FrontEnd]:
    """`lockstep`: what one side sends is in no buffer, the other takes it or it is not sent."""
    pair = trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
    peer = FrontEnd(*pair())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.serve, backend)
        try:
            with trio.fail_after(1_000):
                yield peer
        finally:
            peer.connection.finish(0)


def statuses(answer: bytes) -> list[int]:
    """Of each answer in these bytes, as a client that asked with GET reads them."""
    found = []
    while answer:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(answer)
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response | h11.InformationalResponse):
                found.append(event.status_code)
        answer = client.trailing_data[0]
    return found


# -- where a request ends ---------------------------------------------------------------------------


async def test_requests_in_one_piece_are_answered_in_their_order(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    """The control for the smuggled ones below: what follows a request is run."""
    async with front_end(backend) as peer:
        answer = await peer.ask(VERSION + POST + b"Content-Length: 3\r\n\r\none" + STOP + VERSION)
    assert statuses(answer) == [200, 201, 202, 200]
    assert backend.submitted == [b"one"]
    assert backend.stopped.is_set()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
        (b"Transfer-Encoding: chunked, identity", 501),
        (b"Transfer-Encoding: xchunked", 501),
        (b"Transfer-Encoding : chunked", 400),
        (b"Transfer-Encoding\t: chunked", 400),
        (b"Content-Length: 5\r\nContent-Length: 0", 400),
        (b"Content-Length: 5, 0", 400),
        (b"Content-Length: +5", 400),
        (b"Content-Length: -1", 400),
        (b"Content-Length: 0x5", 400),
        (b"Content-Length: 5\x00", 400),
        (b"Content-Length: \xb2", 400),
        (b"X: y\rContent-Length: 5", 400),
        (b"Host: y", 400),
    ],
)
async def test_a_request_that_could_end_at_two_places_ends_the_connection(
    backend: RecordingBackend, autojump_clock: MockClock, headers: bytes, status: int
) -> None:
    async with front_end(backend) as peer:
        answer = await peer.ask(POST + headers + b"\r\n\r\n0\r\n\r\n" + STOP)
    assert statuses(answer) == [status]
    assert b'"code":"malformed"' in answer
    assert b"Connection: close" in answer
    assert not backend.submitted
    assert not backend.stopped.is_set()


async def test_what_follows_a_request_that_was_not_read_is_not_run(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    """The body of a request for nothing could be taken for the next request."""
    async with front_end(backend) as peer:
        answer = await peer.ask(
            b"POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(STOP) + STOP
        )
    assert statuses(answer) == [404]
    assert not backend.stopped.is_set()


async def test_bytes_after_a_stream_began_are_thrown_away(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(SYNC + STOP)
        await backend.reported.wait()
        await peer.stream.send_eof()
        answer = await peer.read()
    assert b"Connection: close" in answer
    assert b'"progress"' in answer
    assert not backend.stopped.is_set()


# -- sizes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("over", "expected"), [(0, [200]), (1, [431])])
async def test_the_head_is_bounded(
    backend: RecordingBackend, autojump_clock: MockClock, over: int, expected: list[int]
) -> None:
    """A piece of a head that is as long as the bound is waited for; one byte more is the end of it."""
    head = b"GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
    async with front_end(backend) as peer:
        await peer.stream.send_all(head + b"y" * (limits.MAX_API_HEAD - len(head) + over))
        await trio.testing.wait_all_tasks_blocked()
        await peer.stream.send_all(b"\r\n\r\n")
        answer = await peer.read()
    assert statuses(answer) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 99999999999999999999\r\n\r\n" + b"x" * (limits.MAX_POST + 1),
        CHUNKED + b"fffffffffffffffff\r\n" + b"x" * (limits.MAX_POST + 1),
        CHUNKED + b"1\r\nx\r\n" * (limits.MAX_POST + 1),
        CHUNKED + (b"1;" + b"e" * 10_000 + b"\r\nx\r\n") * (limits.MAX_POST + 1),
    ],
    ids=["length", "one-chunk", "many-chunks", "extensions"],
)
async def test_a_body_ends_with_its_bound(
    backend: RecordingBackend, autojump_clock: MockClock, body: bytes
) -> None:
    async with front_end(backend) as peer:
        answer = await peer.ask(POST + body)
    assert statuses(answer) == [413]
    assert not backend.submitted


async def test_a_chunked_post_of_the_largest_size_is_taken(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    body = b"1\r\nx\r\n" * limits.MAX_POST + b"0\r\nTrailer: y\r\n\r\n"
    async with front_end(backend) as peer:
        assert statuses(await peer.ask(POST + CHUNKED + body)) == [201]
    assert backend.submitted == [b"x" * limits.MAX_POST]


@pytest.mark.parametrize(
    "part", [b"1;" + b"e" * 20_000, b"0\r\n" + b"X: y\r\n" * 4_000], ids=["chunk", "trailer"]
)
async def test_what_is_no_body_in_a_chunked_one_is_bounded(
    backend: RecordingBackend, autojump_clock: MockClock, part: bytes
) -> None:
    async with front_end(backend) as peer:
        assert statuses(await peer.ask(POST + CHUNKED + part)) == [431]
    assert not backend.submitted


# -- times ------------------------------------------------------------------------------------------


async def test_a_head_that_drips_in_is_waited_for_as_an_idle_connection_is(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        for byte in VERSION:
            await trio.sleep(limits.API_IDLE_SECONDS / 20)
            if peer.ended_at is None:
                await peer.stream.send_all(bytes([byte]))
        assert peer.ended_at == pytest.approx(limits.API_IDLE_SECONDS)
    async with front_end(backend) as peer:
        await peer.stream.send_all(VERSION[:10])
        await trio.sleep(limits.API_IDLE_SECONDS - 0.1)
        assert statuses(await peer.ask(VERSION[10:])) == [200]
        assert peer.ended_at == pytest.approx(2 * limits.API_IDLE_SECONDS - 0.1), (
            "idle again, from the answer"
        )


@pytest.mark.parametrize(("early", "status"), [(0.1, 201), (-0.1, 408)])
async def test_a_body_has_its_time(
    backend: RecordingBackend, autojump_clock: MockClock, early: float, status: int
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(POST + b"Content-Length: 2\r\n\r\nx")
        await trio.sleep(limits.API_BODY_SECONDS - early)
        assert statuses(await peer.ask(b"y")) == [status]
    assert backend.submitted == ([b"xy"] if early > 0 else [])


async def test_an_answer_is_taken_in_time_or_not_at_all(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(VERSION)
        await trio.sleep(limits.API_TAKE_SECONDS - 0.1)
        assert statuses(await peer.read()) == [200]
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(VERSION)
        await trio.sleep(limits.API_TAKE_SECONDS + 0.1)
        assert peer.ended_at == pytest.approx(limits.API_TAKE_SECONDS)


async def test_a_sync_ends_when_nobody_takes_its_steps(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(SYNC)
        answer = b""
        while not answer.endswith(b"}\n\r\n"):
            answer += await peer.stream.receive_some(1)
        await backend.sync_cancelled.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.ended_at == pytest.approx(limits.API_ALIVE_SECONDS + limits.API_TAKE_SECONDS)


async def test_a_sync_that_is_slow_says_so_and_goes_on(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(SYNC)
        await trio.sleep(100 * limits.API_ALIVE_SECONDS + 1)
        assert not backend.sync_cancelled.is_set()
        assert (await peer.stream.receive_some(100_000)).count(b"\r\n\n\r\n") == 100


async def test_who_goes_on_sending_after_a_refusal_is_cut_off(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(POST + CHUNKED + b"ffffff\r\n" + b"x" * (limits.MAX_POST + 1))
        while peer.ended_at is None:
            await peer.stream.send_all(b"x")
            await trio.sleep(0.3)
        assert peer.ended_at == pytest.approx(limits.API_IDLE_SECONDS)


# -- going away -------------------------------------------------------------------------------------


async def test_who_closes_the_sending_side_still_gets_the_answer(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(POST + b"Content-Length: 3\r\n\r\none")
        await peer.stream.send_eof()
        assert statuses(await peer.read()) == [201]
        assert peer.ended_at == 0


@pytest.mark.parametrize(
    "sent", [POST, POST + b"Content-Length: 3\r\n\r\non", POST + CHUNKED + b"3\r\none\r\n"]
)
@pytest.mark.parametrize("is_half", [True, False])
async def test_half_a_request_is_none(
    backend: RecordingBackend, autojump_clock: MockClock, sent: bytes, is_half: bool
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(sent)
        if is_half:
            await peer.stream.send_eof()
            assert statuses(await peer.read()) == [400]
        else:
            await peer.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.ended_at == 0
    assert not backend.submitted


@pytest.mark.parametrize("is_half", [True, False])
async def test_a_sync_ends_with_its_front_end(
    backend: RecordingBackend, autojump_clock: MockClock, is_half: bool
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(SYNC)
        await backend.reported.wait()
        await (peer.stream.send_eof() if is_half else peer.stream.aclose())
        await backend.sync_cancelled.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.ended_at == 0


# -- the end of the node ----------------------------------------------------------------------------


@pytest.mark.parametrize(("within", "ends"), [(2.0, True), (float("inf"), False)])
async def test_the_end_of_the_node_is_the_end_of_every_connection(
    backend: RecordingBackend, autojump_clock: MockClock, within: float, ends: bool
) -> None:
    """With no bound, the control, a front end that reads nothing keeps the node from ending."""
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(VERSION)
        await trio.testing.wait_all_tasks_blocked()
        peer.connection.finish(within)
        await trio.sleep(limits.API_TAKE_SECONDS - 1)
        assert (peer.ended_at == within) is ends


async def test_a_connection_that_comes_at_the_end_is_not_waited_for(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        peer.connection.finish(limits.API_GRACE_SECONDS)
        await trio.testing.wait_all_tasks_blocked()
        assert peer.ended_at == 0


async def test_a_request_under_way_is_the_last_one(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(POST + b"Content-Length: 3\r\n\r\non")
        await trio.testing.wait_all_tasks_blocked()
        peer.connection.finish(limits.API_GRACE_SECONDS)
        answer = await peer.ask(b"e" + STOP)
    assert statuses(answer) == [201]
    assert b"Connection: close" in answer
    assert not backend.stopped.is_set()


# -- the rest of HTTP -------------------------------------------------------------------------------


async def test_a_client_that_waits_to_be_told_to_go_on(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    """curl does, with bodies over 1 MB, and older ones with those over 1 KB."""
    async with front_end(backend) as peer:
        await peer.stream.send_all(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        await trio.testing.wait_all_tasks_blocked()
        first = bytes(await peer.stream.receive_some(1_000))
        assert first.startswith(b"HTTP/1.1 100 ")
        assert statuses(first + await peer.ask(b"one")) == [100, 201]


async def test_an_old_client(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    """HTTP/1.0 ends with the connection, and knows no chunks."""
    async with front_end(backend) as peer:
        assert statuses(await peer.ask(b"GET /v1/version HTTP/1.0\r\n\r\n" + STOP)) == [200]
    assert not backend.stopped.is_set()
    async with front_end(backend) as peer:
        await peer.stream.send_all(b"POST /v1/sync HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
        answer = await peer.read()
    assert answer.endswith(b'{"result": {"new": 3, "sent": 1}}\n')
    assert b"chunked" not in answer


async def test_head_is_get_without_the_body(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    async with front_end(backend) as peer:
        answer = await peer.ask(b"HEAD /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")
    async with front_end(backend) as peer:
        answer = await peer.ask(b"HEAD /v1/stop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert not backend.stopped.is_set()


@pytest.mark.parametrize("seed", range(20))
async def test_damaged_requests_get_answers_or_none(
    backend: RecordingBackend, autojump_clock: MockClock, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever bytes come, no fault of the node is logged and the connection ends."""
    rng = Random(seed)
    requests = bytearray(VERSION + POST + CHUNKED + b"3\r\none\r\n0\r\n\r\n" + SYNC.replace(b"slow", b"many"))
    for _ in range(rng.randint(1, 10)):
        requests[rng.randrange(len(requests))] = rng.randrange(256)
    async with front_end(backend) as peer:
        await peer.stream.send_all(bytes(requests))
        await peer.read()
        await trio.sleep(limits.API_IDLE_SECONDS)
        await trio.testing.wait_all_tasks_blocked()
        assert peer.ended_at is not None
    assert not caplog.records
