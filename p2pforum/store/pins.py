"""Pinned threads: neither age nor quota takes them. Whole roots only: a prefix can be ground.

Which threads are pinned says what its owner reads; it never leaves this database (docs/THREATS.md).
"""

from p2pforum.store.posts import Store

NOT_PINNED = "thread NOT IN (SELECT thread.id FROM thread JOIN pin ON pin.root = thread.root)"
"""A condition on rows of `post`."""


def pin(store: Store, root: bytes) -> bool:
    """Whether it was not pinned before. The thread need not be here."""
    return _run(store, "INSERT OR IGNORE INTO pin VALUES (?)", root)


def unpin(store: Store, root: bytes) -> bool:
    """Whether it was pinned. What is too old goes with the next expiry."""
    return _run(store, "DELETE FROM pin WHERE root = ?", root)


def _run(store: Store, statement: str, root: bytes) -> bool:
    with store.exclusive() as db:  # one statement is one transaction
        return db.execute(statement, (root,)).rowcount > 0
