"""`p2pforum invites`: which invites the user accepted, and how to take that back."""

from typing import TYPE_CHECKING

import click

from p2pforum.app.session import tilde
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options

if TYPE_CHECKING:
    from p2pforum.app.result_shapes import DroppedShape
    from p2pforum.core.invite import Invite


@click.command()
@click.option("--drop", metavar="NAME", help="Drop this invite, as if you had never accepted it.")
@options.as_json
@pass_context
def command(context: Context, drop: str | None, as_json: bool) -> int:
    """List the invites that you accepted."""
    if drop is not None:
        return _drop(context, drop, as_json)
    from p2pforum.config.invites import accepted_invites

    found = accepted_invites(context.session.paths)
    if as_json:
        from p2pforum.app.result_shapes import invite_shape

        context.console.json([{"name": a.name, **invite_shape(a.invite)} for a in found])
        return exit_codes.OK
    for accepted in found:
        print_invite(context, accepted.name, accepted.invite)
    if not found:
        context.console.print("You have accepted no invite yet.")
        context.console.note(f"Accept one: {context.command('join FILE')}")
    return exit_codes.OK


def _drop(context: Context, name: str, as_json: bool) -> int:
    from p2pforum.app.inviting import drop

    path = drop(context.session, name)
    if as_json:
        gone: DroppedShape = {"name": name, "dropped": True}
        context.console.json(gone)
    else:
        context.console.print(f"Dropped: {tilde(path)}")
    return exit_codes.OK


def print_invite(context: Context, name: str, invite: "Invite") -> None:
    """`decode_invite` checked all of an invite, so an attacker's invite can't steer the terminal."""
    from p2pforum.core.post_id import format_id

    console = context.console
    console.print(f"{console.style(name, 'bold')}  network {invite.network}")
    for peer in invite.peers:
        console.print(f"  peer   {peer}")
    for board in invite.boards:
        console.print(f"  board  #{board}")
    for key in invite.lists:
        console.print(f"  list   {format_id(key)}")
    if invite.lists:
        console.print("  (moderation lists: kept here; no command of this version follows one yet)")
