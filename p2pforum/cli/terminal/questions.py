"""Questions to the user. They are asked on the terminal itself, so standard input and output may be pipes.

Ctrl-C raises KeyboardInterrupt, the end of the input EOFError; cli/main.py says what their exit codes are.
"""

import sys
from collections.abc import Sequence
from typing import IO, Any

import click

from p2pforum.cli.terminal import passphrases
from p2pforum.core.errors import Refused


class Declined(click.ClickException):
    """The user decided against it. That is no error, and yet the command did not do it."""

    def show(self, file: IO[Any] | None = None) -> None:
        print(self.message, file=sys.stderr)


def confirm(question: str, instead: str = "add --yes to confirm") -> None:
    """Ask; only "y" or "yes" means yes. Raises Declined for a no, and Refused where there is no terminal:
    `instead` is what the user can do there.
    """
    if choose(f"{question} [y/N]", ("yes", "no"), instead, default="no") == "no":
        raise Declined("you did not say yes, so nothing was done")


def choose(question: str, choices: Sequence[str], instead: str, default: str | None = None) -> str:
    """One of these words, by its beginning. Asks until the answer is one; `default` is the empty answer.
    Raises Refused where there is no terminal.
    """
    if not passphrases.has_terminal():
        raise Refused(f"there is no terminal, so the command can't ask you: {instead}")
    while True:
        typed = passphrases.type_line(f"{question}: ").decode("utf-8", "replace").strip().casefold()
        if not typed and default is not None:
            return default
        found = [choice for choice in choices if typed and choice.startswith(typed)]
        if len(found) == 1:
            return found[0]
