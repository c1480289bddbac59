"""Foreign text made fit for a terminal: every subject, body, name and reason passes `line` or `lines`.

app/characters.py says which characters are shown as they are; here is how they fill lines and columns. An
attacker chooses the text, so every function takes time in proportion to its length.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator

from p2pforum.app import characters
from p2pforum.app.characters import line, lines

__all__ = ["MAX_EMPTY", "block", "cut", "line", "lines", "pad", "subject", "width", "wrap"]

MAX_EMPTY = 8  # empty lines in a row shown as such, then their number: a body may have 12,000

_BLANK = " \u3000\u2800"  # the last is a letter in Braille
_LINK = re.compile(r"[(<\[\"']?(?:https?|ftp|gemini|gopher)://[!-~]+")
_INDENT = re.compile(r"(?:[ \t]|> ?){1,16}")


def subject(text: str) -> str:
    """The subject of a thread; an empty one means that its first post is not here."""
    return line(text) or "(first post not here yet)"


def width(text: str) -> int:
    """Columns that `text` (cleaned) takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


@functools.lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    if char in characters.WEIGHTLESS or characters.is_mark(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """The beginning of `text` (cleaned) that fits, with an ellipsis if something is cut off."""
    if _reach(text, 0, columns) == len(text):
        return text
    return text[: _reach(text, 0, columns - 1)].rstrip() + "…" if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """Exactly `columns` wide."""
    text = cut(text, columns)
    return text + " " * (columns - width(text))


def wrap(text: str, columns: int) -> list[str]:
    """One cleaned line as lines of at most `columns`; quoted or indented text stays so.

    At least one. A letter wider than `columns` has a line of its own. So has a link that is longer: broken
    in two, nobody could follow or copy it. The terminal goes on with it below the margin, but it has no
    blanks, so it imitates nothing of ours.
    """
    if _reach(text, 0, columns) == len(text):
        return [text]
    found = _INDENT.match(text)
    indent = found.group() if found and len(found.group()) * 2 < columns else ""
    return [indent + part for part in _wrap(text, len(indent), columns - len(indent))] or [""]


def _wrap(text: str, start: int, columns: int) -> Iterator[str]:
    """No character is measured more than twice. The second time is after the line that it did
    not fit into.
    """
    while start < len(text):
        link = _LINK.match(text, start)
        end = max(_reach(text, start, columns), link.end() if link else 0)
        if end == start:  # a wide letter in one column: without this, no end
            end = _reach(text, start + 1, 0)
        if end < len(text) and text[end] != " ":
            blank = text.rfind(" ", start, end)
            if blank > start and not text[start:blank].isspace():
                end = blank
        yield text[start:end].rstrip()
        start = end
        while start < len(text) and text[start] == " ":
            start += 1


def _reach(text: str, start: int, columns: int) -> int:
    """The position where the text from `start` has filled `columns`; marks stay with their letter."""
    if text.isascii():
        return min(len(text), start + max(columns, 0))
    used = 0
    for i in range(start, len(text)):
        used += _char_width(text[i])
        if used > columns:
            return i
    return len(text)


def block(text: str, columns: int, prefix: str = "│ ") -> list[str]:
    """A body as printed. Every line begins with `prefix`, so that an attacker's body can't
    imitate our own output.
    """
    room = max(columns - width(prefix), 10)
    return [(prefix + part).rstrip() for body in _without_gaps(lines(text)) for part in wrap(body, room)]


def _without_gaps(bodies: list[str]) -> Iterator[str]:
    for is_empty, group in itertools.groupby(bodies, key=lambda body: not body.strip(_BLANK)):
        run = list(group)
        many = len(run) - MAX_EMPTY if is_empty else 0
        yield from run if many <= 0 else [*run[:MAX_EMPTY], f"<{many} empty lines>"]
