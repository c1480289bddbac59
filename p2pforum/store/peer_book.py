"""The address book on disk (peers/book.py): a cache. If the user empties it, the node must search for peers,
and no post is lost.

It holds addresses of nodes, and no row or column that joins one to a post. It is in the store because the
store has the one writer, private files and `secure_delete`.
"""

import secrets
import sqlite3
from collections.abc import Sequence

from p2pforum.store import schema
from p2pforum.store.posts import Store

Row = tuple[str, int, int, int, int, int, int, bytes | None]
"""The columns of `peer`; peers/entry.py says what they mean."""


def load_book(store: Store, *, behind_proxy: bool = False) -> tuple[bytes, list[Row]]:
    """The secret that orders the book (made if there is none), and its rows.

    A book that was made the other way (with a proxy, or without one) is forgotten. An attacker may have told
    an address to this node alone. If the node dialled it the other way, the attacker could join the two ways.
    """
    key, other = schema.BOOK_KEY, schema.PROXY_BOOK_KEY
    if behind_proxy:
        key, other = other, key
    with store.exclusive() as db:
        if db.execute("SELECT 1 FROM meta WHERE name = ?", (other,)).fetchone():
            db.execute("DELETE FROM peer")  # before the key: the next start repairs a crash between them
            db.execute("DELETE FROM meta WHERE name = ?", (other,))
        found = db.execute("SELECT value FROM meta WHERE name = ?", (key,)).fetchone()
        secret = bytes(found[0]) if found else b""
        if len(secret) != 32:
            secret = secrets.token_bytes(32)
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, secret))
        return secret, db.execute("SELECT * FROM peer ORDER BY address").fetchall()


def save_book(store: Store, rows: Sequence[Row], gone: Sequence[str]) -> None:
    """Save, in one transaction, new or changed rows, and delete addresses that left the book."""
    with store.exclusive() as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany("DELETE FROM peer WHERE address = ?", [(address,) for address in gone])
            db.executemany("INSERT OR REPLACE INTO peer VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            db.execute("COMMIT")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    store.copy_log_if_long()
