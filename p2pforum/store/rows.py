"""From stored bytes back to posts, and which text of a post can be searched.

What is stored was checked when it came in; only damage on the disk makes it fail here.
"""

from p2pforum.core.envelope import open_up
from p2pforum.core.post import Post, decode_payload


def reopen(post_id: bytes, raw: bytes) -> Post:
    """The post that was kept as `raw` under `post_id`; not one whose signature can be verified again.

    Raises InvalidPost for bytes that no post is made of.
    """
    author, payload, signature = open_up(raw)
    return Post(raw, post_id, author, decode_payload(payload), b"", signature)


def search_text(post: Post) -> str:
    """What search looks at; empty if there is nothing.

    The search index keeps no text, and is told this same text again when the post goes: a change here needs
    a migration that indexes afresh. So it is all texts of the content, whatever this version knows of them.
    """
    return "\n".join(filter(None, post.texts))


def board_token(board: int) -> str:
    """The word by which search finds the posts of one board."""
    return f"b{board}"
