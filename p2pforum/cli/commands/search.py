"""`p2pforum search`: find posts by their words."""

import re
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.names import called, contents_to_show
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.table import flow
from p2pforum.cli.terminal.times import ago
from p2pforum.core import limits

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents
    from p2pforum.store.queries import SearchRow


class _Search(click.Command):
    """`-word` is a word to leave out, never options in a row: `-book` is not `--board ook`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {spelling for param in self.get_params(ctx) for spelling in param.opts}
        # A space before it makes it an argument for click, and means nothing in a search.
        words = [f" {arg}" if re.match("-[^-]", arg) and arg not in options else arg for arg in args]
        return super().parse_args(ctx, words)


@click.command(cls=_Search)
@click.argument("query", nargs=-1, required=True)
@click.option(
    "-b",
    "--board",
    callback=options.check_board,
    shell_complete=options.complete_board,
    help="On one board only.",
)
@options.limit
@options.more
@options.as_json
@pass_context
def command(
    context: Context, query: tuple[str, ...], board: str | None, limit: int, more: int, as_json: bool
) -> None:
    """Find posts by their words.

    A post must have all the words. English words are also found with other endings: "reader" finds
    "readers". "OR" between two words means either of them. "*" at the end of a word means any ending.
    Quotes mean exactly these words in a row. "-" before a word means that the post must not have that
    word; so -n and -b need a space before their value.

    \b
    p2pforum search battery solar
    p2pforum search 'batter* OR solar' --board node-ops
    p2pforum search '"low power" -wind'
    """
    text = " ".join(query)
    rows = context.session.reader.search(text, board, limit, offset := more * limit)
    console = context.console
    if as_json:
        from p2pforum.app.shapes import found_shape

        console.json([found_shape(row.post, row.snippet) for row in rows])
        return
    if not rows and more:
        console.print("No more posts.")
        return
    if not rows:
        console.print("Nothing found.")
        _advise(context, query, board)
        return
    now, contents = context.session.now(), contents_to_show(context)
    for row in rows:
        for line in _title(context, row, now, contents):
            console.print(line)
        for part in _excerpt(row.snippet, console.width - 10):
            console.print(" " * 8 + console.style("│", "dim") + " " + part)
    if total := _count(context, text, board, offset + len(rows)):
        words = [word.strip() for word in query]
        given = options.as_given("search", words + (["--board", board] if board else []), limit, more)
        options.say_more(context, range(offset, offset + len(rows)), total, given)


def _count(context: Context, text: str, board: str | None, seen: int) -> str:
    """How many posts there are; empty if no more than were seen."""
    most = max(seen, limits.SEARCH_COUNTED) + 1
    total = context.session.reader.count_found(text, board, most)
    if total <= seen:
        return ""
    return f"more than {most - 1:,} posts" if total == most else f"{total:,} posts"


def _advise(context: Context, query: tuple[str, ...], board: str | None) -> None:
    """What could be tried instead."""
    text = " ".join(query)
    if board is not None:
        context.console.note(f"Only #{board} was searched: without --board, all boards are.")
    if re.search("(^|\\s)-", text):
        context.console.note('Words with "-" before them were left out.')
    if len(text.split()) > 1:
        context.console.note('A post must have all the words: try fewer, or "OR" between them.')
    elif "*" not in text:
        context.console.note(f"Try its beginning: {context.command('search')} '{text.strip()[:4]}*'")


def _excerpt(snippet: str, columns: int) -> list[str]:
    """On two rows; an ellipsis shows that there is more."""
    first, *rest = render.wrap(render.line(snippet), columns)
    return [first, render.cut(" ".join(rest), columns)] if rest else [first]


def _title(context: Context, row: "SearchRow", now: int, contents: "Contents | None") -> list[str]:
    post, columns = row.post, context.console.columns
    subject = context.console.style(render.cut(render.line(post.subject), columns - 10), "bold")
    where = [f"#{post.board}", called(contents, post.root, post.author), ago(post.hour, now)]
    start = f"{ids.show(context, post.id)}  {subject or where.pop(0)}"
    return flow([start, *where], columns, gap=" · ", hang=" " * 8)
