"""A virtual clock for tests that also wait for threads."""

import pytest
import trio.testing


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """Jumps only when nothing has happened for a while: trio does not see the thread of the door at work."""
    return trio.testing.MockClock(autojump_threshold=0.3)
