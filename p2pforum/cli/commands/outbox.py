"""`p2pforum outbox`: where my posts are."""

from typing import TYPE_CHECKING

import click

from p2pforum.app.clock import clock_problem, rfc3339, unconfirmed
from p2pforum.cli.backlog import say_how_long, travelling
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.times import ago
from p2pforum.core import limits
from p2pforum.core.clock import is_taken
from p2pforum.core.post_id import format_id

if TYPE_CHECKING:
    from p2pforum.forum.sent import Sent


@click.command()
@click.option("--limit", type=click.IntRange(min=0), default=20, help="Public posts to show; 20 by default.")
@options.as_json
@pass_context
def command(context: Context, limit: int, as_json: bool) -> None:
    """Say which posts of yours are public.

    waiting: written, and nobody has it yet. travelling: on its way by a detour that hides where it
    started; it is public when it comes back. public: it has left, or come back; of some it says that at
    least so many peers had it: those that offered it back when you wrote it (post --listen 5 counts
    more). held: peers would refuse it now; it stays here. Posts whose key you no longer have are not
    listed.
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum.sent import Place, my_posts

    box = open_keystore(context.session)
    found = my_posts(box.read(), context.session.reader, context.session.config.params) if box.exists else []
    public = [sent for sent in found if sent.place is Place.PUBLIC]
    shown = [sent for sent in found if sent.place is not Place.PUBLIC] + public[:limit]
    on_its_way = travelling(context)
    runs = on_its_way is not None
    own, relayed = on_its_way or (0, 0)
    travels = own > 0
    wrong, now = clock_problem(context.session), context.session.now()
    if as_json:
        context.console.json([_json(sent, travels, wrong, now) for sent in shown])
        return
    # Whoever wrote them: imported ones too, whose keys are gone.
    kept = sum(is_taken(row.hour, now) for row in context.session.reader.unreleased())
    kept = max(0, kept - own - relayed)  # some may have become public since the node was asked
    if not wrong:
        say_how_long(context, kept + sum(sent.place is Place.WAITING for sent in found))
        if kept and (reason := unconfirmed(context.session)):
            context.console.note(reason[0].upper() + reason[1:] + ".")
    if not found:
        context.console.print("You have written nothing here.")
        return
    for sent in shown:
        state, where = f"{_state(sent, travels, wrong, now):<10}", render.pad("#" + sent.board, 12)
        held = f", at least {options.count(sent.held, 'peer')} had it" if sent.held else ""
        title = f"{render.line(sent.title)}  {ago(sent.hour, now)}{held}{_why(sent, now, wrong)}"
        context.console.print(f"{state}  {ids.show(context, sent.id)}  {where}  {title}")
    if len(public) > limit:
        context.console.note(f"{options.count(len(public) - limit, 'more public post')}: --limit")
    if not runs and len(public) < len(found):
        context.console.note(f"What waits goes out when the node runs: {context.command('run')}")


def _state(sent: "Sent", travels: bool, wrong: str, now: int) -> str:
    """`travels`: an own post is on its way. Which of several the node does not say."""
    if sent.place.value == "kept":
        return "held" if _why(sent, now, wrong) else "travelling" if travels else "waiting"
    return sent.place.value


def _why(sent: "Sent", now: int, wrong: str) -> str:
    """Why a post that is kept does not leave."""
    if sent.place.value != "kept":
        return ""
    if wrong:
        return f"; {wrong}"
    if sent.hour > now + limits.FUTURE_HOURS:
        days = options.count(max(1, (sent.hour - now) // 24), "day")
        return f"; dated {days} ahead of this machine's clock: it leaves when that is due"
    return "" if is_taken(sent.hour, now) else "; dated so long ago that no peer takes it"


def _json(sent: "Sent", travels: bool, wrong: str, now: int) -> dict[str, object]:
    return {
        "id": format_id(sent.id),
        "state": _state(sent, travels, wrong, now),
        "why": _why(sent, now, wrong).removeprefix("; ") or None,
        "board": sent.board,
        "title": sent.title,
        "hour": sent.hour,
        "time": rfc3339(sent.hour),
        "held_by_at_least": sent.held or None,
    }
