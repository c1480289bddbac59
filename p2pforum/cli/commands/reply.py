"""`p2pforum reply`: answer posts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.names import called
from p2pforum.cli.terminal import compose, exit_codes, options, render
from p2pforum.core import limits
from p2pforum.core.errors import NotFound
from p2pforum.core.post_id import short_id
from p2pforum.core.pseudonym import name_of

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents
    from p2pforum.store.queries import PostRow

_QUOTED_WIDTH = 76


@click.command()
@click.argument("post_ids", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--latest",
    is_flag=True,
    help="Answer what was said last in the thread of ID: the posts that nobody has answered yet.",
)
@compose.file_option
@compose.draft_option
@options.key
@click.option(
    "--visibly",
    is_flag=True,
    help="Answer a post of yours that nobody else has yet, under another key: it shows that both are yours.",
)
@options.quiet_check
@options.sure
@options.listen
@options.as_json
@pass_context
def command(
    context: Context,
    post_ids: tuple[str, ...],
    latest: bool,
    file: str | None,
    draft: str | None,
    key: str | None,
    visibly: bool,
    as_json: bool,
) -> int:
    """Answer one post or several.

    ID is what `threads` and `read` show, or its beginning. You answer the posts that you name and no
    others; the ID of a thread is that of its first post. The command says whom you answer before you
    write and when the post is out. The text comes from your editor, from a file, or from standard
    input, and is signed with the key that you use in this thread.

    \b
    p2pforum reply k7q2mf0a
    p2pforum reply k7q2 9xw1 -F answer.txt
    p2pforum reply k7q2 --latest
    """
    from p2pforum.cli.asking import Attempt
    from p2pforum.cli.drafting import Place, Writing
    from p2pforum.cli.keys import keystore_to_write
    from p2pforum.cli.publishing import publish
    from p2pforum.forum.drafts import reply_destination
    from p2pforum.forum.publish import check_parents

    with Writing(context, file, f"reply {' '.join(post_ids)}") as writing:
        named = list({row.id: row for row in (_post(context, typed) for typed in post_ids)}.values())
        check_parents(named)
        keystore = keystore_to_write(context)
        box = keystore.read()
        parents = _latest(context, box, named[0], key, visibly) or named if latest else named
        answered = [_answered(context, box, parent) for parent in parents]
        context.console.note("\n".join(f"Answering {text}" for text in answered))
        ids = [parent.id for parent in parents]
        again = "reply " + " ".join(map(short_id, ids) if latest else post_ids)
        place = Place(reply_destination(min(ids)), again, _template(parents))
        text = writing.text(keystore, place, draft)
    code = publish(
        context,
        keystore,
        Attempt(text, place, named[0].root, key),
        lambda w, text: w.reply(ids, text.body, key=key, visibly=visibly),
        as_json,
    )
    if code == exit_codes.OK and not as_json:
        context.console.print("\n".join(f"It answers {text}" for text in answered))
    return code


def _post(context: Context, typed: str) -> "PostRow":
    row = context.session.reader.post(context.session.reader.resolve(typed))
    if row is None:
        raise NotFound(f'there is no post "{typed}" here')
    return row


def _latest(
    context: Context, box: "Contents", post: "PostRow", key: str | None, visibly: bool
) -> "list[PostRow]":
    from p2pforum.forum.publish import last_said

    found = last_said(context.session.reader, box, post.root, key=key, visibly=visibly)
    if (left := len(found) - limits.MAX_PARENTS) > 0:
        context.console.note(
            f"A post answers at most {limits.MAX_PARENTS} others: {left} older ones are left out."
        )
    return found[-limits.MAX_PARENTS :]


def _answered(context: Context, box: "Contents", post: "PostRow") -> str:
    """Whom, and the first words that are not quoted, on one line."""
    name = called(box, post.root, post.author)
    own = " ".join(line for line in post.body.split("\n") if not line.startswith(">"))
    words = render.line(" ".join((post.subject or own or post.body).split()))
    text = f"{name}: {words}"
    return render.cut(text, max(context.console.width - len("It answers "), len(name) + 12))


def _template(parents: "Sequence[PostRow]") -> str:
    """The parents' texts, so that the user sees what he answers; as comments, so that none of it is sent."""
    quoted = "\n\n".join(
        f"An answer to {name_of(parent.author, parent.root)} on #{parent.board}:\n"
        + "\n".join(render.block(parent.body, _QUOTED_WIDTH, "> "))
        for parent in parents
    )
    return f"{quoted}\n\nNothing from the line with >8 on goes out. An empty text posts nothing."
