"""Token buckets and tables that forget, as gossip, stem, sync, exchange and the network use them."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core.bounded import BoundedDict, TokenBucket

RATE, BURST = 0.5, 4


def test_as_many_at_once_as_the_burst_and_then_at_the_rate() -> None:
    bucket = TokenBucket(RATE, BURST, 100.0)
    assert [bucket.take_one(100.0) for _ in range(BURST)] == [0.0] * BURST
    assert bucket.take_one(100.0) == 2.0
    assert bucket.take_one(101.5) == 0.5
    assert bucket.take_one(102.0) == 0.0
    assert bucket.take_one(102.0) == 2.0


def test_a_month_of_quiet_brings_no_more_than_the_burst() -> None:
    bucket = TokenBucket(RATE, BURST, 0.0, 0)
    assert bucket.left(30 * 86_400.0) == BURST
    bucket.earn(1)
    assert bucket.left(30 * 86_400.0) == BURST


def test_whoever_begins_with_less_has_to_wait() -> None:
    bucket = TokenBucket(RATE, BURST, 0.0, 0)
    assert bucket.take(3, 0.0) == 0
    assert bucket.take(3, 4.0) == 2
    assert bucket.take(3, 400.0) == 3
    assert bucket.take(3, 400.0) == 1


def test_a_debt_is_paid_by_time_and_by_what_is_earned() -> None:
    bucket = TokenBucket(RATE, BURST, 0.0)
    bucket.spend(BURST + 3)
    assert bucket.left(0.0) == -3
    assert bucket.take_one(0.0) == 8.0
    bucket.earn(1)
    assert bucket.left(2.0) == -1


def test_the_wait_is_never_nothing() -> None:
    """Or whoever sleeps for it would be back at once, again and again."""
    bucket = TokenBucket(RATE, BURST, 0.0, 1.0 - 1e-12)
    assert bucket.take_one(0.0) == 0.001


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=60), st.floats(0, 20))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[bool, float]], first: float) -> None:
    bucket, now, taken = TokenBucket(10 / 60, 20, 0.0, first), 0.0, 0.0
    for takes, wait in steps:
        now += wait
        taken += bucket.take(5.0, now) if takes else bucket.take_one(now) == 0.0
        assert taken <= first + now / 6 + 1e-6


@pytest.mark.parametrize(("count", "left"), [(3, "012"), (4, "123")])
def test_a_table_at_its_bound_and_one_beyond(count: int, left: str) -> None:
    table = BoundedDict[str, int](3)
    for n in range(count):
        table[str(n)] = n
    assert "".join(table) == left


def test_what_is_set_again_is_the_newest() -> None:
    table = BoundedDict[str, int](3)
    for name in "abcad":
        table[name] = 1
    assert "".join(table) == "cad"


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_it_holds_the_last_that_were_set(keys: list[int], most: int) -> None:
    table, last = BoundedDict[int, int](most), OrderedDict[int, int]()
    for n, key in enumerate(keys):
        table[key] = n
        last.pop(key, None)
        last[key] = n
    assert list(table.items()) == list(last.items())[-most:]
