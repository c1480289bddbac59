"""Progress on standard error: a bar on a terminal, a line for each tenth elsewhere.

Not click's bar: it fails a command whose standard error is full, writes escape sequences under TERM=dumb,
hides the cursor, stays on the screen, and tells a log its label alone.
"""

import time
from types import TracebackType
from typing import Self

from p2pforum.cli.terminal.console import Console

_CELLS = 20
_REDRAW = 0.1  # seconds: the eye sees no faster changes


class Progress:
    """Shows progress. `quiet_elsewhere`: print nothing where there is no terminal."""

    def __init__(self, console: Console, label: str, *, quiet_elsewhere: bool = False) -> None:
        self._console = console
        self._label = label
        self._as_bar = console.errors_to_terminal
        self._quiet = quiet_elsewhere and not self._as_bar
        self._drawn = 0.0
        self._tenth = -1
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("")  # leave nothing of the bar

    def show(self, fraction: float, detail: str = "") -> None:
        """`fraction` from 0 to 1; `detail` is printed behind it. Cheap to call often."""
        fraction = min(max(fraction, 0.0), 1.0)
        if self._as_bar:
            now = time.monotonic()
            if now - self._drawn >= _REDRAW:
                self._drawn = now
                self._write(self._bar(fraction, detail))
        elif not self._quiet and int(fraction * 10) > self._tenth:
            self._tenth = int(fraction * 10)
            self._console.note(f"{self._label} {self._tenth * 10} %  {detail}".rstrip())

    def _bar(self, fraction: float, detail: str) -> str:
        full = int(fraction * _CELLS)
        text = f"{self._label} {'█' * full}{'░' * (_CELLS - full)} {fraction:4.0%}  {detail}".rstrip()
        return text[: self._console.width - 1]

    def _write(self, text: str) -> None:
        if self._as_bar and (text or self._length):
            self._console.write_error("\r" + text + " " * (self._length - len(text)) + ("" if text else "\r"))
            self._length = len(text)
