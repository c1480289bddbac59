"""What hour it is for peers, over time and when this machine's clock is set."""

import time as machine
from collections.abc import Callable

import pytest
import trio
import trio.testing

from p2pforum.sync import clocks, params
from p2pforum.sync.clocks import Clocks

HOUR = 3600.0


class Time:
    def __init__(self) -> None:
        self.seconds, self.hour = 0.0, 1_000
        self.clocks = Clocks(lambda: self.hour, lambda: self.seconds)


def test_nobody_has_said_anything() -> None:
    assert Time().clocks.offset() is None


def test_it_goes_on_as_time_does() -> None:
    t = Time()
    t.clocks.note("a", 1_400, dialled=True)
    t.seconds, t.hour = 3 * HOUR, 1_003
    assert t.clocks.offset() == 400


def test_a_clock_that_is_set_is_right_at_once() -> None:
    t = Time()
    t.clocks.note("a", 1_400, dialled=True)
    t.hour = 1_400
    assert t.clocks.offset() == 0


def test_what_was_said_long_ago_does_not_count() -> None:
    t = Time()
    t.clocks.note("a", 1_400, dialled=True)
    t.seconds = params.CLOCKS_SECONDS
    assert t.clocks.offset() is None


def test_the_last_that_were_heard_count() -> None:
    t = Time()
    for number in range(params.CLOCKS_REMEMBERED):
        t.clocks.note(f"old-{number}", 5, dialled=True)
    for number in range(params.CLOCKS_REMEMBERED):
        t.clocks.note(f"new-{number}", 1_000, dialled=True)
    assert t.clocks.offset() == 0


@pytest.mark.parametrize(
    ("ahead", "is_confirmed"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
@pytest.mark.parametrize("dialled", [True, False])
def test_a_clock_is_confirmed_by_a_peer_that_says_the_same_hour_or_the_next(
    ahead: int, is_confirmed: bool, dialled: bool
) -> None:
    t = Time()
    assert not t.clocks.is_confirmed
    t.clocks.note("a", 1_000 + ahead, dialled=dialled)
    assert t.clocks.is_confirmed == is_confirmed


def test_peers_that_dialled_us_never_make_a_clock_look_wrong() -> None:
    t = Time()
    for number in range(100):
        t.clocks.note(f"stranger-{number}", 5, dialled=False)
    assert t.clocks.offset() is None
    t.clocks.note("honest", 1_000, dialled=False)
    for number in range(100):
        t.clocks.note(f"another-{number}", 5, dialled=False)
    assert t.clocks.is_confirmed


def test_nor_do_they_confirm_one_that_those_we_dialled_contradict() -> None:
    t = Time()
    t.clocks.note("stranger", 1_000, dialled=False)
    t.clocks.note("chosen", 1_400, dialled=True)
    assert not t.clocks.is_confirmed


def test_a_clock_that_is_set_to_another_hour_is_confirmed_no_more() -> None:
    t = Time()
    t.clocks.note("stranger", 1_000, dialled=False)
    t.seconds, t.hour = 3 * HOUR, 1_003
    assert t.clocks.is_confirmed
    t.hour = 600
    assert not t.clocks.is_confirmed


@pytest.mark.parametrize("dialled", [True, False])
def test_a_confirmation_lasts_a_day(dialled: bool) -> None:
    t = Time()
    t.clocks.note("a", 1_000, dialled=dialled)
    t.seconds, t.hour = params.CLOCKS_SECONDS - 1, 1_023
    assert t.clocks.is_confirmed
    t.seconds, t.hour = params.CLOCKS_SECONDS, 1_024
    assert not t.clocks.is_confirmed


async def test_who_waits_hears_of_it_at_once() -> None:
    t = Time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(t.clocks.wait_confirmed)
        await trio.testing.wait_all_tasks_blocked()
        t.clocks.note("liar", 5, dialled=False)
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks, "still waiting"
        t.clocks.note("a", 1_000, dialled=False)


@pytest.mark.parametrize(("time", "offset"), [(clocks.with_sleep, 0), (trio.current_time, -8)])
async def test_a_machine_that_slept_for_a_night_does_not_take_its_clock_for_wrong(
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    time: Callable[[], float],
    offset: int,
) -> None:
    """The control goes by trio's clock alone: what peers said last night seems to be of this morning."""
    slept = {machine.CLOCK_BOOTTIME: 0.0, machine.CLOCK_MONOTONIC: 0.0}
    monkeypatch.setattr(machine, "clock_gettime", slept.__getitem__)
    hour = [1_000]
    heard = Clocks(lambda: hour[0], time)
    heard.note("a", 1_000, dialled=True)
    hour[0], slept[machine.CLOCK_BOOTTIME] = 1_008, 8 * HOUR
    assert heard.offset() == offset
