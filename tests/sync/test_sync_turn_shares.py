"""Whose turn it is, when strangers want to work and a peer that we dialled does."""

from collections.abc import Sequence

import pytest
import trio
import trio.testing

from p2pforum.sync.session_runner import TurnShare

SECONDS = 0.002


async def strangers_turns(own: TurnShare, theirs: Sequence[TurnShare], turns: int) -> int:
    """How often any of them had a turn while our own session had so many."""
    count = 0

    async def work(share: TurnShare) -> None:
        nonlocal count
        while True:
            async with share.turn():
                await trio.testing.wait_all_tasks_blocked()
                count += 1

    async with trio.open_nursery() as nursery:
        for share in theirs:
            nursery.start_soon(work, share)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(turns):
            async with own.turn():
                await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return count


def a_share(turns: trio.Lock, yields_to: TurnShare | None = None) -> TurnShare:
    return TurnShare(turns, SECONDS, 1_024, 1, yields_to)


async def test_sixteen_strangers_have_one_turn_for_each_of_ours() -> None:
    turns = trio.Lock()
    own, theirs = a_share(turns), a_share(turns)
    assert await strangers_turns(own, [theirs] * 16, 50) <= 51


async def test_without_a_share_they_have_sixteen() -> None:
    """The control."""
    turns = trio.Lock()
    own = a_share(turns)
    assert await strangers_turns(own, [a_share(turns) for _ in range(16)], 50) >= 16 * 49


@pytest.mark.parametrize(("sessions", "rests"), [(1, True), (0, False)], ids=["session", "control"])
async def test_strangers_rest_while_a_session_of_ours_has_posts_at_the_door(
    sessions: int, rests: bool, autojump_clock: trio.testing.MockClock
) -> None:
    turns = trio.Lock()
    own = a_share(turns)
    own.active = sessions
    theirs = a_share(turns, own)
    for _ in range(50):
        async with theirs.turn():
            pass
    assert (trio.current_time() >= 50 * SECONDS) == rests
