"""The keystore of a session, opened with the agent's key or with a passphrase that the front end asks for."""

import os
from functools import partial
from pathlib import Path

from p2pforum.agent.memory import forbid_dumps
from p2pforum.app.session import Session
from p2pforum.core.errors import KeystoreError
from p2pforum.keystore.contents import Contents
from p2pforum.keystore.keystore import HeldKey, Keystore, Passphrase, passphrase_from_environment


def open_keystore(session: Session, *, with_agent: bool = True) -> Keystore:
    """The keystore as it is. When it is first read, the agent is asked for its key, or else the file that
    P2PFORUM_PASSPHRASE_FILE names, or else the person.

    From here on this process holds secrets: it leaves no core dump, and lets nobody look into it.
    """
    forbid_dumps()
    passphrase = passphrase_from_environment(os.environ) or session.ask or _refuse
    return _keystore(session, passphrase, _agent_key(session) if with_agent else None)


def made_keystore(session: Session) -> tuple[Keystore, bool]:
    """The same, made without a passphrase if there is none yet: a first post needs no ceremony. Also whether
    it was made just now: then the person is to be told who can read it."""
    box = open_keystore(session)
    is_new = not box.exists
    if is_new:
        box.create(None)
    return box, is_new


def contents_without_asking(session: Session) -> Contents | None:
    """What the keystore holds if it is plain or unlocked: reading never asks for a passphrase.

    Raises KeystoreError for a keystore that can't be used.
    """
    if not session.paths.keystore_file.exists():
        return None
    box = _keystore(session, _refuse, _agent_key(session))
    forbid_dumps()
    try:
        return box.read() if box.exists else None
    except Locked:
        return None


class Locked(KeystoreError):
    """It would take a passphrase, and nobody is there to be asked for it."""


def _keystore(session: Session, passphrase: Passphrase, held_key: HeldKey | None) -> Keystore:
    return Keystore(session.paths.keys_dir, passphrase, held_key=held_key)


def _refuse() -> bytes:
    raise Locked("a passphrase is needed, and there is no way to ask you for it")


def _agent_key(session: Session) -> HeldKey | None:
    """None, and no imports, if no agent can be there."""
    if not _agent_socket(session).exists():
        return None
    from p2pforum.agent.client import ask_key

    return partial(ask_key, session.paths.keystore_file)


def _agent_socket(session: Session) -> Path:
    return session.paths.keys_dir / "agent.sock"
