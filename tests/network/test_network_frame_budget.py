"""Frames that carry nothing: a storm of them costs its sender time, and honest traffic none."""

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from network_tools import an_account

from p2pforum.core.limits import FRAME_BYTES, FRAMES_BURST, FRAMES_PER_SECOND
from p2pforum.network.frame_budget import FrameBudget
from p2pforum.network.memory_stream import memory_stream_pair
from p2pforum.network.yamux import YamuxConnection
from p2pforum.network.yamux_config import YamuxConfig
from p2pforum.network.yamux_frames import ACK, DATA, PING, RST, SYN, WINDOW_UPDATE, Frame, header
from p2pforum.network.yamux_stream import YamuxStream

SECONDS = 10


def test_both_sides_of_the_burst_and_of_the_rate() -> None:
    budget = FrameBudget(0.0)
    assert budget.spend(FRAMES_BURST, 0, 0.0) == 0
    assert budget.spend(1, 0, 0.0) == pytest.approx(1 / FRAMES_PER_SECOND)
    budget = FrameBudget(0.0)
    for n in range(100 * FRAMES_PER_SECOND):
        assert budget.spend(1, 0, n / FRAMES_PER_SECOND) == 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 2_000), st.integers(0, 10**6)), max_size=30))
def test_who_waits_as_told_never_sends_more_than_burst_rate_and_bytes_allow(
    steps: list[tuple[float, int, int]],
) -> None:
    budget, now, frames, size = FrameBudget(0.0), 0.0, 0, 0
    for pause, count, more in steps:
        now += pause
        now += budget.spend(count, more, now)
        frames, size = frames + count, size + more
        assert frames <= FRAMES_BURST + now * FRAMES_PER_SECOND + size / FRAME_BYTES + 1


def storm(kind: str) -> bytes:
    """Some thousand frames."""
    match kind:
        case "ping":
            return header(PING, SYN, 0, 7) * 5_000
        case "pong":
            return header(PING, ACK, 0, 7) * 5_000
        case "window":
            return header(WINDOW_UPDATE, 0, 1, 0) * 5_000
        case "empty":
            return header(DATA, 0, 1, 0) * 5_000
        case "byte":
            return (header(DATA, 0, 99, 1) + b"x") * 5_000
        case _:
            return b"".join(header(WINDOW_UPDATE, f, n, 0) for n in range(1, 5_000, 2) for f in (SYN, RST))


STORMS = pytest.mark.parametrize("kind", ["ping", "pong", "window", "empty", "byte", "streams"])


async def frames_worked_on(kind: str, config: YamuxConfig, monkeypatch: pytest.MonkeyPatch) -> int:
    """By a node that is stormed for SECONDS."""
    worked = 0
    on_frame = YamuxConnection._on_frame

    def count(connection: YamuxConnection, frame: Frame) -> None:
        nonlocal worked
        worked += 1
        on_frame(connection, frame)

    monkeypatch.setattr(YamuxConnection, "_on_frame", count)
    here, there = memory_stream_pair(64 * 1024)
    ours = YamuxConnection(
        here, initiator=False, on_stream=YamuxStream.reset, account=an_account(), config=config
    )
    with trio.move_on_after(SECONDS):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ours.run)
            nursery.start_soon(swallow, there)
            data = storm(kind)
            while worked < 6_000:
                await there.send_all(data)
    return worked


async def swallow(stream: trio.abc.ReceiveStream) -> None:
    while await stream.receive_some():
        pass


@STORMS
async def test_a_storm_costs_a_bounded_amount_of_work(
    kind: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    assert (
        await frames_worked_on(kind, YamuxConfig(), monkeypatch)
        <= FRAMES_BURST + (SECONDS + 1) * FRAMES_PER_SECOND
    )


@pytest.mark.slow
@STORMS
async def test_control_without_the_budget_it_costs_as_much_as_the_peer_likes(
    kind: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    assert await frames_worked_on(kind, YamuxConfig(frames=10**9), monkeypatch) > 5_000


async def test_data_in_large_frames_is_never_held_up(autojump_clock: trio.testing.MockClock) -> None:
    """Ten megabytes to a peer that answers with window updates, and back."""
    here, there = memory_stream_pair(64 * 1024)
    accepted: list[YamuxStream] = []
    ours = YamuxConnection(here, initiator=True, on_stream=accepted.append, account=an_account())
    theirs = YamuxConnection(there, initiator=False, on_stream=accepted.append, account=an_account())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.run)
        nursery.start_soon(theirs.run)
        stream = ours.open()

        async def send() -> None:
            for _ in range(10):
                await stream.send_all(bytes(10**6))
            await stream.send_eof()

        started = trio.current_time()
        nursery.start_soon(send)
        while not accepted:
            await trio.lowlevel.checkpoint()
        got = 0
        async for part in accepted[0]:
            got += len(part)
        assert got == 10 * 10**6
        assert trio.current_time() == started
        nursery.cancel_scope.cancel()
