"""Text kept for later. Drafts live in the keystore only, any number of them for one destination.

No draft is written over but by the text that began as that draft.
"""

import secrets
from dataclasses import dataclass

from p2pforum.core.errors import Ambiguous, NotFound
from p2pforum.core.post import Payload
from p2pforum.core.post_id import format_id, parse_id, short_id
from p2pforum.core.text import normalize
from p2pforum.keystore.contents import Contents, Draft


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it was when it was read or written. Meanwhile another process may have changed it."""

    id: str
    draft: Draft


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


def keep(box: Contents, draft: Draft, begun: Kept | None = None) -> Kept:
    """Keep a text: in place of the draft `begun`, if that is still what it was; as the draft
    that has this text already; or as a new one.
    """
    if begun is not None and box.drafts.get(begun.id) == begun.draft:
        box.drafts[begun.id] = draft
        return Kept(begun.id, draft)
    same = [i for i, d in box.drafts.items() if d.destination == draft.destination and _same_text(d, draft)]
    draft_id = same[0] if same else _new_id(box)
    return Kept(draft_id, box.drafts.setdefault(draft_id, draft))


def has_text(box: Contents, draft: Draft) -> bool:
    """Whether a draft has this text, for whatever destination."""
    return any(_same_text(other, draft) for other in box.drafts.values())


def for_destination(box: Contents, destination: str) -> list[Kept]:
    return [Kept(i, draft) for i, draft in listed(box) if draft.destination == destination]


def listed(box: Contents) -> list[tuple[str, Draft]]:
    """The last changed first."""
    return sorted(box.drafts.items(), key=lambda item: (-item[1].hour, item[0]))


def find(box: Contents, prefix: str) -> Kept:
    """The draft whose ID begins so. Raises NotFound and Ambiguous."""
    found = [i for i in box.drafts if prefix and i.startswith(prefix.lower())]
    if not found:
        raise NotFound(f'no draft has an ID that begins with "{prefix}"')
    if len(found) > 1:
        raise Ambiguous(f'"{prefix}" may be several drafts', found)
    return Kept(found[0], box.drafts[found[0]])


def drop(box: Contents, kept: Kept) -> bool:
    """Drop a draft if it is still what it was. True if it was."""
    is_there = box.drafts.get(kept.id) == kept.draft
    if is_there:
        del box.drafts[kept.id]
    return is_there


def _new_id(box: Contents) -> str:
    """Random, and so no command line tells anything of the text."""
    while (draft_id := short_id(secrets.token_bytes(32))) in box.drafts:
        pass
    return draft_id


def _same_text(one: Draft, other: Draft) -> bool:
    """Whether they would be signed as one text."""
    return normalize(one.subject) == normalize(other.subject) and normalize(one.body) == normalize(other.body)
