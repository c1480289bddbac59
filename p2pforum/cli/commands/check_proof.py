"""`p2pforum check-proof`: what a linking proof shows, and to whom."""

import sys
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal.exit_codes import OK, REFUSED
from p2pforum.core.errors import NotFound
from p2pforum.core.post_id import format_id

if TYPE_CHECKING:
    from p2pforum.app.proofs import Shown
    from p2pforum.keystore.contents import Contents

_MOST = 1 << 20  # bytes of a file that are looked through


@click.command()
@click.argument("file", metavar="FILE-OR-POST")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_context
def command(context: Context, file: str, as_json: bool) -> int:
    """Check the linking proofs in a file or a post.

    FILE is a file that holds proofs, alone or among other text, or "-" for standard input. If there is
    no such file, FILE is read as the beginning of a post's ID. The exit code is 0 only if each proof
    there convinces you.
    """
    from p2pforum.app import proofs
    from p2pforum.app.result_shapes import proof_shape

    found = [proofs.check(context.session, proof) for proof in proofs.proofs_in(_text(context, file))]
    if not found:
        raise NotFound("it holds no linking proof")
    for shown in found:
        context.console.json(proof_shape(shown)) if as_json else _print(context, shown)
    return REFUSED if any(shown.problem for shown in found) else OK


def _text(context: Context, file: str) -> str:
    from pathlib import Path

    if file == "-":
        return sys.stdin.buffer.read(_MOST).decode("utf-8", "replace")
    if Path(file).exists():
        with Path(file).open("rb") as opened:
            return opened.read(_MOST).decode("utf-8", "replace")
    try:
        post = context.session.reader.post(context.session.reader.resolve(file))
    except NotFound:
        post = None
    if post is None:
        raise NotFound(f'there is no file and no post "{file}"')
    return post.body


def _print(context: Context, shown: "Shown") -> None:
    from p2pforum.cli.keys import contents_without_asking

    box = contents_without_asking(context)
    if shown.problem:
        context.console.print(f"Not convincing: {shown.problem}.")
    elif shown.kind == "public":
        context.console.print("One person has both keys and tells everybody so:")
    else:
        context.console.print(
            "If you did not make this proof yourself, one person has both keys and tells you alone so:"
        )
    for key in shown.keys:
        context.console.print(f"  {format_id(key)}{_known_as(box, key)}")


def _known_as(box: "Contents | None", key: bytes) -> str:
    from p2pforum.cli.terminal.render import line

    if box is None:
        return ""
    if key in box.keys:
        return f"  yours: {line(box.keys[key].name) or 'a thread key'}"
    names = sorted({name for (_, named), name in box.petnames.items() if named == key})
    return f"  {', '.join(map(line, names))}" if names else ""
