"""`p2pforum pin`: keep a thread until it is unpinned. unpin.py is its opposite."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, questions, render
from p2pforum.core.post_id import format_id

if TYPE_CHECKING:
    from p2pforum.app.result_shapes import PinShape


@click.command()
@click.argument("thread_id", metavar="ID")
@click.option("-y", "--yes", is_flag=True, help="Accept the beginning of an ID without asking.")
@options.as_json
@pass_context
def command(context: Context, thread_id: str, yes: bool, as_json: bool) -> int:
    """Keep a thread whatever its age.

    Your node keeps a pinned thread even when it is old or the quota is full. Pins stay on this machine;
    anybody who takes its disk can see them. If you give the beginning of an ID, the command shows the
    whole ID and asks. The reason: an attacker can make a post whose ID begins the same.
    """
    return change(context, thread_id, pinned=True, yes=yes, as_json=as_json)


def change(context: Context, typed: str, *, pinned: bool, yes: bool, as_json: bool) -> int:
    """Pin or unpin the thread of the ID that was typed."""
    from p2pforum.app.delivery import Delivery

    root = _root(context, typed, yes=yes)
    with Delivery(context.session) as outlet:
        changed = outlet.pin(root, pinned)
    if as_json:
        shape: PinShape = {"id": format_id(root), "pinned": pinned, "changed": changed}
        context.console.json(shape)
    else:
        said = "Pinned" if pinned else "No longer pinned"
        context.console.print(f"{said}: {format_id(root)}" + ("" if changed else " (as before)"))
    return exit_codes.OK


def _root(context: Context, typed: str, *, yes: bool) -> bytes:
    """The whole ID of a thread. If the user typed a beginning, show what it means, and ask."""
    from p2pforum.app.whole_ids import thread_meant

    meant = thread_meant(context.session, typed)
    if not meant.is_whole and not yes:
        subject = render.subject(meant.post.subject if meant.post else "")
        context.console.note(f"{subject}\n{format_id(meant.root)}")
        questions.confirm(
            "This thread?",
            "an attacker can make a post whose ID begins the same, so give the whole ID, or --yes",
        )
    return meant.root
