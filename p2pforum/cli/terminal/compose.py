"""The text of a post from a file or from standard input (drafting.py: from the editor). Never from
the arguments, because every program on the machine can read those.
"""

import sys
from pathlib import Path
from typing import IO, Any

import click

from p2pforum.core import limits
from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize

_MOST = 4 * limits.MAX_BODY  # bytes read: enough to say that it is too long

draft_option = click.option(
    "--draft", metavar="ID", help="Go on with this draft in the editor; `drafts` lists them."
)
file_option = click.option(
    "-F",
    "--file",
    "file",
    metavar="FILE",
    help='Take the text from FILE ("-": standard input) instead of the editor.',
)


class NothingWritten(click.ClickException):
    """The user wrote nothing. That is no error, and yet nothing was posted."""

    def __init__(self, more: str = "") -> None:
        super().__init__(f"you wrote nothing, so nothing was posted{more}")

    def show(self, file: IO[Any] | None = None) -> None:
        print(self.message, file=sys.stderr)


class NothingChanged(NothingWritten):
    """The user left a draft as it was, and does not want it to be published so."""

    def __init__(self) -> None:
        click.ClickException.__init__(self, "nothing was posted; the draft is still there")


def is_from_editor(file: str | None) -> bool:
    return file is None and sys.stdin.isatty()


def is_from_file(file: str | None) -> bool:
    """Whether the text is in a file of the user's, so that a failure need not keep it."""
    return file not in (None, "-")


def read(file: str | None) -> str:
    """The text from the file or from standard input. Raises NothingWritten."""
    if file is not None and is_from_file(file):
        with Path(file).open("rb") as opened:
            raw = opened.read(_MOST + 1)
    else:
        raw = sys.stdin.buffer.read(_MOST + 1)
    text = _read(raw)
    if not normalize(text).strip():
        raise NothingWritten
    return text


def _read(raw: bytes) -> str:
    if len(raw) > _MOST:
        raise Refused(f"the text has more than {_MOST} bytes; {limits.MAX_BODY} at most")
    return raw.decode("utf-8", "surrogateescape")  # forum says what is wrong with it, if anything


def split_subject(text: str) -> tuple[str, str]:
    """The first line, and what follows the blank lines after it."""
    subject, _, body = text.strip("\n").partition("\n")
    return subject.strip(), body.strip("\n")
