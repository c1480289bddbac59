"""`p2pforum join`: accept an invite."""

import sys
from pathlib import Path

import click

from p2pforum.cli.commands.invites import print_invite
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options
from p2pforum.core import limits


@click.command()
@click.argument("invite")
@click.option("--show", is_flag=True, help="Show what the invite holds, and accept nothing.")
@options.as_json
@pass_context
def command(context: Context, invite: str, show: bool, as_json: bool) -> int:
    """Accept an invite.

    INVITE is a file, "-" for standard input, or the line itself. From then on your node stays in touch
    with the nodes that the invite names; a running node does so at once. `invites --drop` ends that.
    """
    from p2pforum.app.inviting import accept
    from p2pforum.app.result_shapes import invite_shape
    from p2pforum.core.invite import decode_invite, name_of_invite

    text = _read(invite)
    if show:
        found = decode_invite(text)
        name = name_of_invite("".join(text.split()))
        if as_json:
            context.console.json({"name": name, **invite_shape(found)})
        else:
            print_invite(context, name, found)
        return exit_codes.OK
    accepted, is_new, runs = accept(context.session, text)
    if as_json:
        facts = {"name": accepted.name, "new": is_new, "running": runs}
        context.console.json({**facts, **invite_shape(accepted.invite)})
        return exit_codes.OK
    print_invite(context, accepted.name, accepted.invite)
    context.console.print("Accepted." if is_new else "You accepted this invite before.")
    if not runs:
        context.console.note(f"Start the node: {context.command('run')}")
    return exit_codes.OK


def _read(invite: str) -> str:
    from p2pforum.core.invite import PREFIX

    if invite.startswith(PREFIX):
        return invite
    most = limits.MAX_INVITE + 1
    raw = sys.stdin.buffer.read(most) if invite == "-" else _head(Path(invite), most)
    return raw.decode("ascii", "replace")


def _head(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)
