"""New posts told to front ends that listen: what they are told, and that nothing queues, waits or stays."""

import json
from typing import Any

import pytest
import trio
import trio.testing
from api_backend import RecordingBackend
from raw_front_end import NEW, VERSION, FrontEnd, front_end, statuses
from trio.testing import MockClock

from p2pforum.api.new_posts import NewPosts
from p2pforum.core import limits
from p2pforum.core.post_id import format_id

MOST = limits.API_NEW_IDS
LOOK = {"look": True}


def ids(count: int) -> list[bytes]:
    return [bytes([n % 256, n // 256]) + bytes(30) for n in range(count)]


def told(*posts: bytes) -> dict[str, Any]:
    return {"new": [format_id(post) for post in posts]}


def lines(received: bytes) -> list[Any]:
    """Of what came so far, without the empty ones."""
    return [json.loads(line) for line in received.split(b"\r\n") if line.startswith(b"{")]


def is_listening(backend: RecordingBackend) -> bool:
    return bool(backend.new_posts._listeners)


class Listening:
    """A front end that has asked, and what it got since the last look."""

    def __init__(self, peer: FrontEnd) -> None:
        self._peer = peer

    async def got(self) -> list[Any]:
        await trio.testing.wait_all_tasks_blocked()
        return lines(await self._peer.stream.receive_some(1_000_000))


# -- what one front end has not heard yet -----------------------------------------------------------


async def test_the_first_answer_is_to_look() -> None:
    new_posts = NewPosts()
    new_posts.tell(ids(1))  # nobody listens: nothing of it is kept
    with new_posts.listen() as listener:
        assert await listener.next() == []
        new_posts.tell(ids(3)[:2])
        new_posts.tell([])
        new_posts.tell(ids(3)[2:])
        assert await listener.next() == ids(3)


async def test_nothing_is_said_while_nothing_is_new(autojump_clock: MockClock) -> None:
    new_posts = NewPosts()
    with new_posts.listen() as listener:
        await listener.next()
        new_posts.tell([])
        with trio.move_on_after(1_000) as waiting:
            await listener.next()
        assert waiting.cancelled_caught
        new_posts.tell(ids(1))  # and what comes after a wait that was given up is not lost
        assert await listener.next() == ids(1)


@pytest.mark.parametrize("pieces", [1, MOST])
async def test_as_many_as_fit_are_named_and_one_more_means_look(pieces: int) -> None:
    new_posts = NewPosts()
    with new_posts.listen() as listener:
        for count, heard in ((MOST, ids(MOST)), (MOST + 1, [])):
            await listener.next()
            every = ids(count)
            step = -(-count // pieces)
            for start in range(0, count, step):
                new_posts.tell(every[start : start + step])
            assert len(listener._ids) <= MOST
            assert await listener.next() == heard
            new_posts.tell(ids(1))  # for the next round, and: after a look it names them again
            assert listener._ids == ids(1)


async def test_each_listener_has_its_own() -> None:
    new_posts = NewPosts()
    with new_posts.listen() as first, new_posts.listen() as second:
        await first.next()
        new_posts.tell(ids(1))
        assert await first.next() == ids(1)
        assert await second.next() == [], "it has not looked yet"


# -- by the socket ----------------------------------------------------------------------------------


async def test_posts_are_told_as_they_come(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(NEW)
        listening = Listening(peer)
        assert await listening.got() == [LOOK]
        one, two, three = ids(3)
        backend.new_posts.tell([one])
        assert await listening.got() == [told(one)]
        backend.new_posts.tell([two, three])
        assert await listening.got() == [told(two, three)]


async def test_it_says_that_it_lives(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(NEW)
        await trio.sleep(100 * limits.API_ALIVE_SECONDS + 1)
        assert (await peer.stream.receive_some(100_000)).count(b"\r\n\n\r\n") == 100
        assert peer.ended_at is None


async def test_who_takes_nothing_is_dropped(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(NEW)
        for _ in range(MOST):
            backend.new_posts.tell(ids(MOST))
            assert all(len(one._ids) <= MOST for one in backend.new_posts._listeners)
        await trio.sleep(limits.API_TAKE_SECONDS + 0.1)
        assert peer.ended_at == pytest.approx(limits.API_TAKE_SECONDS)
    assert not is_listening(backend)


async def test_who_reads_slowly_is_told_to_look(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(NEW)
        received = b""
        while not received.endswith(b"{"):  # it has the beginning of the first line
            received += await peer.stream.receive_some(1)
        for _ in range(MOST + 1):
            backend.new_posts.tell(ids(1))
        while received.count(b"}") < 2:
            received += await peer.stream.receive_some(1)
        assert lines(received) == [LOOK, LOOK]


@pytest.mark.parametrize("is_half", [True, False])
async def test_it_ends_with_its_front_end(
    backend: RecordingBackend, autojump_clock: MockClock, is_half: bool
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(NEW)
        await trio.testing.wait_all_tasks_blocked()
        assert is_listening(backend)
        await (peer.stream.send_eof() if is_half else peer.stream.aclose())
        await trio.testing.wait_all_tasks_blocked()
        assert peer.ended_at == 0
    assert not is_listening(backend)


async def test_it_ends_with_the_node_at_once_and_as_a_whole(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(NEW)
        await trio.testing.wait_all_tasks_blocked()
        peer.connection.finish(limits.API_GRACE_SECONDS)
        answer = await peer.read()
        assert answer.endswith(b"0\r\n\r\n"), "a reader can tell that no line was cut"
        assert peer.ended_at == 0
    assert not is_listening(backend)


async def test_a_node_that_ends_does_not_wait_for_who_reads_nothing(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend, lockstep=True) as peer:
        await peer.stream.send_all(NEW)
        await trio.testing.wait_all_tasks_blocked()
        peer.connection.finish(limits.API_GRACE_SECONDS)
        await trio.sleep(limits.API_GRACE_SECONDS + 0.1)
        assert peer.ended_at == limits.API_GRACE_SECONDS


async def test_its_head_alone_is_an_answer(backend: RecordingBackend, autojump_clock: MockClock) -> None:
    async with front_end(backend) as peer:
        answer = await peer.ask(b"HEAD" + NEW[3:])
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")
    assert answer.count(b"\r\n\r\n") == 1
    assert not is_listening(backend)


async def test_it_is_the_last_answer_of_its_connection(
    backend: RecordingBackend, autojump_clock: MockClock
) -> None:
    async with front_end(backend) as peer:
        await peer.stream.send_all(VERSION + NEW + VERSION)
        await trio.testing.wait_all_tasks_blocked()
        peer.connection.finish(limits.API_GRACE_SECONDS)
        assert statuses(await peer.read()) == [200, 200]


async def test_nothing_is_logged_of_it(
    backend: RecordingBackend, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="p2pforum")
    async with front_end(backend) as peer:
        await peer.stream.send_all(NEW)
        listening = Listening(peer)
        await listening.got()
        backend.new_posts.tell(ids(2))
        assert await listening.got() == [told(*ids(2))]
    assert not [r for r in caplog.records if r.name.startswith("p2pforum")]
