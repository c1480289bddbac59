"""`p2pforum threads`: which threads there are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from p2pforum.cli.commands.boards import no_boards
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.names import called, contents_to_show
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.table import table
from p2pforum.cli.terminal.times import ago

if TYPE_CHECKING:
    from p2pforum.store.queries import ThreadRow

_BOARD = 16  # columns of a board's name, at least


@click.command()
@click.argument("board", required=False, callback=options.check_board, shell_complete=options.complete_board)
@click.option("--pinned", is_flag=True, help="Only the threads that you pinned, even if they are not here.")
@options.limit
@options.more
@options.as_json
@pass_context
def command(context: Context, board: str | None, pinned: bool, limit: int, more: int, as_json: bool) -> None:
    """List threads, the latest first.

    The list shows the threads of BOARD. Without BOARD it shows those of the boards that the config file
    names in `boards`. If it names none, the list shows the threads of all boards.
    """
    from p2pforum.app import reading

    rows_of, count = (
        (reading.pinned_threads, reading.count_threads_pinned)
        if pinned
        else (reading.threads_seen, reading.count_threads_seen)
    )
    rows = rows_of(context.session, board, limit, offset := more * limit)
    console = context.console
    if as_json:
        from p2pforum.app.shapes import thread_row_shape

        contents, pins = contents_to_show(context), set(context.session.reader.pinned())
        console.json([thread_row_shape(row, contents, pinned=row.root in pins) for row in rows])
    elif not rows and more:
        console.print("No more threads.")
    elif not rows and pinned:
        console.print("You have pinned no thread" + (f" of #{board}." if board else "."))
    elif not rows:
        _nothing(context, board)
    else:
        for lines in _lines(context, rows, with_board=board is None):
            console.print("\n".join(lines))
        if (total := count(context.session, board)) > offset + len(rows):
            words = [*([board] if board else []), *(["--pinned"] if pinned else [])]
            given = options.as_given("threads", words, limit, more)
            options.say_more(context, range(offset, offset + len(rows)), f"{total:,} threads", given)


def _nothing(context: Context, board: str | None) -> None:
    if board is None and not context.session.config.boards:
        no_boards(context)
        return
    where = f"#{board}" if board else "the boards of your config file"
    context.console.print(f"No threads on {where}.")
    context.console.note(f"Start one: {context.command('post ' + (board or 'BOARD'))}")


def _lines(context: Context, rows: Sequence["ThreadRow"], *, with_board: bool) -> list[list[str]]:
    columns = context.console.columns
    contents, now, style = contents_to_show(context), context.session.now(), context.console.style
    cells = []
    for row in rows:
        name = called(contents, row.root, row.author) if row.author else ""
        posts = options.count(row.posts, "post") if row.posts else ""
        when = ago(row.last_hour, now) if row.posts else ""
        board = render.cut(f"#{row.board}", max(_BOARD, columns // 5)) if with_board and row.board else ""
        tail = [name, board, posts, when]
        cells.append(
            [ids.show(context, row.root), render.subject(row.subject), *(style(t, "dim") for t in tail)]
        )
    return table(cells, columns, text=1, spare=2, right=(4,))
