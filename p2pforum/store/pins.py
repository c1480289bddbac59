"""Pinned threads: neither age nor quota removes them. Whole roots only: an attacker can make a root whose ID
has a given prefix.

The pins show what the user reads, so they never leave this database (docs/THREATS.md).
"""

from p2pforum.store.posts import Store

NOT_PINNED = "thread NOT IN (SELECT thread.id FROM thread JOIN pin ON pin.root = thread.root)"
"""A condition on rows of `post`."""


def pin(store: Store, root: bytes) -> bool:
    """Pin a thread; False if it was pinned already. The thread need not be here."""
    return _run(store, "INSERT OR IGNORE INTO pin VALUES (?)", root)


def unpin(store: Store, root: bytes) -> bool:
    """Unpin a thread; False if it was not pinned. Its posts that are too old go with the next expiry."""
    return _run(store, "DELETE FROM pin WHERE root = ?", root)


def _run(store: Store, statement: str, root: bytes) -> bool:
    with store.exclusive() as db:  # one statement is one transaction
        return db.execute(statement, (root,)).rowcount > 0
