"""`p2pforum boards`: which boards are here."""

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options
from p2pforum.cli.terminal.table import flow, table
from p2pforum.cli.terminal.times import ago


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """List the boards that are here.

    A board is a name that threads share. You make a new board by posting to a new name.
    """
    from p2pforum.app.reading import invited_boards

    rows = context.session.reader.boards()
    console = context.console
    invited = invited_boards(context.session)
    if as_json:
        from p2pforum.app.shapes import board_shape, invited_shape

        console.json([*map(board_shape, rows), *map(invited_shape, invited)])
        return
    if not rows and not invited:
        no_boards(context)
        return
    now = context.session.now()
    cells = [
        (
            "#" + row.name,
            options.count(row.threads, "thread"),
            options.count(row.posts, "post"),
            ago(row.last_hour, now),
        )
        for row in rows
    ]
    for lines in table(
        cells, console.columns, text=0, right=(1, 2), style=lambda name: console.style(name, "bold")
    ):
        console.print("\n".join(lines))
    for board in invited:
        for line in flow([f"#{board}", "(from an invite; nothing here yet)"], console.columns):
            console.print(line)


def no_boards(context: Context) -> None:
    context.console.print("No boards are here yet.")
    context.console.note(
        f"Start one: {context.command('post BOARD')}\n"
        f"Or fetch what others wrote: {context.command('run --peer ADDRESS')}"
    )
