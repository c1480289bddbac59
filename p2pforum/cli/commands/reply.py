"""`p2pforum reply`: answer a post."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import compose, options, render
from p2pforum.core.errors import NotFound
from p2pforum.core.pseudonym import name_of

if TYPE_CHECKING:
    from p2pforum.store.queries import PostRow

_QUOTED_WIDTH = 76


@click.command()
@click.argument("post_id", metavar="ID")
@compose.file_option
@compose.draft_option
@options.key
@click.option(
    "--visibly",
    is_flag=True,
    help="Answer a post of yours that nobody else has yet, under another key: it shows that both are yours.",
)
@options.quiet_check
@options.listen
@options.as_json
@pass_context
def command(
    context: Context,
    post_id: str,
    file: str | None,
    draft: str | None,
    key: str | None,
    visibly: bool,
    as_json: bool,
) -> int:
    """Answer a post.

    ID is what `threads` and `read` show, or its beginning. If you give a thread's first post, you answer
    the thread: your post comes after its latest posts. The text comes from your editor, from a file, or
    from standard input, and is signed with the key that you use in this thread.

    \b
    p2pforum reply k7q2mf0a
    p2pforum reply k7q2 -F answer.txt
    """
    from p2pforum.cli.drafting import Place, Writing
    from p2pforum.cli.keys import keystore_to_write
    from p2pforum.cli.publishing import Attempt, publish
    from p2pforum.forum.drafts import reply_destination

    with Writing(context, file, f"reply {post_id}") as writing:
        parent = context.session.reader.post(context.session.reader.resolve(post_id))
        if parent is None:
            raise NotFound(f'there is no post "{post_id}" here')
        keystore = keystore_to_write(context)
        place = Place(reply_destination(parent.id), f"reply {post_id}", _template(parent))
        text = writing.text(keystore, place, draft)
    return publish(
        context,
        keystore,
        Attempt(text.body, text.draft, text.again, parent.root, key),
        lambda w: w.reply([parent.id], text.body, key=key, visibly=visibly),
        as_json,
    )


def _template(parent: "PostRow") -> str:
    """The parent's text, so that the user sees what he answers; as comments, so that none of it is sent."""
    author = name_of(parent.author, parent.root)
    quoted = "\n".join(render.block(parent.body, _QUOTED_WIDTH, "> "))
    return (
        f"An answer to {author} on #{parent.board}:\n{quoted}\n\n"
        "Nothing from the line with >8 on goes out. An empty text posts nothing."
    )
