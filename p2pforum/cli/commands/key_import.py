"""`p2pforum key import`: take in an exported key."""

import sys
from pathlib import Path

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.core.post_id import short_id

_MOST = 4_096  # bytes; an exported key has some 200


@click.command()
@click.option("-F", "--file", "file", metavar="FILE", help="Read it from FILE, not from standard input.")
@pass_context
def command(context: Context, file: str | None) -> None:
    """Take in an exported key.

    The line comes from standard input, from a file, or from you: you type it unseen on the terminal. It
    is never an argument, because every program on the machine can read arguments.
    """
    from p2pforum.cli.keys import writing
    from p2pforum.forum.keys import import_key

    text = _read(file)
    with writing(context) as box:
        known = set(box.keys)
        key = import_key(box, text, context.session.now())
    name = f'the pseudonym "{key.name}"' if key.name else f"the key {short_id(key.public)}"
    context.console.print(f"{'Here already: ' if key.public in known else 'Took in '}{name}.")


def _read(file: str | None) -> str:
    from p2pforum.cli.terminal.passphrases import type_passphrase

    if file is not None and file != "-":
        with Path(file).open("rb") as opened:
            return opened.read(_MOST).decode("utf-8", "replace")
    if sys.stdin.isatty():
        return type_passphrase("The exported key: ").decode("utf-8", "replace")
    return sys.stdin.buffer.read(_MOST).decode("utf-8", "replace")
