"""The keystore and its passphrase: asked on the terminal, never taken from the command line."""

import os
from functools import partial
from pathlib import Path

from p2pforum.agent.memory import forbid_dumps
from p2pforum.cli.context import Context, tilde
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError
from p2pforum.keystore.contents import Contents
from p2pforum.keystore.keystore import HeldKey, Keystore, passphrase_from_environment

_TERMINAL = "/dev/tty"


def keystore(context: Context, *, with_agent: bool = True) -> Keystore:
    """The keystore as it is; when it is opened, the agent is asked for its key, or else its passphrase is.

    From here on this process holds secrets: it leaves no core dump, and lets nobody look into it.
    """
    forbid_dumps()
    passphrase = passphrase_from_environment(os.environ) or _ask_once
    return Keystore(
        context.session.paths.keys_dir, passphrase, held_key=_agent_key(context) if with_agent else None
    )


def _agent_key(context: Context) -> HeldKey | None:
    """None, and no imports, if no agent can be there."""
    if not agent_socket(context).exists():
        return None
    from p2pforum.agent.client import ask_key

    return partial(ask_key, context.session.paths.keystore_file)


def agent_socket(context: Context) -> Path:
    return context.session.paths.keys_dir / "agent.sock"


def keystore_to_write(context: Context) -> Keystore:
    """The same, made without a passphrase if there is none yet: a first post needs no ceremony."""
    box = keystore(context)
    if not box.exists:
        box.create(None)
        context.console.note(
            f"Made a keystore without a passphrase: {tilde(box.path)}\n"
            f"Who can read that file can prove what you wrote; {context.command('init')} sets a passphrase."
        )
    return box


def contents_without_asking(context: Context) -> Contents | None:
    """What the keystore holds if it is plain or unlocked: reading never asks for a passphrase."""
    box = Keystore(context.session.paths.keys_dir, _refuse, held_key=_agent_key(context))
    forbid_dumps()
    try:
        return box.read() if box.exists else None
    except _Locked:
        return None
    except KeystoreError as error:
        context.console.warn(f"your petnames are not shown: {error}")
        return None


class _Locked(KeystoreError):
    """It would take a passphrase."""


def _refuse() -> bytes:
    raise _Locked


def ask_for_new(context: Context) -> bytes | None:
    """A passphrase typed twice; None for an empty one, or where there is no terminal to ask on."""
    from_file = passphrase_from_environment(os.environ)
    if from_file is not None:
        return from_file()
    return type_new("New passphrase (empty for none): ") if has_terminal() else None


def type_new(question: str) -> bytes | None:
    """The same on the terminal alone. Raises KeystoreError."""
    first = type_passphrase(question)
    if first and type_passphrase("The same again: ") != first:
        raise KeystoreError("the two passphrases differ; nothing was changed")
    return first or None


def has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ask_once() -> bytes:
    return type_passphrase("Passphrase: ")


def type_passphrase(question: str) -> bytes:
    """Typed on the terminal, unseen. Raises KeystoreError where there is none."""
    if not has_terminal():
        raise KeystoreError(
            "a passphrase is needed and there is no terminal to ask for it; "
            "P2PFORUM_PASSPHRASE_FILE may name a file with it"
        )
    import getpass

    typed = getpass.getpass(question).encode("utf-8", "surrogateescape")  # on /dev/tty, without echo
    if len(typed) > limits.MAX_PASSPHRASE:
        raise KeystoreError(f"a passphrase has at most {limits.MAX_PASSPHRASE} bytes")
    return typed
