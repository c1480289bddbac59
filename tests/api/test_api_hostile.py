"""Front ends that break HTTP, in virtual time and without a socket."""

from random import Random

import pytest
import trio
import trio.testing
from api_backend import RecordingBackend
from raw_front_end import CHUNKED, POST, STOP, SYNC, VERSION, front_end, statuses
from trio.testing import MockClock

from p2pforum.core import limits

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
    assert answer.endswith(b'"done": 1, "sessions": []}}\n')
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
