"""`p2pforum lock`: end the agent."""

import click

from p2pforum.cli.context import Context, pass_context


@click.command()
@pass_context
def command(context: Context) -> None:
    """Make the agent forget the keystore's key.

    The agent has wiped the key from its memory when the command ends.
    """
    from p2pforum.agent.client import lock

    was_unlocked = lock(context.session.paths.keystore_file)
    context.console.print("Locked." if was_unlocked else "Nothing was unlocked.")
