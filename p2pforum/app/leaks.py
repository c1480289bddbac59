"""What in a text may give its author away, found before it goes out. Advice: it stops nothing."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from p2pforum.app.session import Session
from p2pforum.core.errors import P2PForumError
from p2pforum.forum.leak_checks import check
from p2pforum.forum.leak_patterns import Leak
from p2pforum.keystore.keystore import Keystore

_ACCOUNTS = Path("/etc/passwd")


def leaks_in(session: Session, keystore: Keystore, text: str, place: tuple[bytes, str | None]) -> list[Leak]:
    """The leaks in a text. `place` is the thread's root (empty for a new one), and the key that will sign, as
    in forum/publish.py.

    If the text can't be published at all, nothing is found here; publishing says what is wrong.
    """
    try:
        contents, names = keystore.read(), list(machine_names())
        return check(text, contents, session.reader, place, session.now(), names)
    except P2PForumError:
        return []


def machine_names() -> Iterator[str]:
    """Names of the machine, the account and its owner. From the kernel and a file, because the C library
    might ask a server.
    """
    yield socket.gethostname().partition(".")[0]
    yield os.environ.get("USER", "")
    for line in _ACCOUNTS.read_text(errors="replace").splitlines() if _ACCOUNTS.exists() else ():
        name, _, uid, _, owner, *_ = [*line.split(":"), *[""] * 5]
        if uid == str(os.getuid()):
            owner = owner.partition(",")[0]
            yield from (name, owner, *owner.split())
