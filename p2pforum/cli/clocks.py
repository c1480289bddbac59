"""What commands ask of this machine's clock before they sign an hour by it."""

from p2pforum.cli.context import Context
from p2pforum.cli.times import this_hour
from p2pforum.core.clock import problem
from p2pforum.core.errors import NodeUnreachable


def clock_problem(context: Context) -> str:
    """Why it can't be right; "" if nothing speaks against it. A running node says what its peers' show."""
    try:
        offset = context.node.status().get("clock", {}).get("peers_ahead")
    except NodeUnreachable:
        offset = None
    return problem(this_hour(), offset, context.reader.newest_public())
