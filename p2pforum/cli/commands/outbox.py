"""`p2pforum outbox`: where my posts are."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from p2pforum.cli.backlog import UNCONFIRMED, say_how_long
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.table import table
from p2pforum.cli.terminal.times import ago
from p2pforum.core import limits

if TYPE_CHECKING:
    from p2pforum.app.outbox import Mine
    from p2pforum.app.shapes import PostShape


@click.command()
@click.option("--limit", type=click.IntRange(min=0), default=20, help="Public posts to show; 20 by default.")
@options.as_json
@pass_context
def command(context: Context, limit: int, as_json: bool) -> None:
    """Say which posts of yours are public.

    waiting: written, and nobody else has it yet. travelling: on its way through other nodes, so that
    few can tell where it started; it is public when it comes back. public: your node sent it openly, or
    it came back. held: peers would refuse it now, so it stays here.

    Where known, the list also shows how many peers had a post at least: those that offered it back when
    you wrote it. `post --listen 5` counts for 5 seconds more. Peers take a post older than 30 days by
    sync alone, and then they see where it starts; the list says so. The list leaves out posts whose key
    you no longer have.
    """
    from p2pforum.app import outbox

    found = outbox.outbox(context.session)
    public = [mine for mine in found.posts if mine.state is outbox.State.PUBLIC]
    shown = [mine for mine in found.posts if mine.state is not outbox.State.PUBLIC] + public[:limit]
    now = context.session.now()
    if as_json:
        context.console.json([_json(mine, now, found.clock_problem) for mine in shown])
        return
    if not found.clock_problem:
        say_how_long(context, found.waiting)
        if found.unconfirmed:
            context.console.note(f"{UNCONFIRMED[0].upper()}{UNCONFIRMED[1:]}.")
    if not found.posts:
        context.console.print("You have written nothing here.")
        return
    for line in _lines(context, shown, now, found.clock_problem):
        context.console.print(line)
    if len(public) > limit:
        context.console.note(f"{options.count(len(public) - limit, 'more public post')}: --limit")
    if not found.node_runs and len(public) < len(found.posts):
        context.console.note(f"Posts that wait leave when the node runs: {context.command('run')}")


def _lines(context: Context, shown: Sequence["Mine"], now: int, clock_problem: str) -> Iterator[str]:
    """A row for each post, and below it what there is to say of how it leaves."""
    columns = context.console.columns
    cells = []
    for mine in shown:
        row = mine.sent.row
        start = mine.state.value, ids.show(context, row.id), f"#{row.board}"
        name = f"as {render.line(mine.sent.petname)}" if mine.sent.petname else ""
        cells.append([*start, render.line(mine.sent.title), name, ago(row.hour, now)])
    for mine, lines in zip(shown, table(cells, columns, text=3), strict=True):
        yield from lines
        held = mine.sent.held
        said = f"at least {options.count(held, 'peer')} had it" if held else ""
        why = _why(mine, now, clock_problem) or _how(mine)
        for part in filter(None, (said, why)):
            yield from (f"  {line}" for line in render.wrap(part, columns - 2))


def _why(mine: "Mine", now: int, clock_problem: str) -> str:
    """Why a post that is kept does not leave."""
    from p2pforum.app.outbox import Why

    match mine.why:
        case None:
            return ""
        case Why.CLOCK:
            return clock_problem
        case Why.AHEAD:
            days = options.count(max(1, (mine.sent.row.hour - now) // 24), "day")
            return f"dated {days} ahead of this machine's clock: it leaves when the clock gets there"
        case Why.OLD:
            return "dated too long ago: every peer refuses it"


def _how(mine: "Mine") -> str:
    """What is special about the way in which a post leaves that is not public yet."""
    if not mine.sync_alone:
        return ""
    days = limits.GOSSIP_PAST_HOURS // 24
    return f"older than {days} days: peers take it by sync alone, so they see that it starts here"


def _json(mine: "Mine", now: int, clock_problem: str) -> "PostShape":
    from p2pforum.app.shapes import post_shape

    return {
        **post_shape(mine.sent.row),
        "state": mine.state.value,
        "why": _why(mine, now, clock_problem) or None,
        "how": _how(mine) or None,
        "petname": mine.sent.petname or None,
        "held_by_at_least": mine.sent.held or None,
    }
