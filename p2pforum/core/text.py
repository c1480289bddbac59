"""Which text may travel: a rule of the network, so it must not depend on a Unicode version."""

import re
import unicodedata

from p2pforum.core import limits

# C0 but newline, DEL, C1, bidi controls (they reorder what a reader sees: CVE-2021-42574),
# and the tag block (invisible text). Lone surrogates can't be encoded and never get here.
_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_UNTYPED = re.compile(f"{_FORBIDDEN.pattern}|\ufeff")  # U+FEFF is the mark that Windows editors put in front
# Besides CR: VT and FF, NEL, and the separators U+2028 and U+2029 that word processors write.
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SMALL = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
_NAME = re.compile(r"[a-z0-9.-]+", re.ASCII)


def is_valid_text(text: str) -> bool:
    if text.isascii():  # the same in half the time: a printable ASCII character is no control
        return text.replace("\n", "").isprintable()
    return _FORBIDDEN.search(text) is None


def is_valid_line(text: str) -> bool:
    """As `is_valid_text`, and on one line: for subjects."""
    return "\n" not in text and is_valid_text(text)


def is_valid_board(name: str) -> bool:
    return len(name) <= limits.MAX_BOARD_NAME and _NAME.fullmatch(name) is not None


def fold_board(name: str) -> str:
    """The one form of a board's name that a user typed: ASCII capitals become small letters. The rest stays,
    so that no letter of another script turns into one of these.
    """
    return name.translate(_SMALL)


def is_valid_network(name: str) -> bool:
    return len(name) <= limits.MAX_NETWORK_NAME and _NAME.fullmatch(name) is not None


def normalize(text: str) -> str:
    """Normalize a typed text before the author's side signs it: NFC, newlines, tabs, no controls, no byte
    order marks.

    All texts go through this one function. So the habits of an editor (CRLF, a mark in front, decomposed
    accents, trailing blanks) do not tell authors apart.
    """
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text)).expandtabs(4)
    text = unicodedata.normalize("NFC", _UNTYPED.sub("", text))  # accents that a control held apart
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
