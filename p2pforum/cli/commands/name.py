"""`p2pforum name`: the names I give others."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, questions, render
from p2pforum.core.errors import NotFound
from p2pforum.core.post_id import TEXT_LENGTH, format_id, short_id
from p2pforum.core.pseudonym import name_of

if TYPE_CHECKING:
    from p2pforum.app.result_shapes import PetnameShape
    from p2pforum.keystore.contents import Contents


@click.command()
@click.argument("whom", metavar="[ID]", required=False)
@click.argument("petname", required=False)
@click.option(
    "--everywhere", is_flag=True, help="Give the name to the key in every thread, not in this one alone."
)
@click.option("--forget", is_flag=True, help="Remove the name.")
@click.option("--yes", is_flag=True, help="Do not ask whether this is the post that you mean.")
@options.as_json
@pass_context
def command(context: Context, /, whom: str | None, petname: str | None, as_json: bool, **how: bool) -> None:
    """Give a pseudonym a name that only you see.

    ID is a post by that pseudonym, or its whole key (52 characters, as `read --json` shows it). Without
    ID, the command lists the names that you gave. They stay in your keystore.

    \b
    p2pforum name k7q2mf0a "the one with the e-readers"
    p2pforum name --forget k7q2mf0a
    """
    from p2pforum.app.unlocking import open_keystore

    if whom is None:
        _list(context, open_keystore(context.session).read(), as_json)
        return
    if (petname is None) != how["forget"]:
        wrong = "a name is missing, or --forget" if petname is None else "--forget takes no name"
        raise click.UsageError(wrong)
    root, key = _find(context, whom, is_sure=how["yes"], is_key=how["everywhere"])
    _change(context, b"" if how["everywhere"] else root, key, petname)


def _find(context: Context, whom: str, *, is_sure: bool, is_key: bool) -> tuple[bytes, bytes]:
    """Thread and key. If the user typed the beginning of an ID, show what it means, and ask."""
    from p2pforum.app.whole_ids import pseudonym_meant

    meant = pseudonym_meant(context.session, whom, may_be_key=is_key)
    if not meant.is_whole and not is_sure and meant.post is not None:
        _ask(name_of(meant.key, meant.root), render.line(meant.post.subject or meant.post.body))
    return meant.root, meant.key


def _ask(name: str, text: str) -> None:
    questions.confirm(
        f"Do you mean {name}, who wrote: {render.cut(text, 60)}",
        "an attacker can make a post whose ID begins the same, "
        f"so give all {TEXT_LENGTH} characters, or --yes",
    )


def _change(context: Context, root: bytes, key: bytes, petname: str | None) -> None:
    from p2pforum.cli.keys import writing
    from p2pforum.forum.names import drop_petname, set_petname

    with writing(context) as box:
        if petname is not None:
            set_petname(box, root, key, petname)
        elif not drop_petname(box, root, key):
            raise NotFound("you have no name for that pseudonym there")
    shown = name_of(key, root) if root else f"the key {short_id(key)}"
    if petname is None:
        context.console.print(f"You removed your name for {shown}.")
    else:
        context.console.print(f'{shown} is "{" ".join(petname.split())}" for you{_where(root)}.')


def _where(root: bytes) -> str:
    return f" in {short_id(root)}" if root else " in every thread"


def _list(context: Context, box: "Contents", as_json: bool) -> None:
    rows = sorted(box.petnames.items(), key=lambda item: (item[1].casefold(), item[0]))
    if as_json:
        found: list[PetnameShape] = [
            {"petname": name, "key": format_id(key), "root": format_id(root) if root else None}
            for (root, key), name in rows
        ]
        context.console.json(found)
        return
    if not rows:
        context.console.print("You have given no names yet.")
    column = max((len(name) for name in box.petnames.values()), default=0)
    for (root, key), name in rows:
        shown = name_of(key, root) if root else short_id(key)
        context.console.print(f"{render.pad(render.line(name), column)}  {shown}{_where(root)}")
