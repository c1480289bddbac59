"""The hour by this machine's clock, and whether it can be right. No finer time exists in a user's data."""

import time
from typing import TYPE_CHECKING

from p2pforum.core.clock import problem
from p2pforum.core.errors import NodeUnreachable

if TYPE_CHECKING:
    from p2pforum.app.session import Session

HOUR = 3600  # seconds
_NANOSECONDS = HOUR * 10**9


def this_hour() -> int:
    """Hours since 1970."""
    return time.time_ns() // _NANOSECONDS


def date(hour: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(hour * HOUR))


def rfc3339(hour: int) -> str:
    """The beginning of the hour, in UTC, as RFC 3339 writes it."""
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(hour * HOUR))


def clock_problem(session: "Session") -> str:
    """Why the clock can't be right; "" if nothing speaks against it. A running node knows the
    clocks of peers.
    """
    try:
        offset = session.node.status()["clock"]["peers_ahead"]
    except NodeUnreachable:
        offset = None
    return problem(session.now(), offset, session.reader.newest_public())


def is_unconfirmed(session: "Session") -> bool:
    """Whether own posts wait, though a peer is there, until one has told the hour."""
    try:
        node = session.node.status()
    except NodeUnreachable:
        return False
    return not session.config.hide_origin and node["peers"] > 0 and not node["clock"]["confirmed"]
