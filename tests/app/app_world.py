"""What the tests of app/ share."""

from collections.abc import Callable

from p2pforum.app.session import Session
from p2pforum.app.unlocking import made_keystore
from p2pforum.app.writing import Done, Writer
from p2pforum.forum.drafts import Kept
from p2pforum.store.posts import open_store

HOUR = 498_765  # 2026-11-24 21:00 UTC
CONFIG = 'network = "test.app"\n'


def write(session: Session, act: Callable[[Writer], Done], draft: Kept | None = None) -> Done:
    with Writer(session, made_keystore(session)[0], draft=draft) as writer:
        return act(writer)


def release(session: Session, *ids: bytes) -> None:
    """As if the network had them by now."""
    with open_store(session.paths.data_dir, session.config.params) as store:
        store.release(list(ids))
