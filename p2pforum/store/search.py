"""From what the user typed to an FTS5 query that can't fail, and an excerpt around the match.

Pure. All words must occur; "several words" in a row, OR, -without, begin*. Everything else that FTS5 would
read as syntax is quoted.
"""

import re
import unicodedata
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.store.words import fold, sought

_PIECE = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
_EXCERPT = 160  # characters
_BEFORE = 50  # of them before the first word found


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase as typed."""

    text: str
    is_prefix: bool
    is_excluded: bool

    def quoted(self) -> str:
        text, is_open = sought(self.text)
        return f'"{text}"' + (" *" if self.is_prefix or is_open else "")


def parse(typed: str) -> list[list[Term]]:
    """Groups that must all match. In a group any of its terms must match (OR), or none if the
    group is excluded.
    """
    groups: list[list[Term]] = []
    joins = False
    for count, match in enumerate(_PIECE.finditer(_printable(typed))):
        if count >= limits.MAX_SEARCH_TERMS:
            break
        if match[0] in ("OR", "AND"):
            joins = match[0] == "OR" and bool(groups)
            continue
        term = _term(match)
        if term is None:
            continue
        if joins and not term.is_excluded and not groups[-1][0].is_excluded:
            groups[-1].append(term)
        else:
            groups.append([term])
        joins = False
    return groups


def fts_query(groups: list[list[Term]], board_token: str = "") -> str:
    """The FTS5 query; empty if it would find nothing, as with excluded words alone."""
    wanted = [" OR ".join(term.quoted() for term in g) for g in groups if not g[0].is_excluded]
    excluded = [group[0].quoted() for group in groups if group[0].is_excluded]
    if not wanted:
        return ""
    query = " AND ".join(f"({group})" for group in wanted)
    if excluded:
        query = f"({query}) NOT ({' OR '.join(excluded)})"
    query = f"{{text}} : ({query})"
    return f"({query}) AND ({{board}} : {board_token})" if board_token else query


def excerpt(text: str, groups: list[list[Term]]) -> str:
    """One line of `text` around the first of the wanted words; its beginning if no word is found as typed."""
    line = " ".join(text.split())
    terms = [term.text for group in groups for term in group if not term.is_excluded]
    folded = _fold(line)
    offsets = [offset for term in terms if (offset := folded.find(_fold(term))) >= 0]
    start = max(0, min(offsets, default=0) - _BEFORE)
    piece = line[start : start + _EXCERPT]
    return ("…" if start else "") + piece + ("…" if start + _EXCERPT < len(line) else "")


def _term(match: re.Match[str]) -> Term | None:
    minus, phrase, word = match.groups()
    text = phrase if phrase is not None else word
    letters = sum(map(_is_letter, fold(text)))
    if not letters:  # FTS5 would find no word in it
        return None
    is_prefix = phrase is None and word.endswith("*") and letters >= limits.MIN_SEARCH_PREFIX
    return Term(text.rstrip("*") if phrase is None else text, is_prefix, bool(minus))


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN" or unicodedata.category(character) == "Co"


def _printable(text: str) -> str:
    """The text without characters that SQLite can't take (lone surrogates) or would stop at (NUL)."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)


def _fold(text: str) -> str:
    """Fold letter by letter, so that positions in the result are positions in `text`."""
    return "".join(_fold_letter(c) for c in text)


def _fold_letter(character: str) -> str:
    folded = unicodedata.normalize("NFD", character)[0].lower()
    return folded if len(folded) == 1 else character
