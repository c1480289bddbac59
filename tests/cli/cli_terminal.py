"""The program on a terminal of its own: a pseudo-terminal that is its controlling one, too."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cli_world import ROOT

# A shell's background job, as a test run may be, ignores SIGINT, and what it starts inherits that.
_START = f"""
import fcntl, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.path.insert(0, {str(ROOT)!r})
"""
_MAIN = """
from p2pforum.cli.main import main
main(sys.argv[1:])
"""
_PATIENCE = 30.0  # seconds


class Terminal:
    """One run, after the code in `before`. `screen` is all that came out, escape sequences included."""

    def __init__(
        self, *arguments: str, before: str = "", columns: int = 80, lines: int = 24, **environ: str
    ) -> None:
        self.screen = ""
        self._fd, inner = pty.openpty()
        size = {"TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START + before + _MAIN, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, **size, **environ},
            start_new_session=True,
        )
        os.close(inner)

    def wait_for(self, text: str) -> None:
        """Read on until `text` is on the screen."""
        self._read_until(lambda: text in self.screen)
        assert text in self.screen, f"{text!r} never came: {self.screen!r}"

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def end(self) -> int:
        """Read to the end; give the exit code."""
        self._read_until(lambda: False)
        os.close(self._fd)
        return self._process.wait()

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def hang_up(self) -> int:
        """Close the terminal, as with its window; give the exit code."""
        os.close(self._fd)
        return self._process.wait(_PATIENCE)

    def _read_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not done():
            if not select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self._process.kill()
                raise AssertionError(f"no end within {_PATIENCE} s: {self.screen!r}")
            try:
                piece = os.read(self._fd, 65_536)
            except OSError:  # EIO: nobody holds the other end any more
                return
            self.screen += piece.decode("utf-8", "replace")


def an_editor(directory: Path, script: str) -> str:
    """An editor that is a shell script; "$1" is the file."""
    path = directory / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)
