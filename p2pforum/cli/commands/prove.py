"""`p2pforum prove`: show that two pseudonyms are one person, to everybody or to one reader."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.core.errors import NotFound, Refused

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents


@click.command()
@click.argument("one", metavar="KEY")
@click.argument("other", metavar="KEY")
@click.option(
    "--to",
    "reader",
    metavar="KEY-OR-POST",
    help="Convince only the holder of this key: the whole key, or the whole ID of a post by it.",
)
@click.option(
    "--as-reader",
    is_flag=True,
    help="With --to a key of yours: make up a proof about two keys of others, as any reader can.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_context
def command(
    context: Context, one: str, other: str, reader: str | None, as_reader: bool, as_json: bool
) -> None:
    """Prove that two of your pseudonyms are one person.

    KEY is a pseudonym's name, or the beginning of a key of yours or of its thread. Prints one line,
    to be posted or sent. Without --to everybody who sees it is convinced, for ever. With --to only the
    reader is, and can convince nobody else: they could have made it themselves.

    \b
    p2pforum prove ada k7q2mf0a
    p2pforum prove ada k7q2mf0a --to 4f1x...(52 letters)
    """
    from p2pforum.app.unlocking import open_keystore

    if as_reader and reader is None:
        raise click.UsageError("--as-reader goes with --to")
    box = open_keystore(context.session).read()
    if reader is None:
        proof, said = _public(context, box, one, other), "It convinces everybody who sees it, for ever."
    elif as_reader:
        proof, said = _made_up(context, box, (one, other), reader), "It says nothing: you made it up."
    else:
        proof, said = _private(context, box, (one, other), reader)
    if as_json:
        context.console.json({"proof": proof, "to": reader, "made_up": as_reader})
    else:
        context.console.print(proof)
    context.console.note(said)


def _public(context: Context, box: "Contents", one: str, other: str) -> str:
    from p2pforum.forum.keys import find_key
    from p2pforum.forum.linking import make_proof

    return make_proof(find_key(box, one), find_key(box, other), context.session.config.params)


def _private(context: Context, box: "Contents", typed: tuple[str, str], reader: str) -> tuple[str, str]:
    from p2pforum.forum import private_linking
    from p2pforum.forum.keys import find_key

    key = _whole(context, reader)
    if context.session.reader.revealed([key]):
        raise Refused(
            "that reader's key was published: anybody could have made the proof, and it convinces nobody"
        )
    one, other = (find_key(box, name) for name in typed)
    proof = private_linking.make(one, other, key, context.session.config.params)
    said = "It convinces only the holder of that key, who could have made it. Send it to nobody else."
    return proof, said


def _made_up(context: Context, box: "Contents", typed: tuple[str, str], reader: str) -> str:
    from p2pforum.forum import private_linking
    from p2pforum.forum.keys import find_key

    first, second = (_whole(context, name) for name in typed)
    try:
        mine = box.keys[_whole(context, reader)]
    except (Refused, KeyError):
        mine = find_key(box, reader)
    return private_linking.forge(first, second, mine, context.session.config.params)


def _whole(context: Context, typed: str) -> bytes:
    """A key by its own name or by a post that it signed. Beginnings can be forged, so they are refused."""
    from p2pforum.core.post_id import parse_id
    from p2pforum.core.signature import is_valid_key

    try:
        value = parse_id(typed)
    except ValueError:
        raise Refused(
            f'"{typed}" is no whole key or post ID (52 letters; read --json shows them): a beginning can '
            "be forged"
        ) from None
    post = context.session.reader.post(value)
    if post is not None:
        return post.author
    if not is_valid_key(value):
        raise NotFound("that is no key, and no post here has that ID")
    return value
