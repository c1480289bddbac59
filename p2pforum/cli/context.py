"""What every command has in its hands. Everything is opened when it is first asked for."""

import os
import shlex
import sys
from functools import cached_property
from typing import TYPE_CHECKING

import click

from p2pforum.cli.terminal.console import Console

if TYPE_CHECKING:
    from pathlib import Path

    from p2pforum.api.client import NodeClient
    from p2pforum.config import Config, Paths
    from p2pforum.store.queries import Reader


class Context:
    """One run of the program. `home` is --home."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.checks_texts = True  #: --quiet-check
        self.listen = 0.0  #: --listen, in seconds
        self.console = Console()

    @cached_property
    def paths(self) -> "Paths":
        from p2pforum.config import find_paths

        return find_paths(self.home)

    @cached_property
    def config(self) -> "Config":
        from p2pforum.config import load_config

        return load_config(self.paths)

    @cached_property
    def reader(self) -> "Reader":
        from p2pforum.store.queries import open_reader

        return open_reader(self.paths.data_dir)

    @cached_property
    def node(self) -> "NodeClient":
        from p2pforum.api.client import NodeClient

        return NodeClient(self.paths.socket_path)

    def close(self) -> None:
        if "reader" in self.__dict__:
            self.reader.close()

    def command(self, arguments: str) -> str:
        """How to run this program again on the same data: for the hints that say what to do next."""
        home = f"--home {shlex.quote(self.home)} " if self.home else ""
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


def tilde(path: "Path") -> str:
    """A path as a person writes it, and without the account's name in what gets pasted elsewhere."""
    home = os.environ.get("HOME", "")
    text = str(path)
    return "~" + text[len(home) :] if len(home) > 1 and text.startswith(home + "/") else text
