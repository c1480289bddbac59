"""`p2pforum stop`: end the running node in good order."""

import time

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.core.errors import P2PForumError, StoreBusy

_PATIENCE = 15.0  # seconds; a node needs 5 at most
_PAUSE = 0.05  # seconds


@click.command()
@pass_context
def command(context: Context) -> None:
    """Stop the running node.

    The command returns when the node has ended.
    """
    from p2pforum.store.directory import held

    context.session.node.stop()
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with held(context.session.paths.data_dir):  # the node gives the lock back last
                break
        except StoreBusy:
            if time.monotonic() > deadline:
                raise P2PForumError("the node was asked to stop and still runs") from None
            time.sleep(_PAUSE)
    context.console.print("The node has stopped.")
