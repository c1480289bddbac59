"""`p2pforum invite`: where this network is met, as a line of text for others."""

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options


def _boards(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for typed in names if (name := options.check_board(ctx, param, typed)))


@click.command()
@click.option(
    "--peer", "peers", multiple=True, metavar="ADDRESS", help="A node to dial. May be repeated: name several."
)
@click.option(
    "--self", "with_self", is_flag=True, help="Add this node. Anybody who reads the invite can dial it."
)
@click.option(
    "-b", "--board", "boards", multiple=True, callback=_boards, metavar="BOARD", help="A board worth reading."
)
@click.option("--list", "lists", multiple=True, metavar="KEY", help="The key of a moderation list.")
@options.as_json
@pass_context
def command(
    context: Context,
    peers: tuple[str, ...],
    with_self: bool,
    boards: tuple[str, ...],
    lists: tuple[str, ...],
    as_json: bool,
) -> int:
    """Make an invite: it names nodes to connect to.

    An invite is one line of text to send or show. It holds what you choose and nothing else, so it does
    not say who made it: two people who choose the same make the same line. Without --peer it names the
    nodes that your config file and your accepted invites name.

    \b
    p2pforum invite --peer /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW... > invite.txt
    """
    from p2pforum.app.inviting import named_addresses, own_addresses
    from p2pforum.app.result_shapes import invite_shape
    from p2pforum.core.invite import encode_invite
    from p2pforum.forum.inviting import make_invite

    session = context.session
    chosen = (*peers, *(own_addresses(session) if with_self else ())) or named_addresses(session)
    invite = make_invite(session.config, chosen, boards, tuple(map(_key, lists)))
    line = encode_invite(invite)
    if as_json:
        context.console.json({"invite": line, **invite_shape(invite)})
    else:
        context.console.print(line)
    _say(context, len(set(invite.peers)), with_self)
    return exit_codes.OK


def _say(context: Context, peers: int, with_self: bool) -> None:
    if with_self:
        context.console.note(
            "The invite names this node: anybody who reads it knows that this node runs, and where."
        )
        context.console.note("It works for as long as the node listens on the same fixed port.")
    elif peers == 1:
        context.console.note(
            "The invite names one node. People who accept it depend on that node: better name several."
        )


def _key(text: str) -> bytes:
    from p2pforum.core.post_id import parse_id

    try:
        return parse_id(text)
    except ValueError as error:
        raise click.BadParameter(f"--list: {error}: give a whole key") from None
