"""Passphrases and other secrets: typed on the terminal unseen, never taken from the command line."""

import os

from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError

_TERMINAL = "/dev/tty"


def has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


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
    import getpass

    typed = getpass.getpass(question).encode("utf-8", "surrogateescape")  # on /dev/tty, without echo
    if len(typed) > limits.MAX_PASSPHRASE:
        raise KeystoreError(f"a passphrase has at most {limits.MAX_PASSPHRASE} bytes")
    return typed


def type_new(question: str) -> bytes | None:
    """A passphrase typed twice; None for an empty one. Raises KeystoreError."""
    first = type_passphrase(question)
    if first and type_passphrase("Repeat the passphrase: ") != first:
        raise KeystoreError("the two passphrases differ; nothing was changed")
    return first or None
