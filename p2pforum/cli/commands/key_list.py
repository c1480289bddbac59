"""`p2pforum key list`: all keys of mine."""

from typing import TYPE_CHECKING

import click

from p2pforum.app.clock import date
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render
from p2pforum.cli.terminal.table import table
from p2pforum.cli.terminal.times import ago
from p2pforum.core.post_id import short_id

if TYPE_CHECKING:
    from p2pforum.forum.keys import KeyView


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """List your keys, the last used first.

    A key that you did not name was made for one thread. The list shows it as others see it there.
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum.keys import list_keys

    views = list_keys(open_keystore(context.session).read())
    if as_json:
        from p2pforum.app.shapes import key_shape

        context.console.json([key_shape(view) for view in views])
        return
    if not views:
        context.console.print("You have no keys yet; your first post makes one.")
    for lines in table(
        [_cells(context, view) for view in views], context.console.columns, text=4, right=(2,)
    ):
        context.console.print("\n".join(lines))


def _cells(context: Context, view: "KeyView") -> list[str]:
    name = context.console.style(view.name, "bold") if view.name else view.shown
    posts, used = options.count(view.posts, "post"), ago(view.used, context.session.now())
    return [short_id(view.public), name, posts, used, where(context, view), _end(context, view)]


def where(context: Context, view: "KeyView") -> str:
    """The thread that it is for, or the number of threads that it writes in."""
    if not view.root:
        return f"in {options.count(len(view.threads), 'thread')}"
    row = context.session.reader.post(view.root)
    subject = f" {render.line(row.subject)}" if row is not None else ""
    return f"{short_id(view.root)}{subject}"


def _end(context: Context, view: "KeyView") -> str:
    if not view.expires or view.expires - context.session.now() > 7 * 24:
        return ""
    return context.console.style(expiry(view, context.session.now()), "yellow")


def expiry(view: "KeyView", now: int) -> str:
    """What happens to it if it stays idle."""
    if not view.expires:
        return "kept until you burn it"
    return f"burns on {date(max(view.expires, now))} unless you use it"
