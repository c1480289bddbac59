"""`p2pforum key export`: a key as one line."""

import click

from p2pforum.cli.context import Context, pass_context


@click.command()
@click.argument("key", metavar="KEY")
@pass_context
def command(context: Context, key: str) -> None:
    """Print a key as one line of text.

    Anybody who reads that line can sign as you, and prove what you wrote. Let nobody see it on its way.
    `p2pforum key import` takes it in.

    \b
    p2pforum key export heron > /path/to/stick/heron.key
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum.keys import export_key, find_key

    context.console.print(export_key(find_key(open_keystore(context.session).read(), key)))
    context.console.note("Anybody who reads this line can sign as you, even after you burn the key.")
