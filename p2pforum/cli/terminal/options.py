"""Options and arguments that several commands share."""

import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from p2pforum.cli.context import Context

_LIMIT = 20

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")

limit = click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 10_000),
    default=_LIMIT,
    show_default=True,
    help="Show at most this many.",
)


more = click.option(
    "--more", count=True, help="Show those that follow; give it twice for those that follow these."
)


def as_given(command: str, arguments: list[str], limit: int, more: int) -> str:
    """The command that was given, to be given again."""
    limited = [] if limit == _LIMIT else ["-n", str(limit)]
    return shlex.join([command, *arguments, *limited, *more * ["--more"]])


def say_more(context: "Context", shown: range, total: str, command: str) -> None:
    """A note that there is more than is shown, and how to see it. `command` is the one that was given."""
    numbers = f"{shown.start + 1} to {shown.stop}" if shown.start else str(shown.stop)
    context.console.note(f"{numbers} of {total}; for the next: {context.command(command)} --more")


def check_board(ctx: click.Context, _param: click.Parameter, name: str | None) -> str | None:
    """A board's name as people write it, with or without the "#"."""
    if name is None:
        return None
    from p2pforum.cli.context import Context
    from p2pforum.core.text import fold_board, is_valid_board

    typed = name.removeprefix("#")
    board = fold_board(typed)
    if not is_valid_board(board):
        raise click.BadParameter("a board's name has 1 to 64 of a-z 0-9 . -")
    if board != typed:
        ctx.ensure_object(Context).console.note(f"Names of boards have small letters: #{board}.")
    return board


def complete_board(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The boards that are here. During a shell's completion no error may show and no question be asked."""
    from p2pforum.cli.context import Context
    from p2pforum.core.errors import P2PForumError

    context = ctx.find_object(Context) or Context()
    try:
        return [row.name for row in context.session.reader.boards() if row.name.startswith(incomplete)]
    except P2PForumError:
        return []


key = click.option(
    "--key",
    metavar="NAME",
    envvar="P2PFORUM_KEY",
    help='Sign as this pseudonym of yours, or "once": with a new key that is then dropped. As P2PFORUM_KEY.',
)


quiet_check = click.option(
    "--quiet-check",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, _param, wanted: _skip_check(ctx) if wanted else None,
    help="Do not search the text for what may give you away.",
)


listen = click.option(
    "--listen",
    type=click.FloatRange(0, 30),
    metavar="SECONDS",
    expose_value=False,
    callback=lambda ctx, _param, seconds: _listen(ctx, seconds) if seconds else None,
    help="Wait this long and count the peers that offer the post back, for leak-report.",
)


sure = click.option(
    "--yes",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, _param, wanted: _be_sure(ctx) if wanted else None,
    help="Do not ask: post a text that may give you away, and start a board.",
)


def _be_sure(ctx: click.Context) -> None:
    from p2pforum.cli.context import Context

    ctx.ensure_object(Context).is_sure = True


def _listen(ctx: click.Context, seconds: float) -> None:
    from p2pforum.cli.context import Context

    ctx.ensure_object(Context).listen = seconds


def _skip_check(ctx: click.Context) -> None:
    from p2pforum.cli.context import Context

    ctx.ensure_object(Context).checks_texts = False


def count(number: int, unit: str) -> str:
    """ "1 post", "2 posts"."""
    return f"{number} {unit}{'' if number == 1 else 's'}"
