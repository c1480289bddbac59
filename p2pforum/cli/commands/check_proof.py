"""`p2pforum check-proof`: what a linking proof shows, and to whom."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal.exit_codes import OK, REFUSED
from p2pforum.core.errors import NotFound, Refused
from p2pforum.core.post_id import format_id

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents

_MOST = 1 << 20  # bytes of a file that are looked through
_MANY = 50  # proofs of one file: each takes a millisecond, and a page of them is no longer read


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one proof shows. `problem` is empty if it convinces whoever asked."""

    kind: str
    keys: tuple[bytes, ...] = ()
    reader: bytes = b""
    problem: str = ""


@click.command()
@click.argument("file", metavar="FILE-OR-POST")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_context
def command(context: Context, file: str, as_json: bool) -> int:
    """Check the linking proofs in a file or a post.

    FILE is a file that holds proofs, alone or among other text ("-": standard input); if there is no
    such file, the beginning of a post's ID. The exit code is 0 only if each proof there convinces you.
    """
    found = [_check(context, proof) for proof in _proofs(_text(context, file))]
    if not found:
        raise NotFound("there is no linking proof in it")
    for shown in found:
        context.console.json(_json(shown)) if as_json else _print(context, shown)
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


def _proofs(text: str) -> Iterator[str]:
    import re
    from itertools import islice

    found = re.finditer(r"p2pforum-(?:private-)?link-[0-9]+:[\w=-]*", text, re.ASCII)
    yield from (match.group() for match in islice(found, _MANY))


def _check(context: Context, proof: str) -> _Shown:
    is_private = proof.startswith("p2pforum-private-")
    try:
        shown = _check_private(context, proof) if is_private else _check_public(context, proof)
    except Refused as error:
        return _Shown("private" if is_private else "public", problem=str(error))
    if not shown.problem and context.session.reader.revealed(shown.keys):
        problem = "one of the keys was published: anybody can have made this"
        return _Shown(shown.kind, shown.keys, shown.reader, problem)
    return shown


def _check_public(context: Context, proof: str) -> _Shown:
    from p2pforum.forum.linking import check_proof

    link = check_proof(proof, context.session.config.params)
    return _Shown("public", (link.first, link.second))


def _check_private(context: Context, proof: str) -> _Shown:
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum import private_linking

    link = private_linking.check(proof, context.session.config.params)
    box = open_keystore(context.session)
    problem = ""
    if not (box.exists and box.read().is_mine(link.reader)):
        problem = "it is for the holder of another key, who could have made it: to you it shows nothing"
    elif context.session.reader.revealed([link.reader]):
        problem = "your key was published: anybody can have made this"
    return _Shown("private", (link.first, link.second), link.reader, problem)


def _print(context: Context, shown: _Shown) -> None:
    from p2pforum.cli.keys import contents_without_asking

    box = contents_without_asking(context)
    if shown.problem:
        context.console.print(f"Not convincing: {shown.problem}.")
    elif shown.kind == "public":
        context.console.print("One person has both keys, and says so to everybody:")
    else:
        context.console.print(
            "One person has both keys, and says so to you alone (if you did not make this):"
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


def _json(shown: _Shown) -> dict[str, Any]:
    return {
        "kind": shown.kind,
        "convinces": not shown.problem,
        "problem": shown.problem or None,
        "keys": [format_id(key) for key in shown.keys],
        "reader": format_id(shown.reader) if shown.reader else None,
    }
