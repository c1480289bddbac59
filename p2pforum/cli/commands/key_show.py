"""`p2pforum key show`: one key of mine."""

from typing import TYPE_CHECKING

import click

from p2pforum.app.clock import date
from p2pforum.cli.commands.key_list import expiry
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render
from p2pforum.cli.terminal.times import ago
from p2pforum.core.post_id import format_id, short_id
from p2pforum.core.pseudonym import identicon_of, name_of, svg_of

if TYPE_CHECKING:
    from p2pforum.forum.keys import KeyView


@click.command()
@click.argument("key", metavar="KEY")
@click.option("--svg", metavar="ID", help="Print its picture in this thread as SVG instead.")
@options.as_json
@pass_context
def command(context: Context, key: str, svg: str | None, as_json: bool) -> None:
    """Show one of your keys, and how others see it.

    The command does not show the secret; `p2pforum key export` prints it. A key has another name and
    another picture in each thread.
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum.keys import find_key, find_thread, view_of

    box = open_keystore(context.session).read()
    view = view_of(box, find_key(box, key))
    if svg is not None:
        root = find_thread(box, svg, context.session.reader)
        context.console.print(svg_of(identicon_of(view.public, root)))
    elif as_json:
        from p2pforum.app.shapes import key_shape

        context.console.json(key_shape(view))
    else:
        _print(context, view)


def _print(context: Context, view: "KeyView") -> None:
    from p2pforum.cli.terminal.picture import color_code, half_blocks

    console, now = context.console, context.session.now()
    console.print(f"key      {format_id(view.public)}")
    console.print(f"name     {view.name or 'none: it was made for one thread'}")
    console.print(f"made     {date(view.made)}, last used {ago(view.used, now)}")
    console.print(f"posts    {view.posts}")
    console.print(f"end      {expiry(view, now)}")
    for root in sorted({*view.threads, view.root} - {b""}):
        row = context.session.reader.post(root)
        subject = render.line(row.subject) if row is not None else "(not here)"
        console.print(f"\n{short_id(root)}  {render.cut(subject, console.width - 10)}")
        icon = identicon_of(view.public, root)
        code = color_code(icon, truecolor=console.truecolor)
        seen = ["", f"as {name_of(view.public, root)}", ""]
        for picture, text in zip(half_blocks(icon), seen, strict=True):
            console.print(f"  {console.paint(picture, code)}  {text}".rstrip())
