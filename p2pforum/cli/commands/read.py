"""`p2pforum read`: a thread, as the user reads it."""

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.names import contents_to_show
from p2pforum.cli.terminal import ids, options, render
from p2pforum.cli.terminal.table import flow
from p2pforum.cli.terminal.times import ago

if TYPE_CHECKING:
    from p2pforum.forum.reading import PostView, ThreadView

_DEEPEST = 6  # levels shown as indentation; deeper posts stay there, and name what they answer
_LEAST_WIDTH = 13  # columns of the terminal for each of these levels
_INDENT = 2  # columns a level
_KEY_PUBLISHED = "key published: anybody can sign as this pseudonym"


@click.command()
@click.argument("post_id", metavar="ID")
@click.option("--no-pager", is_flag=True, help="Never use a pager.")
@options.as_json
@pass_context
def command(context: Context, post_id: str, no_pager: bool, as_json: bool) -> None:
    """Show a thread, or the thread of a post.

    ID is what `threads` and `search` show, or its beginning. The program draws the names in a
    thread from keys: the same name is the same key, and no author can choose a name.

    A post answers the nearest post above it that is one step further left. After "↳" it answers the
    post right above. Where that does not tell all, the post says what it answers.
    """
    from p2pforum.app.reading import read_thread

    found = read_thread(context.session, post_id, contents_to_show(context))
    view = found.thread
    if as_json:
        from p2pforum.app.shapes import thread_shape

        context.console.json(thread_shape(view))
        return
    _warn_of_lookalikes(context, view)
    shown = [*_header(context, view), *_posts(context, view, found.post_id)]
    with context.console.paged(not no_pager and len(shown) > context.console.height):
        context.console.print("\n".join(shown))


def _header(context: Context, view: "ThreadView") -> Iterator[str]:
    """Three rows, beside the picture of the author who began the thread."""
    console, first = context.console, view.posts[0]
    names = {post.author for post in view.posts}
    latest = max(post.hour for post in view.posts)
    count = f"{options.count(len(view.posts), 'post')} by {options.count(len(names), 'pseudonym')}"
    room = console.width - len("█████  ")
    texts = [
        *(console.style(part, "bold") for part in render.wrap(render.subject(view.subject), room)),
        *flow([f"#{view.board}", count], room, gap=" · ", hang=""),
        f"latest {ago(latest, context.session.now())}",
    ]
    if not console.color or not view.has_root:
        yield from texts
        return
    from p2pforum.cli.terminal.picture import color_code, half_blocks
    from p2pforum.core.pseudonym import identicon_of

    icon = identicon_of(first.author, view.root)
    code = color_code(icon, truecolor=console.truecolor)
    for row, text in itertools.zip_longest(half_blocks(icon), texts):
        yield f"{console.paint(row, code) if row else ' ' * 5}  {text}"


def _posts(context: Context, view: "ThreadView", asked: bytes) -> Iterator[str]:
    from p2pforum.forum.levels import levels

    deepest = min(_DEEPEST, context.console.width // _LEAST_WIDTH)
    authors = {post.id: _name(post) for post in view.posts}
    for post, place in zip(view.posts, levels(view.posts), strict=True):
        indent = " " * (_INDENT * min(place.level, deepest))
        room = context.console.width - len(indent)
        yield ""
        names = _names(context, post, room - len("↳ "))
        names[0] = ("↳ " if place.goes_on else "") + names[0]
        mark = context.console.style("◀", "yellow") if post.id == asked != view.root else ""
        said = _notes(context, post, room - len("    "))
        for line in flow([*names, ids.show(context, post.id), *said, mark], room, hang="    "):
            yield indent + line
        if len(post.parents) > 1 or post.missing or (place.level > deepest and not place.goes_on):
            for line in flow(["answers", *_answered(context, post, authors)], room - 2, gap=" "):
                yield f"{indent}  {line}"
        bar = context.console.style("│", "dim")
        for text in render.block(_body(post), room):
            yield indent + bar + text[1:]
    if view.newer:
        yield ""
        yield f"({options.count(view.newer, 'remark')} written by a newer version of p2pforum)"


def _name(post: "PostView") -> str:
    return f"{render.line(post.petname)} ({post.name})" if post.petname else post.name


def _names(context: Context, post: "PostView", columns: int) -> list[str]:
    """In two parts if they are too long for one row."""
    names = [_name(post)]
    if post.petname and render.width(names[0]) > columns:
        names = [render.cut(render.line(post.petname), columns), f"({post.name})"]
    return [context.console.style(name, "bold") for name in names]


def _notes(context: Context, post: "PostView", columns: int) -> list[str]:
    """What there is to say of a post: in one part if that fits a row."""
    console, now = context.console, context.session.now()
    notes = [ago(post.hour, now)]
    if post.is_revealed:
        notes.append(_KEY_PUBLISHED)
    if post.is_mine:
        notes.insert(0, "you")
    if post.edited:
        notes.append(f"edited {ago(post.edited, now)}")
    if not post.is_released:
        notes.append("not public yet")
    if sum(len(note) + len(" · ") for note in notes) > columns + len(" · "):
        return [part for note in notes for part in render.wrap(note, columns)]
    shown = [console.style(note, "yellow") if note == _KEY_PUBLISHED else note for note in notes]
    return [console.style(" · ", "dim").join(shown)]


def _answered(context: Context, post: "PostView", authors: Mapping[bytes, str]) -> Iterator[str]:
    """What the place of a post does not show: several parents, ones that are not here, and all of those that
    stand deeper than the indentation goes.
    """
    for number, parent in enumerate(post.parents, 1):
        if parent in authors:
            yield authors[parent]
        here = " (not here yet)" if parent in post.missing else ""
        yield f"{ids.show(context, parent)}{here}" + ("," if number < len(post.parents) else "")


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
