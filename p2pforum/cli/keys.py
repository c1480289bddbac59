"""The keystore as commands see it: made at the first post, and messages about it on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from p2pforum.app import unlocking
from p2pforum.app.clock import date
from p2pforum.app.session import tilde
from p2pforum.app.writing import review
from p2pforum.cli.context import Context
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError
from p2pforum.core.post_id import short_id
from p2pforum.forum.expiry import Review
from p2pforum.forum.keys import KeyView
from p2pforum.keystore.contents import Contents
from p2pforum.keystore.keystore import Keystore

_DAYS = limits.KEY_IDLE_HOURS // 24


def keystore_to_write(context: Context) -> Keystore:
    """The keystore, made without a passphrase if there is none yet."""
    box, is_new = unlocking.made_keystore(context.session)
    if is_new:
        context.console.note(
            f"Made a keystore without a passphrase: {tilde(box.path)}\n"
            "Anybody who reads that file can sign as you, and prove what you wrote; "
            f"{context.command('init')} sets a passphrase."
        )
    return box


def contents_without_asking(context: Context) -> Contents | None:
    """The keystore's contents if it is plain or unlocked, because reading never asks for a passphrase. If it
    is locked, a note says what is not shown.
    """
    try:
        found = unlocking.contents_without_asking(context.session)
    except KeystoreError as error:
        context.console.warn(f"your petnames are not shown: {error}")
        return None
    if found is None and context.session.paths.keystore_file.exists():
        context.console.note(
            "Your keystore is locked, so your petnames are not shown, and not which posts are yours. "
            f"To see them: {context.command('unlock')}"
        )
    return found


@contextmanager
def writing(context: Context) -> Iterator[Contents]:
    """A change of the keystore, which is made if there is none. Afterwards a look at its idle keys: then a
    key that has just been used does not burn.
    """
    keystore = keystore_to_write(context)
    with keystore.transaction() as box:
        yield box
    say_idle(context, review(context.session, keystore))


def say_idle(context: Context, found: Review) -> None:
    """Print which idle keys will burn soon, and which did burn."""
    for view in found.warned:
        when = date(max(view.expires, context.session.now() + limits.KEY_WARNING_HOURS))
        keep = context.command(f"key keep {short_id(view.public)}")
        context.console.warn(f"{_named(context, view)} is idle and burns on {when}; to keep it: {keep}")
    for view in found.burnt:
        context.console.note(f"Burnt {_named(context, view)}: it had signed nothing for {_DAYS} days.")


def _named(context: Context, view: KeyView) -> str:
    from p2pforum.cli.commands.key_list import where

    return f"your key {view.shown} ({where(context, view)})"
