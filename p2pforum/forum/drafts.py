"""Text kept for later: one draft for each place it can go to. Drafts live in the keystore only."""

from p2pforum.core.post import Payload
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.keystore.contents import Contents, Draft


def board_place(board: str) -> str:
    """A new thread on a board."""
    return f"board {board}"


def reply_place(post_id: bytes) -> str:
    """A reply to this post."""
    return f"reply {format_id(post_id)}"


def edit_place(post_id: bytes) -> str:
    """A new text for a post of mine."""
    return f"edit {format_id(post_id)}"


def place_of(payload: Payload, target: bytes) -> str:
    """Where the text of a post was to go: so a refused post becomes a draft again."""
    if target:
        return edit_place(target)
    return reply_place(payload.parents[0]) if payload.parents else board_place(payload.board)


def post_of(place: str) -> bytes:
    """The post that a draft answers or edits; empty for a new thread's, or a place that means nothing."""
    kind, _, where = place.partition(" ")
    try:
        return parse_id(where) if kind in ("reply", "edit") else b""
    except ValueError:
        return b""


def save(box: Contents, place: str, draft: Draft) -> None:
    box.drafts[place] = draft


def drop(box: Contents, place: str) -> bool:
    """True if there was one."""
    return box.drafts.pop(place, None) is not None
