"""The ID that the user means when typing its beginning."""

import sqlite3

from p2pforum.core.errors import Ambiguous, InvalidPost, NotFound
from p2pforum.core.post_id import parse_prefix, short_id
from p2pforum.store.rows import reopen, search_text

_MOST_CANDIDATES = 10
_TITLE = 60  # characters


def resolve(db: sqlite3.Connection, typed: str) -> bytes:
    """See `Reader.resolve`. Raises NotFound, or Ambiguous with the candidates."""
    try:
        low, high = parse_prefix(typed)
    except ValueError as error:
        raise NotFound(str(error)) from error
    query = "SELECT id, raw FROM post WHERE id BETWEEN ? AND ? AND raw IS NOT NULL ORDER BY id LIMIT ?"
    found: list[tuple[bytes, bytes | None]] = db.execute(query, (low, high, _MOST_CANDIDATES + 1)).fetchall()
    if not found:
        query = "SELECT DISTINCT root, NULL FROM thread WHERE root BETWEEN ? AND ? AND posts LIMIT ?"
        found = db.execute(query, (low, high, _MOST_CANDIDATES + 1)).fetchall()
    if not found:
        raise NotFound(f'nothing here has an ID that begins with "{typed.strip()}"')
    if len(found) > 1:
        candidates = [f"{short_id(post_id)}  {_title(post_id, raw)}" for post_id, raw in found]
        raise Ambiguous(f'several IDs begin with "{typed.strip()}"', candidates[:_MOST_CANDIDATES])
    return found[0][0]


def _title(post_id: bytes, raw: bytes | None) -> str:
    """A few words by which the user can tell one post from another."""
    try:
        text = search_text(reopen(post_id, raw)) if raw else "a thread whose first post is not here"
    except InvalidPost:
        text = ""
    line = " ".join(text.split())
    return line[:_TITLE] + ("…" if len(line) > _TITLE else "")
