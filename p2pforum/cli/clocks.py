"""What commands ask of this machine's clock before they sign an hour by it."""

from p2pforum.cli.context import Context
from p2pforum.cli.terminal.times import this_hour
from p2pforum.core.clock import problem
from p2pforum.core.errors import NodeUnreachable


def clock_problem(context: Context) -> str:
    """Why it can't be right; "" if nothing speaks against it. A running node says what its peers' show."""
    try:
        offset = context.node.status().get("clock", {}).get("peers_ahead")
    except NodeUnreachable:
        offset = None
    return problem(this_hour(), offset, context.reader.newest_public())


def unconfirmed(context: Context) -> str:
    """Why own posts wait though a peer is there; "" if they do not."""
    try:
        node = context.node.status()
    except NodeUnreachable:
        return ""
    if context.config.hide_origin or not node["peers"] or node.get("clock", {}).get("confirmed", True):
        return ""
    return "no peer has said yet what hour it is; own posts wait for that, as by a wrong clock they are lost"
