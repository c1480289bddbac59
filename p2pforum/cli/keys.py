"""The keystore and its passphrase: asked on the terminal, never taken from the command line."""

import os

from p2pforum.cli.context import Context, tilde
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError
from p2pforum.store.keystore import Keystore, passphrase_from_environment
from p2pforum.store.keystore_contents import Contents

_TERMINAL = "/dev/tty"


def keystore(context: Context) -> Keystore:
    """The keystore as it is; the passphrase is asked for when it is opened, if it has one."""
    return Keystore(context.paths.keys_dir, passphrase_from_environment(os.environ) or _ask_once)


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
    """What the keystore holds if it opens by itself: reading never asks for a passphrase."""
    box = keystore(context)
    try:
        return box.read() if box.exists and not box.is_encrypted else None
    except KeystoreError as error:
        context.console.warn(f"your petnames are not shown: {error}")
        return None


def ask_for_new(context: Context) -> bytes | None:
    """A passphrase typed twice; None for an empty one, or where there is no terminal to ask on."""
    from_file = passphrase_from_environment(os.environ)
    if from_file is not None:
        return from_file()
    if not has_terminal():
        return None
    first = _prompt("New passphrase (empty for none): ")
    if first and _prompt("The same again: ") != first:
        raise KeystoreError("the two passphrases differ; nothing was changed")
    return first or None


def has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ask_once() -> bytes:
    if not has_terminal():
        raise KeystoreError(
            "the keystore has a passphrase and there is no terminal to ask for it; "
            "P2PFORUM_PASSPHRASE_FILE may name a file with it"
        )
    return _prompt("Passphrase: ")


def _prompt(text: str) -> bytes:
    import getpass

    typed = getpass.getpass(text).encode("utf-8", "surrogateescape")  # on /dev/tty, without echo
    if len(typed) > limits.MAX_PASSPHRASE:
        raise KeystoreError(f"a passphrase has at most {limits.MAX_PASSPHRASE} bytes")
    return typed
