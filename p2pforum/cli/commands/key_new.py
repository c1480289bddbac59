"""`p2pforum key new`: make a named pseudonym."""

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.core.post_id import format_id


@click.command()
@click.argument("name")
@pass_context
def command(context: Context, name: str) -> None:
    """Make a named pseudonym, for more than one thread.

    Everybody can see that one person signed all posts of this key. NAME is for you alone and never
    leaves your keystore. The key is kept until you burn it.

    \b
    p2pforum key new heron
    p2pforum post library --key heron
    """
    from p2pforum.cli.keys import writing
    from p2pforum.forum.keys import new_pseudonym

    with writing(context) as box:
        made = new_pseudonym(box, name, context.session.now())
    context.console.print(f'Made the pseudonym "{made.name}": {format_id(made.public)}')
