"""How far the peer of a session is: phases, and the frames that bring it from one to the next.

`python docs/session_drawing.py` draws the table; a test keeps docs/ARCHITECTURE.md equal to it.
"""

import enum

from p2pforum.core.errors import RemoteProtocolError


class Phase(enum.Enum):
    GREETING = "its HELLO is awaited"
    LOOKING = "its LOOK is awaited, or ours has not been made"
    SAME = "nothing differs: only its END may come"
    NAMING = "it names boards, and may ask"
    ASKING = "all its boards are named; it may ask"
    ENDED = "it asks for nothing more, and still answers"


class Event(enum.Enum):
    HELLO = "HELLO"
    EQUAL = "both LOOKs, which are equal"
    DIFFERENT = "both LOOKs, which differ"
    NAMED = "its last BOARDS"
    END = "END 0"


NEXT = {
    (Phase.GREETING, Event.HELLO): Phase.LOOKING,
    (Phase.LOOKING, Event.EQUAL): Phase.SAME,
    (Phase.LOOKING, Event.DIFFERENT): Phase.NAMING,
    (Phase.SAME, Event.END): Phase.ENDED,
    (Phase.NAMING, Event.NAMED): Phase.ASKING,
    (Phase.ASKING, Event.END): Phase.ENDED,
}
COMPARED = {Phase.NAMING, Phase.ASKING, Phase.ENDED}  # phases in which frames about boards and posts may come

_BREACHES = {
    Event.HELLO: "a second HELLO",
    Event.END: "an END before all boards were named",
}


def step(phase: Phase, event: Event) -> Phase:
    """The next phase. Raises RemoteProtocolError for a frame that the peer may not send in this phase."""
    try:
        return NEXT[phase, event]
    except KeyError:
        second_end = phase is Phase.ENDED and event is Event.END
        text = "a second END" if second_end else _BREACHES.get(event, f"{event.value} out of turn")
        raise RemoteProtocolError(text) from None


def drawing() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.GREETING.name}"]
    lines += [f"    {phase.name}: {phase.name} ({phase.value})" for phase in Phase]
    lines += [f"    {before.name} --> {after.name}: {event.value}" for (before, event), after in NEXT.items()]
    ends = [phase for phase in Phase if all(before is not phase for before, _ in NEXT)]
    lines += [f"    {phase.name} --> [*]: our END 0, and all credit for POSTS is back" for phase in ends]
    return "\n".join(lines) + "\n"
