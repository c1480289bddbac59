"""Where my posts are, and why some of them stay here: the facts behind `outbox`."""

import enum
from dataclasses import dataclass

from p2pforum.app.clock import clock_problem, is_unconfirmed
from p2pforum.app.facts import node_status
from p2pforum.app.session import Session
from p2pforum.app.unlocking import open_keystore
from p2pforum.core import limits
from p2pforum.core.clock import is_taken
from p2pforum.forum.sent import SentPost, SentState, my_posts


class State(enum.Enum):
    WAITING = "waiting"  #: written; only this machine has it
    TRAVELLING = "travelling"  #: on its way by a detour that hides where it started
    PUBLIC = "public"
    HELD = "held"  #: peers would refuse it now


class Why(enum.Enum):
    """The reason why a post is held."""

    CLOCK = "the clock of this machine can't be right"
    AHEAD = "dated in the future"
    OLD = "dated so long ago that no peer takes it"


@dataclass(frozen=True, slots=True)
class Mine:
    sent: SentPost
    state: State
    why: Why | None = None
    sync_alone: bool = False  #: too old for gossip and stems: peers take it by sync, and see where it starts


@dataclass(frozen=True, slots=True)
class Outbox:
    """`posts`: those that are not public first, then the newest public ones. `waiting` counts all posts that
    wait for a peer, also of imports, whose keys are gone. `clock_problem` may be empty.
    """

    posts: list[Mine]
    waiting: int
    node_runs: bool
    clock_problem: str
    unconfirmed: bool  #: what is kept waits, though a peer is there, until one has told the hour


def outbox(session: Session) -> Outbox:
    """Where my posts are, and why. Raises KeystoreError."""
    box = open_keystore(session)
    found = my_posts(box.read(), session.reader, session.config.params) if box.exists else []
    stem = travelling(session)
    own, relayed = stem or (0, 0)
    wrong, now = clock_problem(session), session.now()
    posts = [_mine(sent, now, travels=own > 0, wrong=bool(wrong)) for sent in found]
    kept = sum(is_taken(row.hour, now) for row in session.reader.unreleased())
    kept = max(0, kept - own - relayed)  # some may have become public since the node was asked
    waiting = kept + sum(sent.state is SentState.WAITING for sent in found)
    return Outbox(posts, waiting, stem is not None, wrong, kept > 0 and is_unconfirmed(session))


def travelling(session: Session) -> tuple[int, int] | None:
    """Posts on their way by the detour: own ones, and those of others. None if no node runs."""
    status = node_status(session)
    if status is None:
        return None
    return status["stem"]["own"], status["stem"]["relayed"]


def has_peer(session: Session) -> bool:
    """Whether a node runs that has a peer to hand posts to."""
    status = node_status(session)
    return status is not None and bool(status["peers"])


def _mine(sent: SentPost, now: int, *, travels: bool, wrong: bool) -> Mine:
    """`travels`: an own post is on its way. The node does not say which of several."""
    match sent.state:
        case SentState.PUBLIC:
            return Mine(sent, State.PUBLIC)
        case SentState.WAITING:
            return Mine(sent, State.WAITING, sync_alone=_is_old(sent.row.hour, now))
        case SentState.KEPT:
            if why := _why(sent.row.hour, now, wrong=wrong):
                return Mine(sent, State.HELD, why)
            state = State.TRAVELLING if travels else State.WAITING
            return Mine(sent, state, sync_alone=_is_old(sent.row.hour, now))


def _is_old(hour: int, now: int) -> bool:
    return hour < now - limits.GOSSIP_PAST_HOURS


def _why(hour: int, now: int, *, wrong: bool) -> Why | None:
    """Why a post that is kept does not leave."""
    if wrong:
        return Why.CLOCK
    if hour > now + limits.FUTURE_HOURS:
        return Why.AHEAD
    return None if is_taken(hour, now) else Why.OLD
