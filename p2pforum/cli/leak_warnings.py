"""Say before a post goes out what in it may give its author away. Advice on standard error: stops nothing."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from p2pforum.cli.context import Context
from p2pforum.cli.terminal import render
from p2pforum.core.errors import P2PForumError
from p2pforum.forum.leak_checks import check
from p2pforum.keystore.keystore import Keystore

_ACCOUNTS = Path("/etc/passwd")
_MOST = 6  # places shown of one kind


def warn_of_leaks(context: Context, keystore: Keystore, text: str, root: bytes, key: str | None) -> None:
    """`root` is the thread's (empty for a new one), `key` as in forum/publish.py."""
    try:
        found = check(
            text,
            keystore.read(),
            context.session.reader,
            (root, key),
            context.session.now(),
            list(machine_names()),
        )
    except P2PForumError:  # publishing says what is wrong
        return
    except Exception as error:  # a bug in an advice must not keep anybody from posting
        context.console.warn(f"not looked through for what may give you away: {type(error).__name__}")
        return
    if not found:
        return
    context.console.warn(
        "this may say more about you than you mean (only you see this; --quiet-check skips it)"
    )
    for leak in found:
        places = ", ".join(render.line(place) for place in leak.found[:_MOST])
        more = f" and {len(leak.found) - _MOST} more" if len(leak.found) > _MOST else ""
        context.console.note(f"  {leak.kind}: {places}{more}\n    {leak.why}")


def machine_names() -> Iterator[str]:
    """Of machine, account and owner. From the kernel and a file: the C library might ask a server."""
    yield socket.gethostname().partition(".")[0]
    yield os.environ.get("USER", "")
    for line in _ACCOUNTS.read_text(errors="replace").splitlines() if _ACCOUNTS.exists() else ():
        name, _, uid, _, owner, *_ = [*line.split(":"), *[""] * 5]
        if uid == str(os.getuid()):
            owner = owner.partition(",")[0]
            yield from (name, owner, *owner.split())
