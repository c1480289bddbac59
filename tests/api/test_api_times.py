"""Front ends that are slow, stop in the middle or go away, and the end of the node, in virtual time."""

import pytest
import trio
import trio.testing
from api_backend import RecordingBackend
from raw_front_end import CHUNKED, POST, STOP, SYNC, VERSION, front_end, statuses
from trio.testing import MockClock

from p2pforum.core import limits

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
