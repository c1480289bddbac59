"""`p2pforum unlock`: let an agent hold the keystore's key for a while."""

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError

_MOST_MINUTES = limits.AGENT_MOST_SECONDS // 60


@click.command()
@click.option(
    "--for",
    "minutes",
    metavar="MINUTES",
    type=click.IntRange(1, _MOST_MINUTES),
    default=limits.AGENT_IDLE_MINUTES,
    show_default=True,
    help="Lock after this long without use.",
)
@pass_context
def command(context: Context, minutes: int) -> None:
    """Ask for the passphrase now, and not for each post.

    An agent holds the keystore's key in its memory, for the commands of your account. The agent ends
    after MINUTES without use, after 12 hours in any case, when the passphrase is changed, and with
    `p2pforum lock`. Anybody who has your unlocked machine can use the key as you do.
    """
    from p2pforum.agent import client
    from p2pforum.app.unlocking import open_keystore

    box = open_keystore(context.session, with_agent=False)
    held = box.mark_and_key
    if held is None:
        what = "has no passphrase, so it is never locked" if box.exists else "is not there yet"
        raise KeystoreError(f"the keystore {what}; {context.command('init')} sets a passphrase")
    client.start(box.path, *held, minutes * 60)
    status = client.ask_status(box.path)
    if status is not None and not status.is_locked:
        context.console.warn("the system may write the key to swap")
    context.console.print(f"Unlocked. Locks again after {options.count(minutes, 'minute')} without use.")
