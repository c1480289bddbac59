"""What every command gets."""

import os
import shlex
import sys

import click

from p2pforum.app.session import Session
from p2pforum.cli.terminal.console import Console


class Context:
    """One run of the program: the user's data, and the terminal."""

    def __init__(self) -> None:
        self.session = Session()  #: under --home, once that is known
        self.checks_texts = True  #: --quiet-check
        self.is_sure = False  #: --yes of commands that publish a text
        self.listen = 0.0  #: --listen, in seconds
        self.console = Console()

    def command(self, arguments: str) -> str:
        """How to run this program again on the same data: for hints about the next step."""
        home = f"--home {shlex.quote(self.session.home)} " if self.session.home else ""
        return f"{_program()} {home}{arguments}"


def _program() -> str:
    """How this program was called: `p2pforum`, or from a checkout `.venv/bin/python node.py`."""
    name = os.path.basename(sys.argv[0])
    if name == "node.py":
        return shlex.join(sys.orig_argv[: sys.orig_argv.index(sys.argv[0]) + 1])
    if name == "__main__.py":
        return shlex.join([sys.orig_argv[0], "-m", "p2pforum"])
    return "p2pforum"


pass_context = click.make_pass_decorator(Context, ensure=True)
