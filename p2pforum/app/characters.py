"""Which characters of foreign text may be shown as they are: the rule for every front end.

A character that a terminal or a reader's eye could mistake for something else is shown as
<U+XXXX>. Three kinds that honest texts carry unseen are left out, where those have them, and nowhere else.
This is about display only: which text may travel is a rule of the network (core/text.py) and knows no Unicode
version. Other front ends must also escape the characters with a meaning there: a web page must escape `<` and
`&`.

An attacker chooses the text. So every function here takes time in proportion to its length, and what is shown
of a post stays within a few times its bytes: runs of invisible characters are counted, not written out.
"""

import functools
import re
import unicodedata

MAX_MARKS = 8  # marks, joiners and selectors on one letter; more would cover the lines around
MAX_HIDDEN = 8  # hidden characters in a row shown as <U+XXXX>, which makes eight of one; then their number
TAB = 4

_PLAIN = re.compile(r"[\x20-\x7e]*")
_HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
# Letters and marks that are invisible: combining joiner, Hangul and Khmer fillers, Mongolian selectors.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0}
_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe0e\ufe0f"  # text or emoji style of the character before
WEIGHTLESS = _JOINERS + _SELECTORS
_HYPHEN, _BYTE_ORDER = "\u00ad", "\ufeff"
_DIRECTIONS = "\u200e\u200f\u061c"  # marks that order what is beside them, and nothing else


def line(text: str) -> str:
    """`text` on one line."""
    return _clean(text.replace("\n", " ")) if not _PLAIN.fullmatch(text) else text


def lines(text: str) -> list[str]:
    """`text` line by line; empty lines stay."""
    return [line(part.expandtabs(TAB)) for part in text.split("\n")]


def _clean(text: str) -> str:
    out: list[str] = []
    marks = hidden = 0  # in a row, up to here
    for i, char in enumerate(text):
        shown = _show(char, text, i)
        if shown == "":
            continue
        if shown is None:
            marks += 1
            if marks <= MAX_MARKS:
                is_alone = char not in WEIGHTLESS and (not out or out[-1] == " ")
                out.append("\u25cc" + char if is_alone else char)  # so it joins no other text
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
    """What is shown for a character: nothing if it is left out. None for a mark, and for other characters
    that take no column and are allowed at this position.
    """
    if _is_honest(char, text, i):
        return ""
    if char in _JOINERS:
        return None if _may_join(text, i) else _code(char)
    if char in _SELECTORS:
        return None if i and _is_symbol(text[i - 1]) else _code(char)
    return None if is_mark(char) else _visible(char)


@functools.lru_cache(maxsize=4096)
def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in _HIDDEN or ord(char) in _INVISIBLE or 0xE0100 <= ord(char) <= 0xE01EF:
        return _code(char)
    return " " if category == "Zs" and char != "\u3000" else char


def _code(char: str) -> str:
    return f"<U+{ord(char):04X}>"


@functools.lru_cache(maxsize=4096)
def is_mark(char: str) -> bool:
    """Whether it combines with the letter before it."""
    return (
        unicodedata.category(char) in ("Mn", "Me")
        and char not in _SELECTORS
        and ord(char) not in _INVISIBLE
        and not 0xE0100 <= ord(char) <= 0xE01EF
    )


def _is_honest(char: str, text: str, i: int) -> bool:
    """Whether texts from web pages and word processors carry it here, unseen and without harm: a soft hyphen
    inside a word, a byte order mark at the beginning, or a lone mark of direction.
    """
    if char == _BYTE_ORDER:
        return i == 0
    before, after = text[i - 1 : i] if i else "", text[i + 1 : i + 2]
    if char == _HYPHEN:
        return all(side and (side.isalpha() or is_mark(side)) for side in (before, after))
    return char in _DIRECTIONS and not any(
        side and _visible(side) not in (side, " ") for side in (before, after)
    )


def _may_join(text: str, i: int) -> bool:
    """Whether a joiner is allowed: between emoji, or inside a word of a script that is written joined."""
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
