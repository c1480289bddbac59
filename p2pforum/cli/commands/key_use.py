"""`p2pforum key use`: which of my keys signs in a thread."""

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import render
from p2pforum.core.errors import NotFound
from p2pforum.core.pseudonym import name_of


@click.command()
@click.argument("key", metavar="KEY")
@click.argument("thread", metavar="ID")
@pass_context
def command(context: Context, key: str, thread: str) -> None:
    """Speak as this pseudonym in a thread from now on.

    ID is the thread, or a post in it. The command refuses a key that was made for another thread. The
    reason: the key would show that one person writes in both.
    """
    from p2pforum.cli.keys import writing
    from p2pforum.forum.keys import find_key, use

    row = context.session.reader.post(context.session.reader.resolve(thread))
    if row is None:
        raise NotFound(f'no post "{thread}" is here')
    with writing(context) as box:
        chosen = find_key(box, key)
        before = box.speaking.get(row.root, chosen.public)
        use(box, chosen, row.root)
    first = context.session.reader.post(row.root)
    subject = render.line(first.subject) if first is not None else "(first post not here yet)"
    context.console.print(f'In "{subject}" you speak as {name_of(chosen.public, row.root)} from now on.')
    if before != chosen.public:
        context.console.note(f"Your earlier posts there stay signed by {name_of(before, row.root)}.")
