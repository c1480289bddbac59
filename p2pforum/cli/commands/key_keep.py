"""`p2pforum key keep`: a key that stays when it is idle."""

import click

from p2pforum.cli.commands.key_list import expiry
from p2pforum.cli.context import Context, pass_context
from p2pforum.core.post_id import short_id


@click.command()
@click.argument("key", metavar="KEY")
@click.option("--undo", is_flag=True, help="Let the key burn after 30 idle days, as other keys do.")
@pass_context
def command(context: Context, key: str, undo: bool) -> None:
    """Keep a key however long it is idle.

    Without this command, a thread's key is burnt when it has signed nothing for 30 days. The reason:
    nobody can hold a key against you that is gone.
    """
    from p2pforum.cli.keys import keystore_to_write
    from p2pforum.forum.keys import find_key, set_keep, view_of

    with keystore_to_write(context).transaction() as box:
        found = find_key(box, key)
        set_keep(found, not undo)
        view = view_of(box, found)
    context.console.print(f"{view.name or short_id(view.public)}: {expiry(view, context.session.now())}.")
