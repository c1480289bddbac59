"""Idle keys: commands that write warn of those that burn soon, and burn those that are due."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from p2pforum.cli.context import Context
from p2pforum.cli.terminal import options
from p2pforum.cli.terminal.times import date
from p2pforum.core import limits
from p2pforum.core.post_id import short_id

if TYPE_CHECKING:
    from p2pforum.forum.keys import KeyView
    from p2pforum.keystore.contents import Contents
    from p2pforum.keystore.keystore import Keystore

_DAYS = limits.KEY_IDLE_HOURS // 24


@contextmanager
def writing(context: Context) -> Iterator["Contents"]:
    """A change of the keystore, which is made if there is none; and a look at its idle keys afterwards, so
    that a key which is used just now does not burn."""
    from p2pforum.cli.keys import keystore_to_write

    keystore = keystore_to_write(context)
    with keystore.transaction() as box:
        yield box
    review(context, keystore)


def review(context: Context, keystore: "Keystore") -> None:
    """Warn of idle keys, once each, and burn those whose warning is three days old."""
    from p2pforum.forum.expiry import is_anything_due, review_idle

    now = context.session.now()
    if not is_anything_due(keystore.read(), now):
        return
    with keystore.transaction() as box:
        found = review_idle(box, now, context.session.reader)
    for view in found.warned:
        when = date(max(view.expires, now + limits.KEY_WARNING_HOURS))
        keep = context.command(f"key keep {short_id(view.public)}")
        context.console.warn(f"{_named(context, view)} is idle and burns on {when}; to keep it: {keep}")
    for view in found.burnt:
        context.console.note(f"Burnt {_named(context, view)}: it signed nothing for {_DAYS} days.")


def _named(context: Context, view: "KeyView") -> str:
    from p2pforum.cli.commands.key_list import where

    return f"your key {view.shown} ({where(context, view)})"


def warning_of(contents: "Contents", now: int) -> str:
    """For `status` and `doctor`, which change nothing; empty if no key is near its end."""
    soon = now + limits.KEY_WARNING_HOURS - limits.KEY_IDLE_HOURS
    count = sum(not key.keep and key.used <= soon for key in contents.keys.values())
    return f"{options.count(count, 'idle key')} will be burnt unless used or kept" if count else ""
