"""`p2pforum edit`: give a post of mine a new text."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import compose, options

if TYPE_CHECKING:
    from p2pforum.forum.reading import PostView
    from p2pforum.keystore.contents import Contents

_TEMPLATE = """\
A new text for your post. Programs show it in place of the old one. Others keep the old text.
Nothing from the line with >8 on goes out. An empty text changes nothing."""


@click.command()
@click.argument("post_id", metavar="ID")
@compose.file_option
@compose.draft_option
@options.quiet_check
@options.sure
@options.listen
@options.as_json
@pass_context
def command(context: Context, post_id: str, file: str | None, draft: str | None, as_json: bool) -> int:
    """Give a post of yours a new text.

    The new text comes from your editor, which begins with the old one, from a file, or from standard
    input. Readers see that the post was edited, and when. You can't call the old text back: other nodes
    keep it, and anybody who looks for it finds it. A thread's subject stays as it is.

    \b
    p2pforum edit k7q2mf0a
    p2pforum edit k7q2 -F better.txt
    """
    from p2pforum.app.reading import own_post, root_of
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.cli.asking import Attempt
    from p2pforum.cli.drafting import Place, Writing
    from p2pforum.cli.publishing import publish
    from p2pforum.forum.drafts import edit_destination

    with Writing(context, file, f"edit {post_id}") as writing:
        keystore = open_keystore(context.session)
        contents = keystore.read()
        post = own_post(context.session, post_id, contents)
        place = Place(edit_destination(post.id), f"edit {post_id}", _TEMPLATE, post.body)
        text = writing.text(keystore, place, draft)
    root, key = root_of(context.session, post_id), _name_of_key(contents, post)
    attempt = Attempt(text, place, root, key)
    return publish(context, keystore, attempt, lambda w, text: w.edit(post.id, text.body), as_json)


def _name_of_key(contents: "Contents", post: "PostView") -> str | None:
    """The key that signs, for the check of the text: the key of the post."""
    return contents.keys[post.author].name or None
