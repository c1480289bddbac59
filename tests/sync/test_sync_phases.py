"""The table of a session's phases: whole, and strict. What a session does with it: test_sync_states.py."""

import pytest

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync import phases
from p2pforum.sync.phases import Phase


def test_a_phase_of_a_sync_session_is_reached_and_left() -> None:
    reached = {Phase.GREETING, *phases.NEXT.values()}
    assert reached == set(Phase)
    assert {before for before, _ in phases.NEXT} == set(Phase) - {Phase.ENDED}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", phases.Event)
def test_an_event_that_the_table_does_not_name_is_a_breach(phase: Phase, event: phases.Event) -> None:
    if (phase, event) in phases.NEXT:
        assert phases.step(phase, event) is phases.NEXT[phase, event]
    else:
        with pytest.raises(RemoteProtocolError):
            phases.step(phase, event)
