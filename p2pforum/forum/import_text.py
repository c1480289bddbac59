"""The text of a web page with comments, as the user copies it, as posts.

    Title
    The first post ...
    Comments
    The first words of
    The first words of this comment, which the page cut off above ...

A page says in which order its comments came, and not whom each answers: here each answers the first post,
and importing.py keeps the order. Not for pages of any kind: it says where a text does not look like this.
"""

import itertools
import re
from collections.abc import Sequence

from p2pforum.core import text as rules
from p2pforum.core.errors import Refused
from p2pforum.forum.importing import ImportedPost, check_count

_HEADING = re.compile(r"(\d+ )?comments?( ?\(\d+\))?:?", re.IGNORECASE)
_FURNITURE = re.compile(r"\w[\w ]{0,40}:")  # a label of the page that had nothing behind it
_LONGEST_TITLE = 80  # characters


def parse_text(text: str, authors: Sequence[str] = ()) -> list[ImportedPost]:
    """The first post and its comments. `authors` are labels in that order; without them each
    post has its own author.

    Raises Refused with the number of the line.
    """
    lines = [line.strip() for line in rules.normalize(text).split("\n")]
    # normalize() drops blank lines at the start, but line numbers must be those of the file.
    skipped = _blank_lines_before(text)
    if not any(lines):
        raise Refused("line 1: the text is empty")
    heading = next((i for i in range(1, len(lines)) if _HEADING.fullmatch(lines[i])), len(lines))
    body = _first_post(lines[1:heading])
    if not body:
        raise Refused(f"line {skipped + 2}: there is no text between the title and the comments")
    bodies = [body, *_comments(lines, heading + 1, skipped)]
    check_count(len(bodies))
    if authors and len(authors) != len(bodies):
        raise Refused(f"{len(authors)} authors are named, and there are {len(bodies)} posts")
    labels = authors or [""] * len(bodies)
    return [
        ImportedPost(lines[0] if i == 0 else "", body, label, 0 if i else None)
        for i, (body, label) in enumerate(zip(bodies, labels, strict=True))
    ]


def _blank_lines_before(text: str) -> int:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return next((i for i, line in enumerate(lines) if rules.normalize(line)), 0)


def _first_post(lines: Sequence[str]) -> str:
    kept = list(lines)
    while kept and (not kept[-1] or _FURNITURE.fullmatch(kept[-1])):
        kept.pop()
    return "\n".join(kept).strip()


def _comments(lines: Sequence[str], start: int, skipped: int) -> list[str]:
    starts: list[int] = []
    for i in range(start, len(lines) - 1):
        if _is_title(lines[i], lines[i + 1]) and (not starts or starts[-1] != i - 1):
            starts.append(i)
    first = next((i for i in range(start, len(lines)) if lines[i]), None)
    if first is not None and first not in starts:
        raise Refused(
            f"line {skipped + first + 1}: a comment begins with its first words on a line of their own, "
            "and the next line begins with the same words"
        )
    edges = itertools.pairwise([*starts, len(lines)])
    return ["\n".join(lines[i + 1 : end]).strip() for i, end in edges]


def _is_title(line: str, following: str) -> bool:
    """Whether `line` is the beginning of the next one, cut off after a word."""
    if not line or len(line) > _LONGEST_TITLE or not following.startswith(line):
        return False
    rest = following[len(line) :]
    return not rest or not (rest[0].isalnum() and line[-1].isalnum())
