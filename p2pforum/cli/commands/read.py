"""`p2pforum read`: a thread, as the user reads it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.times import ago

if TYPE_CHECKING:
    from p2pforum.forum.reading import PostView, ThreadView
    from p2pforum.keystore.contents import Contents

_DEEPEST = 6  # levels shown as indentation; deeper posts stay there, and name what they answer
_INDENT = 2  # columns a level


@click.command()
@click.argument("post_id", metavar="ID")
@click.option("--no-pager", is_flag=True, help="Never use a pager.")
@options.as_json
@pass_context
def command(context: Context, post_id: str, no_pager: bool, as_json: bool) -> None:
    """Show a thread, or the thread of a post.

    ID is what `threads` and `search` show, or its beginning. The program draws the names in a
    thread from keys: the same name is the same key, and no author can choose a name.
    """
    from p2pforum.app.reading import read_thread

    found = read_thread(context.session, post_id, _mine(context))
    view = found.thread
    if as_json:
        from p2pforum.app.shapes import thread_shape

        context.console.json(thread_shape(view))
        return
    _warn_of_lookalikes(context, view)
    shown = [*_header(context, view), *_posts(context, view, found.post_id)]
    with context.console.paged(not no_pager and len(shown) > context.console.height):
        context.console.print("\n".join(shown))


def _mine(context: Context) -> "Contents | None":
    """Petnames and which posts are mine, if the keystore opens without a passphrase."""
    if not context.session.paths.keystore_file.exists():
        return None  # this saves 10 ms of imports
    from p2pforum.cli.keys import contents_without_asking

    return contents_without_asking(context)


def _header(context: Context, view: "ThreadView") -> Iterator[str]:
    """Three rows, beside the picture of the author who began the thread."""
    console, first = context.console, view.posts[0]
    names = {post.author for post in view.posts}
    latest = max(post.hour for post in view.posts)
    count = f"{options.count(len(view.posts), 'post')} by {options.count(len(names), 'pseudonym')}"
    texts = [
        console.style(render.cut(render.subject(view.subject), console.width - 8), "bold"),
        f"#{view.board} · {count}",
        f"latest {ago(latest, context.session.now())}",
    ]
    if not console.color or not view.has_root:
        yield from texts
        return
    from p2pforum.cli.terminal.picture import color_code, half_blocks
    from p2pforum.core.pseudonym import identicon_of

    icon = identicon_of(first.author, view.root)
    code = color_code(icon, truecolor=console.truecolor)
    for row, text in zip(half_blocks(icon), texts, strict=True):
        yield f"{console.paint(row, code)}  {text}"


def _posts(context: Context, view: "ThreadView", asked: bytes) -> Iterator[str]:
    now = context.session.now()
    above: PostView | None = None
    for post in view.posts:
        indent = " " * (_INDENT * min(post.depth, _DEEPEST))
        yield ""
        yield indent + _title(context, post, now, is_asked=post.id == asked != view.root)
        answered = _answered(context, post, above)
        if answered:
            yield f"{indent}  answers {answered}"
        bar = context.console.style("│", "dim")
        for text in render.block(_body(post), context.console.width - len(indent)):
            yield indent + bar + text[1:]
        above = post
    if view.newer:
        yield ""
        yield f"({options.count(view.newer, 'remark')} written by a newer version of p2pforum)"


def _title(context: Context, post: "PostView", now: int, *, is_asked: bool) -> str:
    console = context.console
    name = f"{render.line(post.petname)} ({post.name})" if post.petname else post.name
    notes = [ago(post.hour, now)]
    if post.is_revealed:
        notes.append(console.style("key published: anybody can sign as this pseudonym", "yellow"))
    if post.is_mine:
        notes.insert(0, "you")
    if post.edited:
        notes.append(f"edited {ago(post.edited, now)}")
    if not post.is_released:
        notes.append("not public yet")
    said = console.style(" · ", "dim").join(notes)
    return f"{console.style(name, 'bold')}  {ids.show(context, post.id)}  {said}" + (
        console.style("  ◀", "yellow") if is_asked else ""
    )


def _answered(context: Context, post: "PostView", above: "PostView | None") -> str:
    """What the position of a post does not show: several parents, ones further up, and ones not here."""
    is_plain = above is None or post.depth == 1 or post.parents == (above.id,)
    if not post.missing and len(post.parents) < 2 and is_plain:
        return ""
    return ", ".join(
        ids.show(context, parent) + (" (not here yet)" if parent in post.missing else "")
        for parent in post.parents
    )


def _warn_of_lookalikes(context: Context, view: "ThreadView") -> None:
    """Once in 10^9 pairs it is chance; otherwise an attacker searched for a key that looks like another."""
    from p2pforum.forum.names import lookalikes

    for one, other in lookalikes(view):
        context.console.warn(f"{other.name} looks like {one.name} and is another pseudonym")


def _body(post: "PostView") -> str:
    if post.is_retracted:
        return "(withdrawn by its author)"
    if post.is_reveal:
        return "(the author published the key: now anybody can sign as this pseudonym)"
    if not post.is_understood:
        return "(written by a newer version of p2pforum; update to read it)"
    return post.body
