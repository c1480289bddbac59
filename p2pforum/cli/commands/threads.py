"""`p2pforum threads`: which threads there are."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.commands.boards import no_boards
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.times import ago
from p2pforum.core.pseudonym import name_of

if TYPE_CHECKING:
    from p2pforum.store.queries import ThreadRow

_NAME = 17  # columns of an author's name
_LEAST_SUBJECT = 30  # columns: if a subject would get fewer, the author's name is left out


@click.command()
@click.argument("board", required=False, callback=options.check_board, shell_complete=options.complete_board)
@options.limit
@options.more
@options.as_json
@pass_context
def command(context: Context, board: str | None, limit: int, more: int, as_json: bool) -> None:
    """List threads, the latest first.

    The list shows the threads of BOARD. Without BOARD it shows those of the boards that the config file
    names in `boards`. If it names none, the list shows the threads of all boards.
    """
    from p2pforum.app.reading import count_threads_seen, threads_seen

    rows = threads_seen(context.session, board, limit, offset := more * limit)
    console = context.console
    if as_json:
        from p2pforum.app.shapes import thread_row_shape

        console.json([thread_row_shape(row) for row in rows])
    elif not rows and more:
        console.print("No more threads.")
    elif not rows:
        _nothing(context, board)
    else:
        now = context.session.now()
        for row in rows:
            console.print(_line(context, row, now, with_board=board is None))
        if (total := count_threads_seen(context.session, board)) > offset + len(rows):
            given = options.as_given("threads", [board] if board else [], limit, more)
            options.say_more(context, range(offset, offset + len(rows)), f"{total:,} threads", given)


def _nothing(context: Context, board: str | None) -> None:
    if board is None and not context.session.config.boards:
        no_boards(context)
        return
    where = f"#{board}" if board else "the boards of your config file"
    context.console.print(f"No threads on {where}.")
    context.console.note(f"Start one: {context.command('post ' + (board or 'BOARD'))}")


def _line(context: Context, row: "ThreadRow", now: int, *, with_board: bool) -> str:
    console = context.console
    right = [f"{options.count(row.posts, 'post'):>9}", render.pad(ago(row.last_hour, now), 12)]
    if with_board:
        right.insert(0, render.pad("#" + row.board, 14))
    room = console.width - len("12345678") - 2 * len(right) - 2 - sum(map(len, right))
    if room >= _LEAST_SUBJECT + _NAME and row.author:
        right.insert(0, render.pad(name_of(row.author, row.root), _NAME))
        room -= _NAME + 2
    subject = render.pad(render.subject(row.subject), max(room, 10))
    tail = console.style("  ".join(right).rstrip(), "dim")
    return f"{ids.show(context, row.root)}  {subject}  {tail}"
