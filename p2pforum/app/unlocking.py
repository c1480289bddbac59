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
    """The keystore as it is. When it is first read, its key comes from the agent, or else the passphrase from
    the file that P2PFORUM_PASSPHRASE_FILE names, or else from the user. Raises KeystoreError.

    From here on this process holds secrets. So it leaves no core dump, and other processes
    can't look into it.
    """
    forbid_dumps()
    passphrase = passphrase_from_environment(os.environ) or session.ask or _refuse
    return _keystore(session, passphrase, _agent_key(session) if with_agent else None)


def made_keystore(session: Session) -> tuple[Keystore, bool]:
    """The same, made without a passphrase if there is none yet, so that a first post needs no preparation.
    Also whether it was made just now: then the front end tells the user who can read it.
    """
    box = open_keystore(session)
    is_new = not box.exists
    if is_new:
        box.create(None)
    return box, is_new


def contents_without_asking(session: Session) -> Contents | None:
    """The keystore's contents if it is plain or unlocked, because reading never asks for a passphrase. None
    if it is locked or not there.

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
    """The keystore needs a passphrase, and there is no way to ask for it."""


def _keystore(session: Session, passphrase: Passphrase, held_key: HeldKey | None) -> Keystore:
    return Keystore(session.paths.keys_dir, passphrase, held_key=held_key)


def _refuse() -> bytes:
    raise Locked("a passphrase is needed, and there is no way to ask you for it")


def _agent_key(session: Session) -> HeldKey | None:
    """The agent's key. None, and without imports, if no agent can be there."""
    if not _agent_socket(session).exists():
        return None
    from p2pforum.agent.client import ask_key

    return partial(ask_key, session.paths.keystore_file)


def _agent_socket(session: Session) -> Path:
    return session.paths.keys_dir / "agent.sock"
