"""`p2pforum drafts`: texts that were not published, listed, shown and dropped."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render
from p2pforum.cli.terminal.times import ago
from p2pforum.core.post_id import SHORT, TEXT_LENGTH

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Draft
    from p2pforum.keystore.keystore import Keystore

_WORDS = 60  # columns of the first words


@click.group(invoke_without_command=True)
@options.as_json
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the texts that you wrote and did not publish.

    A text becomes a draft before it is published, and is one no longer when the post is signed. So what
    fails, or is cut short, can be gone on with: `post`, `reply` and `edit` take `--draft ID`.
    """
    if ctx.invoked_subcommand is not None:
        return
    from p2pforum.forum.drafts import listed

    context = ctx.ensure_object(Context)
    found = listed(_opened(context).read())
    if as_json:
        from p2pforum.app.shapes import draft_shape

        context.console.json([draft_shape(draft_id, draft) for draft_id, draft in found])
        return
    if not found:
        context.console.print("You have no drafts.")
    for draft_id, draft in found:
        when = context.console.style(ago(draft.hour, context.session.now()), "dim")
        context.console.print(f"{context.console.style(draft_id, 'bold')}  {_where(draft)}  {when}")
        words = " ".join((draft.subject or draft.body).split())
        context.console.print(f"  {render.cut(render.line(words), _WORDS)}")
        context.console.print(f"  {context.console.style(_again(context, draft_id, draft), 'dim')}")


@command.command("show")
@click.argument("draft_id", metavar="ID")
@pass_context
def show(context: Context, draft_id: str) -> None:
    """Print a draft: its subject, if it has one, an empty line, and the text."""
    from p2pforum.cli.drafting import shown_text
    from p2pforum.forum.drafts import find

    text = shown_text(find(_opened(context).read(), draft_id).draft)
    if context.console.is_terminal:
        text = "\n".join(map(render.line, text.split("\n")))
    context.console.print(text)


@command.command("drop")
@click.argument("draft_ids", metavar="ID...", nargs=-1, required=True)
@pass_context
def drop(context: Context, draft_ids: tuple[str, ...]) -> None:
    """Drop drafts. You can't get them back."""
    from p2pforum.forum import drafts

    with _opened(context).transaction() as box:
        for kept in [drafts.find(box, draft_id) for draft_id in draft_ids]:
            drafts.drop(box, kept)
            context.console.print(f"Dropped draft {kept.id}.")


def _opened(context: Context) -> "Keystore":
    """The keystore, with the texts whose writing was cut short. Without such a text none is made."""
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.cli.drafting import take_in
    from p2pforum.cli.keys import keystore_to_write
    from p2pforum.cli.terminal.desk import count_desks

    if not count_desks(str(context.session.paths.keys_dir)):
        return open_keystore(context.session)
    keystore = keystore_to_write(context)
    take_in(context, keystore)
    return keystore


def _where(draft: "Draft") -> str:
    kind, _, where = draft.destination.partition(" ")
    return {"board": f"a thread on #{where}", "reply": f"a reply to {where[:SHORT]}"}.get(
        kind, f"an edit of {where[:SHORT]}"
    )


def _again(context: Context, draft_id: str, draft: "Draft") -> str:
    """The command with which the user goes on."""
    kind, _, where = draft.destination.partition(" ")
    verb = "post" if kind == "board" else kind
    short = where[:SHORT] if kind != "board" and len(where) == TEXT_LENGTH else where
    return context.command(f"{verb} {short} --draft {draft_id}")
