"""What is typed on the terminal: answers, and secrets, which are typed unseen and never taken from the
command line.
"""

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError

_TERMINAL = "/dev/tty"
_LONGEST = 4096  # bytes: a terminal takes no longer line


def has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def type_line(question: str, *, seen: bool = True) -> bytes:
    """One line, typed on the terminal, without its end. Raises KeyboardInterrupt for Ctrl-C, and EOFError at
    the end of the input.
    """
    terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    try:
        with nullcontext() if seen else _without_echo(terminal):
            os.write(terminal, question.encode("utf-8", "backslashreplace"))
            _wait_for_input(terminal)
            typed = os.read(terminal, _LONGEST)
    finally:
        if not seen or sys.exc_info()[0]:
            os.write(terminal, b"\n")
        os.close(terminal)
    if not typed.endswith(b"\n"):
        raise EOFError
    return typed[:-1]


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    mode = list(before)
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, mode)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _wait_for_input(terminal: int) -> None:
    """A read that began just after a Ctrl-C would wait on. So a signal also ends this wait, by a pipe."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told)
    try:
        select.select([terminal, heard], [], [])
    finally:
        signal.set_wakeup_fd(before)
        os.close(heard)
        os.close(told)


def ask_once() -> bytes:
    """The `ask` of a session."""
    return type_passphrase("Passphrase: ")


def type_passphrase(question: str) -> bytes:
    """Typed on the terminal, unseen. Raises KeystoreError where there is no terminal."""
    if not has_terminal():
        raise KeystoreError(
            "a passphrase is needed, and there is no terminal to ask you: "
            "name a file that holds it in P2PFORUM_PASSPHRASE_FILE"
        )
    typed = type_line(question, seen=False)
    if len(typed) > limits.MAX_PASSPHRASE:
        raise KeystoreError(f"a passphrase has at most {limits.MAX_PASSPHRASE} bytes")
    return typed


def type_new(question: str) -> bytes | None:
    """A passphrase typed twice; None for an empty one. Raises KeystoreError."""
    first = type_passphrase(question)
    if first and type_passphrase("Repeat the passphrase: ") != first:
        raise KeystoreError("the two passphrases differ; nothing was changed")
    return first or None
