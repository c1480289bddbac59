"""Text kept for later: one draft for each destination. Drafts live in the keystore only."""

from p2pforum.core.post import Payload
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.keystore.contents import Contents, Draft


def board_destination(board: str) -> str:
    """A new thread on a board."""
    return f"board {board}"


def reply_destination(post_id: bytes) -> str:
    """A reply to this post."""
    return f"reply {format_id(post_id)}"


def edit_destination(post_id: bytes) -> str:
    """A new text for a post of mine."""
    return f"edit {format_id(post_id)}"


def destination_of(payload: Payload, target: bytes) -> str:
    """Where the text of a post was to go, so that a refused post becomes a draft again."""
    if target:
        return edit_destination(target)
    return reply_destination(payload.parents[0]) if payload.parents else board_destination(payload.board)


def post_of(destination: str) -> bytes:
    """The post that a draft answers or edits; empty for a new thread's draft, or one that can't be read."""
    kind, _, where = destination.partition(" ")
    try:
        return parse_id(where) if kind in ("reply", "edit") else b""
    except ValueError:
        return b""


def save(box: Contents, destination: str, draft: Draft) -> None:
    box.drafts[destination] = draft


def drop(box: Contents, destination: str) -> bool:
    """True if there was one."""
    return box.drafts.pop(destination, None) is not None
