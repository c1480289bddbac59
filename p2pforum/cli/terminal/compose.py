"""The text of a post: from a file, from standard input, or from the editor. Never from the arguments, because
every program on the machine can read those.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from p2pforum.cli.terminal.editor import edit, with_comments, without_comments
from p2pforum.core import limits
from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize

_MOST = 4 * limits.MAX_BODY  # bytes read: enough to say that it is too long

file_option = click.option(
    "-F",
    "--file",
    "file",
    metavar="FILE",
    help='Take the text from FILE ("-": standard input) instead of the editor.',
)


class NothingWritten(click.ClickException):
    """The user wrote nothing. That is no error, and yet nothing was posted."""

    def __init__(self) -> None:
        super().__init__("you wrote nothing, so nothing was posted")

    def show(self, file: IO[Any] | None = None) -> None:
        print(self.message, file=sys.stderr)


@dataclass(frozen=True, slots=True)
class ComposedText:
    """`is_file`: the text is in a file of the user's, so a failure need not keep it."""

    text: str
    is_file: bool = False
    is_edited: bool = False


def compose(file: str | None, draft: str, comments: str) -> ComposedText:
    """`draft` is the text the editor begins with, `comments` what it shows below. Raises NothingWritten."""
    if file == "-" or (file is None and not sys.stdin.isatty()):
        written = ComposedText(_read(sys.stdin.buffer.read(_MOST + 1)))
    elif file is not None:
        with Path(file).open("rb") as opened:
            written = ComposedText(_read(opened.read(_MOST + 1)), is_file=True)
    else:
        edited = edit(with_comments(draft, comments), os.environ)
        written = ComposedText(without_comments(edited), is_edited=True)
    if not normalize(written.text).strip():
        raise NothingWritten
    return written


def _read(raw: bytes) -> str:
    if len(raw) > _MOST:
        raise Refused(f"the text has more than {_MOST} bytes; {limits.MAX_BODY} at most")
    return raw.decode("utf-8", "surrogateescape")  # forum says what is wrong with it, if anything


def split_subject(text: str) -> tuple[str, str]:
    """The first line, and what follows the blank lines after it."""
    subject, _, body = text.strip("\n").partition("\n")
    return subject.strip(), body.strip("\n")
