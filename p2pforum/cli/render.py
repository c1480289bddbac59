"""Foreign text made fit for a terminal: every subject, body, name and reason passes `line` or `lines`.

What a terminal or a reader's eye could mistake for something else is shown as <U+XXXX>. This is about
display only: which text may travel is a rule of the network (core/text.py) and knows no Unicode version.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

MAX_MARKS = 8  # combining marks on one letter; more smear over the lines around
TAB = 4

_PLAIN = re.compile(r"[\x20-\x7e]*")
_HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
# Letters and marks that show nothing: combining joiner, Hangul and Khmer fillers, Mongolian selectors.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0}
_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe0e\ufe0f"  # text or emoji style of the character before
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
    marks = 0
    for i, char in enumerate(text):
        if not _is_mark(char):
            if marks > MAX_MARKS:
                out.append(f"<{marks - MAX_MARKS} marks>")
            marks = 0
            out.append(_show(char, text, i))
            continue
        marks += 1
        if marks <= MAX_MARKS:
            out.append(char if out and out[-1] != " " else "\u25cc" + char)  # not onto what stands before
    if marks > MAX_MARKS:
        out.append(f"<{marks - MAX_MARKS} marks>")
    return "".join(out)


def _show(char: str, text: str, i: int) -> str:
    if char in _JOINERS:
        return char if _may_join(text, i) else _code(char)
    if char in _SELECTORS:
        return char if i and _is_symbol(text[i - 1]) else _code(char)
    return _visible(char)


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
    if char in _JOINERS or char in _SELECTORS or _is_mark(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """The beginning of `text` (cleaned) that fits, with an ellipsis if anything is missing."""
    if width(text) <= columns:
        return text
    return _take(text, columns - 1)[0].rstrip() + "…" if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """Exactly `columns` wide."""
    text = cut(text, columns)
    return text + " " * (columns - width(text))


def wrap(text: str, columns: int) -> list[str]:
    """One cleaned line as lines of at most `columns`; what is quoted or indented stays so."""
    if width(text) <= columns:
        return [text]
    found = _INDENT.match(text)
    indent = found.group() if found and len(found.group()) * 2 < columns else ""
    return [indent + part for part in _wrap(text[len(indent) :], columns - len(indent))]


def _wrap(text: str, columns: int) -> Iterator[str]:
    rest = text
    while width(rest) > columns:
        head, tail = _take(rest, columns)
        if not tail.startswith(" ") and " " in head.strip():
            at = head.rindex(" ")
            head, tail = head[:at], head[at:] + tail
        yield head.rstrip()
        rest = tail.lstrip(" ")
    if rest:
        yield rest


def _take(text: str, columns: int) -> tuple[str, str]:
    """Split so that the head fills at most `columns`; marks stay with their letter."""
    if text.isascii():
        return text[:columns], text[columns:]
    used = 0
    for i, char in enumerate(text):
        used += _char_width(char)
        if used > columns:
            i = max(i, 1)  # a wide letter in one column: go on, rather than for ever
            return text[:i], text[i:]
    return text, ""


def block(text: str, columns: int, prefix: str = "│ ") -> list[str]:
    """A body as printed: every line begins with `prefix`, so that no body can imitate what we print."""
    room = max(columns - width(prefix), 10)
    return [(prefix + part).rstrip() for body in lines(text) for part in wrap(body, room) or [""]]
