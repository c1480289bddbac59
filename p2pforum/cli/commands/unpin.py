"""`p2pforum unpin`: the opposite of pin.py."""

import click

from p2pforum.cli.commands.pin import change
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options


@click.command()
@click.argument("thread_id", metavar="ID")
@click.option("-y", "--yes", is_flag=True, help="Accept the beginning of an ID without asking.")
@options.as_json
@pass_context
def command(context: Context, thread_id: str, yes: bool, as_json: bool) -> int:
    """Unpin a thread: its age counts again."""
    return change(context, thread_id, pinned=False, yes=yes, as_json=as_json)
