"""The terminal: its colour, width and pager. Not how foreign text is cleaned (render.py).

The pager is click's. The colours are not: click knows neither NO_COLOR nor CLICOLOR_FORCE nor TERM=dumb.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import IO, Any

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_WIDEST = 100  # columns: longer lines are hard to read
_NARROWEST = 20
_USUAL = (80, 24)  # columns and lines where there is no terminal


def wants_color(choice: str, stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Whether to print colours. `choice` is always, never or auto; then NO_COLOR (no-color.org),
    CLICOLOR_FORCE, TERM, and whether there is a terminal decide.
    """
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return environ.get("TERM") not in (None, "", "dumb") and stream.isatty()


class Console:
    """Standard output for the answer, standard error for messages about it."""

    def __init__(self, color: str = "auto", environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._out: IO[str] = sys.stdout
        self.color = wants_color(color, sys.stdout, environ)
        self._color_err = wants_color(color, sys.stderr, environ)
        self._terminal: tuple[int, int] | None = None  #: columns and lines, once asked for
        self.truecolor = environ.get("COLORTERM") in ("truecolor", "24bit")

    @property
    def is_terminal(self) -> bool:
        return sys.stdout.isatty()

    @property
    def errors_to_terminal(self) -> bool:
        return sys.stderr.isatty() and self._environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns for text that is read line by line."""
        return min(self.columns, _WIDEST)

    @property
    def columns(self) -> int:
        """Columns for lists: all that the terminal has."""
        return max(_NARROWEST, self._size()[0])

    @property
    def height(self) -> int:
        return self._size()[1]

    def _size(self) -> tuple[int, int]:
        if self._terminal is None:
            self._terminal = _terminal_size(self._environ)
        return self._terminal

    def print(self, text: str = "") -> None:
        self._out.write(text + "\n")

    def flush(self) -> None:
        """So that a reader gets the output while the program goes on."""
        self._out.flush()

    def json(self, value: Any) -> None:
        """One line, ASCII only: so no text in it can steer a terminal, and every JSON reader takes it."""
        import json

        self._out.write(json.dumps(value) + "\n")
        self._out.flush()

    def note(self, text: str) -> None:
        """A message beside the answer."""
        self.write_error(self._paint(text, "2", self._color_err) + "\n")

    def warn(self, text: str) -> None:
        self.write_error(self._paint("warning: ", "33", self._color_err) + text + "\n")

    def error(self, text: str) -> None:
        self.write_error(self._paint("error: ", "1;31", self._color_err) + text + "\n")

    def write_error(self, text: str) -> None:
        """Write text as it is, without a line's end, so that it can be drawn over. If it can't be written,
        the command goes on: its work is done all the same.
        """
        for stream, said in ((sys.stdout, ""), (sys.stderr, text)):
            with contextlib.suppress(OSError):
                stream.write(said)
                stream.flush()

    def style(self, text: str, *styles: str) -> str:
        return self.paint(text, ";".join(_STYLES[s] for s in styles))

    def paint(self, text: str, code: str) -> str:
        return self._paint(text, code, self.color)

    @staticmethod
    def _paint(text: str, code: str, on: bool) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if on and text else text

    @contextlib.contextmanager
    def paged(self, long: bool) -> Iterator[None]:
        """Send what is printed inside to a pager, if it is long and goes to a terminal.

        click's pager asks the environment alone.
        """
        if not (long and self.is_terminal):
            yield
            return
        import click

        os.environ["PAGER"] = self._environ.get("P2PFORUM_PAGER", self._environ.get("PAGER", "less -R"))
        os.environ.setdefault("LESS", "FRX")
        try:
            with click.get_pager_file(color=self.color) as self._out:
                yield
        finally:
            self._out = sys.stdout


def _terminal_size(environ: Mapping[str, str]) -> tuple[int, int]:
    """Columns and lines; as shutil.get_terminal_size, whose import would cost 2 ms."""
    try:
        found = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except (OSError, ValueError):
        found = os.terminal_size(_USUAL)
    chosen = environ.get("COLUMNS", ""), environ.get("LINES", "")
    columns, rows = (int(text) if text.isdecimal() else 0 for text in chosen)
    return columns or found.columns or _USUAL[0], rows or found.lines or _USUAL[1]
