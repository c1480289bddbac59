"""Posts from JSON Lines: one object a line.

It has a body, and id, reply_to, thread, author, subject and date if they are known. Posts of one `thread`
belong together even without reply_to: such a post answers the first of them. `date` counts if it begins with
a day, as 2015-01-05. Other fields are not read.
"""

import json
import re
from typing import Any

from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize
from p2pforum.forum.importing import ImportedPost, check_count, in_order

_FIELDS = ("id", "reply_to", "thread", "author", "subject", "body", "date")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)([T ].*)?")


def parse_jsonl(text: str) -> list[ImportedPost]:
    """The posts in `text`. Raises Refused with the number of the line."""
    rows: list[tuple[int, dict[str, str]]] = []
    for n, line in enumerate(text.split("\n"), 1):
        if line.strip():
            rows.append((n, _row(n, line)))
            check_count(len(rows))
    if not rows:
        raise Refused("line 1: there are no posts in it")
    by_id: dict[str, int] = {}
    for index, (n, row) in enumerate(rows):
        if row["id"] and by_id.setdefault(row["id"], index) != index:
            raise Refused(f'line {n}: a second post with the id "{row["id"]}"')
    first: dict[str, int] = {}  # of each thread: a post that says no more than its thread answers that one
    posts = []
    for index, (n, row) in enumerate(rows):
        reply_to = _parent(n, row, by_id)
        if reply_to is None and row["thread"]:
            reply_to = first.get(row["thread"])
        first.setdefault(row["thread"], index)
        if reply_to is None and not normalize(row["subject"]).strip():
            raise Refused(f"line {n}: a post that answers no other needs a subject")
        posts.append(ImportedPost(row["subject"], row["body"], row["author"], reply_to, row["date"]))
    ordered = in_order(posts)
    if any(post.reply_to is None and not normalize(post.subject).strip() for post in ordered):
        raise Refused("some posts answer each other in a circle")
    return ordered


def _row(n: int, line: str) -> dict[str, str]:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise Refused(f"line {n}: not JSON: {error}") from error
    except RecursionError:
        raise Refused(f"line {n}: nested too deep") from None
    if type(row) is not dict:
        raise Refused(f"line {n}: not a JSON object")
    found = {}
    for name in _FIELDS:
        value = row.get(name)
        if value is not None and type(value) not in (str, int):
            raise Refused(f'line {n}: "{name}" is not a text')
        found[name] = "" if value is None else str(value)
        if any("\ud800" <= c <= "\udfff" for c in found[name]):
            raise Refused(f'line {n}: "{name}" has half a character (a lone surrogate)')
    if not normalize(found["body"]).strip():
        raise Refused(f'line {n}: "body" is missing or empty')
    day = _DAY.fullmatch(found["date"])
    found["date"] = day[1] if day else ""
    return found


def _parent(n: int, row: dict[str, str], by_id: dict[str, int]) -> int | None:
    if not row["reply_to"]:
        return None
    if row["reply_to"] not in by_id:
        raise Refused(f'line {n}: it answers "{row["reply_to"]}", and no post has that id')
    return by_id[row["reply_to"]]
