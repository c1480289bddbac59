"""From what the user typed to an FTS5 query that can't fail, and an excerpt around the match.

Pure. All words must occur; "several words" in a row, OR, -without, begin*. Everything else that FTS5 would
read as syntax is quoted.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from p2pforum.core import limits
from p2pforum.core.errors import InvalidQuery
from p2pforum.store.words import fold, sought

_PIECE = re.compile(r'(-?)(?:"([^"]*)("?)(\*?)|([^\s"]+))')
_TAIL = re.compile(r"[^\W\d_]+\Z")  # the last word of "e-readers", whose stem counts
_EXCERPT = 160  # characters
_BEFORE = 50  # of them before the first word found


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase as typed; `relatives` are the same with other endings."""

    text: str
    is_prefix: bool
    is_excluded: bool
    is_phrase: bool
    relatives: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text, *self.relatives)

    def query(self) -> str:
        """As FTS5 is asked for it."""
        return " OR ".join(map(self._quoted, self.texts))

    def _quoted(self, text: str) -> str:
        words, is_open = sought(text)
        return f'"{words}"' + (" *" if self.is_prefix or is_open else "")

    def widened(self, same_stem: Callable[[str], list[str]]) -> "Term":
        """With relatives, unless the user said exactly which letters there must be."""
        tail = None if self.is_phrase or self.is_prefix else _TAIL.search(fold(self.text))
        if tail is None:
            return self
        head = fold(self.text)[: tail.start()]
        return replace(self, relatives=tuple(head + word for word in same_stem(tail[0])))


def parse(typed: str) -> list[list[Term]]:
    """Groups that must all match. In a group any of its terms must match (OR), or none if the
    group is excluded.

    Raises InvalidQuery for what would find nothing, or something else than was meant.
    """
    pieces = list(_PIECE.finditer(_printable(typed)))
    if len(pieces) > limits.MAX_SEARCH_TERMS:
        raise InvalidQuery(f"a search can have at most {limits.MAX_SEARCH_TERMS} words")
    groups: list[list[Term]] = []
    join = ""  # "OR" or "AND", if that was the last piece
    for piece in pieces:
        if piece[0] in ("OR", "AND"):
            _check_join(not join and bool(groups), piece[0])
            join = piece[0]
            continue
        term = _term(piece)
        if term is None:
            continue
        if join == "OR":
            _check_join(not term.is_excluded and not groups[-1][0].is_excluded, join)
            groups[-1].append(term)
        else:
            groups.append([term])
        join = ""
    _check_join(not join, join)
    _check_wanted(groups)
    return groups


def widen(groups: list[list[Term]], same_stem: Callable[[str], list[str]]) -> list[list[Term]]:
    """The same with words of the same stem."""
    return [[term.widened(same_stem) for term in group] for group in groups]


def fts_query(groups: list[list[Term]], board_token: str = "") -> str:
    """The FTS5 query for parsed groups; `board_token` is empty for all boards."""
    wanted = [" OR ".join(term.query() for term in g) for g in groups if not g[0].is_excluded]
    excluded = [group[0].query() for group in groups if group[0].is_excluded]
    query = " AND ".join(f"({group})" for group in wanted)
    if excluded:
        query = f"({query}) NOT ({' OR '.join(excluded)})"
    query = f"{{text}} : ({query})"
    return f'({query}) AND ({{board}} : "{board_token}")' if board_token else query


def excerpt(text: str, groups: list[list[Term]]) -> str:
    """One line of `text` around the first of the wanted words; its beginning if no word is found as typed."""
    line = " ".join(text.split())
    terms = [text for group in groups for term in group if not term.is_excluded for text in term.texts]
    folded = _fold(line)
    offsets = [offset for term in terms if (offset := folded.find(_fold(term))) >= 0]
    start = max(0, min(offsets, default=0) - _BEFORE)
    piece = line[start : start + _EXCERPT]
    return ("…" if start else "") + piece + ("…" if start + _EXCERPT < len(line) else "")


def _check_join(is_well: bool, word: str) -> None:
    if not is_well:
        raise InvalidQuery(
            f'"{word}" must stand between two words that are searched for; '
            f'to search for it, write "{word.lower()}"'
        )


def _check_wanted(groups: list[list[Term]]) -> None:
    if not groups:
        raise InvalidQuery("there is no letter or digit to search for")
    if all(group[0].is_excluded for group in groups):
        raise InvalidQuery("all words are to be left out; add one that the posts must have")


def _term(piece: re.Match[str]) -> Term | None:
    """None for punctuation that stands alone."""
    minus, phrase, closing, star, word = piece.groups()
    if phrase is not None and not closing:
        raise InvalidQuery("a quotation mark is not closed")
    if piece[0] == "NOT":
        raise InvalidQuery('write "-" before a word to leave it out; to search for "NOT", write "not"')
    if piece[0] in ("*", "-", "-*"):
        raise InvalidQuery('"*" belongs at the end of a word, and "-" before it, without a space')
    text = word.rstrip("*") if phrase is None else phrase
    if not any(map(_is_letter, text)):  # FTS5 would find no word in it
        return None
    is_prefix = bool(star) if phrase is not None else word.endswith("*")
    return Term(text, is_prefix, bool(minus), phrase is not None)


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
