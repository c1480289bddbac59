"""What hour it is for peers, over time and when this machine's clock is set."""

from p2pforum.sync import params
from p2pforum.sync.clocks import Clocks

HOUR = 3600.0


class Time:
    def __init__(self) -> None:
        self.seconds, self.hour = 0.0, 1_000
        self.clocks = Clocks(lambda: self.seconds, lambda: self.hour)


def test_nobody_has_said_anything() -> None:
    assert Time().clocks.offset() is None


def test_it_goes_on_as_time_does() -> None:
    t = Time()
    t.clocks.note("a", 1_400)
    t.seconds, t.hour = 3 * HOUR, 1_003
    assert t.clocks.offset() == 400


def test_a_clock_that_is_set_is_right_at_once() -> None:
    t = Time()
    t.clocks.note("a", 1_400)
    t.hour = 1_400
    assert t.clocks.offset() == 0


def test_what_was_said_long_ago_does_not_count() -> None:
    t = Time()
    t.clocks.note("a", 1_400)
    t.seconds = params.CLOCKS_SECONDS
    assert t.clocks.offset() is None


def test_the_last_that_were_heard_count() -> None:
    t = Time()
    for number in range(params.CLOCKS_REMEMBERED):
        t.clocks.note(f"old-{number}", 5)
    for number in range(params.CLOCKS_REMEMBERED):
        t.clocks.note(f"new-{number}", 1_000)
    assert t.clocks.offset() == 0
