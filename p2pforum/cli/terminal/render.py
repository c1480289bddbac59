"""Foreign text made fit for a terminal: every subject, body, name and reason passes `line` or `lines`.

What a terminal or a reader's eye could mistake for something else is shown as <U+XXXX>. This is about
display only: which text may travel is a rule of the network (core/text.py) and knows no Unicode version.

An attacker chooses the text. So every function here takes time in proportion to its length, and what is
shown of a post stays within a few times its bytes: runs of what shows nothing are counted, not written out.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator

MAX_MARKS = 8  # marks, joiners and selectors on one letter; more smear over the lines around
MAX_HIDDEN = 8  # hidden characters in a row shown as <U+XXXX>, which makes eight of one; then their number
MAX_EMPTY = 8  # empty lines in a row shown as such, then their number: a body may have 12,000
TAB = 4

_PLAIN = re.compile(r"[\x20-\x7e]*")
_HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
# Letters and marks that show nothing: combining joiner, Hangul and Khmer fillers, Mongolian selectors.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0}
_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe0e\ufe0f"  # text or emoji style of the character before
_WEIGHTLESS = _JOINERS + _SELECTORS
_BLANK = " \u3000\u2800"  # the last is a letter in Braille
_INDENT = re.compile(r"(?:[ \t]|> ?){1,16}")


def line(text: str) -> str:
    """`text` on one line."""
    return _clean(text.replace("\n", " ")) if not _PLAIN.fullmatch(text) else text


def subject(text: str) -> str:
    """The subject of a thread; an empty one means that its first post is not here."""
    return line(text) or "(first post not here yet)"


def lines(text: str) -> list[str]:
    """`text` line by line; empty lines stay."""
    return [line(part.expandtabs(TAB)) for part in text.split("\n")]


def _clean(text: str) -> str:
    out: list[str] = []
    marks = hidden = 0  # in a row, up to here
    for i, char in enumerate(text):
        shown = _show(char, text, i)
        if shown is None:
            marks += 1
            if marks <= MAX_MARKS:
                is_alone = char not in _WEIGHTLESS and (not out or out[-1] == " ")
                out.append("\u25cc" + char if is_alone else char)  # not onto what stands before
            continue
        is_hidden = shown not in (char, " ")
        _say_left_out(out, marks, MAX_MARKS, "marks")
        if not is_hidden:
            _say_left_out(out, hidden, MAX_HIDDEN, "hidden characters")
        marks, hidden = 0, hidden + 1 if is_hidden else 0
        if hidden <= MAX_HIDDEN:
            out.append(shown)
    _say_left_out(out, marks, MAX_MARKS, "marks")
    _say_left_out(out, hidden, MAX_HIDDEN, "hidden characters")
    return "".join(out)


def _say_left_out(out: list[str], number: int, most: int, what: str) -> None:
    if number > most:
        out.append(f"<{number - most} {what}>")


def _show(char: str, text: str, i: int) -> str | None:
    """What is shown for a character; None for a mark, or what else takes no column and may stand there."""
    if char in _JOINERS:
        return None if _may_join(text, i) else _code(char)
    if char in _SELECTORS:
        return None if i and _is_symbol(text[i - 1]) else _code(char)
    return None if _is_mark(char) else _visible(char)


@functools.lru_cache(maxsize=4096)
def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in _HIDDEN or ord(char) in _INVISIBLE or 0xE0100 <= ord(char) <= 0xE01EF:
        return _code(char)
    return " " if category == "Zs" and char != "\u3000" else char


def _code(char: str) -> str:
    return f"<U+{ord(char):04X}>"


@functools.lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Me")
        and char not in _SELECTORS
        and ord(char) not in _INVISIBLE
        and not 0xE0100 <= ord(char) <= 0xE01EF
    )


def _may_join(text: str, i: int) -> bool:
    """Between emoji, or inside a word of a script that is written joined."""
    before, after = text[i - 1 : i], text[i + 1 : i + 2]
    if not before or not after:
        return False
    if text[i] == "\u200d" and (_is_symbol(before) or before in _SELECTORS):
        return _is_symbol(after)
    return _is_joined_script(before) and _is_joined_script(after)


def _is_symbol(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sk") or char in "#*0123456789"


def _is_joined_script(char: str) -> bool:
    """Arabic to Sinhala, Khmer, Mongolian."""
    code = ord(char)
    return 0x0600 <= code <= 0x0DFF or 0x1780 <= code <= 0x18AA


def width(text: str) -> int:
    """Columns that `text` (cleaned) takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


@functools.lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    if char in _WEIGHTLESS or _is_mark(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """The beginning of `text` (cleaned) that fits, with an ellipsis if anything is missing."""
    if _reach(text, 0, columns) == len(text):
        return text
    return text[: _reach(text, 0, columns - 1)].rstrip() + "…" if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """Exactly `columns` wide."""
    text = cut(text, columns)
    return text + " " * (columns - width(text))


def wrap(text: str, columns: int) -> list[str]:
    """One cleaned line as lines of at most `columns`; what is quoted or indented stays so.

    At least one. A letter wider than `columns` has a line of its own.
    """
    if _reach(text, 0, columns) == len(text):
        return [text]
    found = _INDENT.match(text)
    indent = found.group() if found and len(found.group()) * 2 < columns else ""
    return [indent + part for part in _wrap(text, len(indent), columns - len(indent))] or [""]


def _wrap(text: str, start: int, columns: int) -> Iterator[str]:
    """No character is measured more than twice: once with the line that it did not fit into."""
    while start < len(text):
        end = _reach(text, start, columns)
        if end == start:  # a wide letter in one column: go on, rather than for ever
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
    """Where what begins at `start` has filled `columns`; marks stay with their letter."""
    if text.isascii():
        return min(len(text), start + max(columns, 0))
    used = 0
    for i in range(start, len(text)):
        used += _char_width(text[i])
        if used > columns:
            return i
    return len(text)


def block(text: str, columns: int, prefix: str = "│ ") -> list[str]:
    """A body as printed: every line begins with `prefix`, so that no body can imitate what we print."""
    room = max(columns - width(prefix), 10)
    return [(prefix + part).rstrip() for body in _without_gaps(lines(text)) for part in wrap(body, room)]


def _without_gaps(bodies: list[str]) -> Iterator[str]:
    for is_empty, group in itertools.groupby(bodies, key=lambda body: not body.strip(_BLANK)):
        run = list(group)
        many = len(run) - MAX_EMPTY if is_empty else 0
        yield from run if many <= 0 else [*run[:MAX_EMPTY], f"<{many} empty lines>"]
