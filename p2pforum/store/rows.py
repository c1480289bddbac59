"""From stored bytes back to posts, and which text of a post can be searched.

Posts were checked when they came in, so only damage on the disk makes this fail.
"""

import sqlite3

from p2pforum.core.envelope import open_up
from p2pforum.core.errors import InvalidPost
from p2pforum.core.post import Post, decode_payload
from p2pforum.store.words import indexed


def reopen(post_id: bytes, raw: bytes) -> Post:
    """The post that was kept as `raw` under `post_id`. Its signature can't be verified again.

    Raises InvalidPost if the bytes are no post.
    """
    author, payload, signature = open_up(raw)
    return Post(raw, post_id, author, decode_payload(payload), b"", signature)


def search_text(post: Post) -> str:
    """The text of a post that search looks at: all texts of its content, whatever this version
    understands of them. Empty if there is none.
    """
    return "\n".join(filter(None, post.texts))


def indexed_text(post: Post) -> str:
    """The same text as the search index is given it.

    The index keeps no text, and must be given this same text again when the post is removed. So a change
    here needs a migration that indexes afresh.
    """
    return indexed(search_text(post))


def add_functions(db: sqlite3.Connection) -> None:
    """Give `db` the function that migrations call: indexed_text(ID, bytes). Empty for a damaged post."""

    def indexed_text_of(post_id: bytes, raw: bytes) -> str:
        try:
            return indexed_text(reopen(post_id, raw))
        except InvalidPost:
            return ""

    db.create_function("indexed_text", 2, indexed_text_of, deterministic=True)


def board_token(board: int) -> str:
    """The word by which search finds the posts of one board."""
    return f"b{board}"
