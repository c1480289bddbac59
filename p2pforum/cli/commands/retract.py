"""`p2pforum retract`: withdraw a post of mine."""

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, questions, render


@click.command()
@click.argument("post_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@options.as_json
@pass_context
def command(context: Context, post_id: str, yes: bool, as_json: bool) -> int:
    """Withdraw a post of yours.

    Programs that follow the rules show "withdrawn by its author" in its place, and the answers to it stay.
    You can't call the post back: other nodes keep it, and anybody who looks for its text finds it. You
    can't undo a withdrawal.

    \b
    p2pforum retract k7q2mf0a
    """
    from p2pforum.app.reading import own_post
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.cli.publishing import carry_out

    keystore = open_keystore(context.session)
    post = own_post(context.session, post_id, keystore.read())
    if not yes:
        text = render.cut(render.line(post.subject or post.body), 60)
        questions.confirm(f"Withdraw the post that begins: {text}? It can't be undone")
    return carry_out(context, keystore, lambda w: w.retract(post.id), as_json)
