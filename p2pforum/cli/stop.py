"""`p2pforum stop`: end the running node in good order."""

import time

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.core.errors import P2PForumError

_PATIENCE = 15.0  # seconds; a node needs 5 at most
_PAUSE = 0.05  # seconds


@click.command()
@pass_context
def command(context: Context) -> None:
    """Stop the running node.

    Returns when it has ended.
    """
    context.node.stop()
    deadline = time.monotonic() + _PATIENCE
    while context.node.is_running():
        if time.monotonic() > deadline:
            raise P2PForumError("the node was told to stop and still runs")
        time.sleep(_PAUSE)
    context.console.print("The node has stopped.")
