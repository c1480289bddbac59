"""From stored bytes back to posts, and which text of a post can be searched.

Posts were checked when they came in, so only damage on the disk makes this fail.
"""

from p2pforum.core.envelope import open_up
from p2pforum.core.post import Post, decode_payload


def reopen(post_id: bytes, raw: bytes) -> Post:
    """The post that was kept as `raw` under `post_id`. Its signature can't be verified again.

    Raises InvalidPost if the bytes are no post.
    """
    author, payload, signature = open_up(raw)
    return Post(raw, post_id, author, decode_payload(payload), b"", signature)


def search_text(post: Post) -> str:
    """The text of a post that search looks at; empty if there is none.

    The search index keeps no text, and must be given this same text again when the post is removed. So a
    change here needs a migration that indexes afresh. That is why it is all texts of the content, whatever
    this version understands of them.
    """
    return "\n".join(filter(None, post.texts))


def board_token(board: int) -> str:
    """The word by which search finds the posts of one board."""
    return f"b{board}"
