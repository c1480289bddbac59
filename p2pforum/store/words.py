"""The words that the search index has of a text: of a post, and of what somebody searches for.

SQLite's tokenizer then cuts wherever there is no letter, mark or number, and folds capitals. Before that,
letters with several forms get one (a wide A is an A), accents and vowel points are removed, and in scripts
without spaces between words each letter makes a word with the next letter.

A post that is removed must give the same words as when it came, or some of them stay in the index. So nothing
here may change with the version of Python. The character data are those of Unicode 3.2, which Python keeps
unchanged.
"""

import re
import unicodedata
from functools import lru_cache

_normalize = unicodedata.ucd_3_2_0.normalize
_MARKS = re.compile(
    "[\u0300-\u036f\u20d0-\u20f0"  # accents
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"  # Arabic ones
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"  # which of its forms a character has
)
_LETTERS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf"  # Thai, Lao
    "\u1000-\u103f\u1050-\u108f\u1780-\u17b3\u17b6-\u17d3"  # Burmese, Khmer
    "\u1100-\u11ff\uac00-\ud7a3"  # Korean: its words are written together with what follows them
    "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # Chinese
)
_RUN = re.compile(f"[{_LETTERS}]+")
_LAST_RUN = re.compile(rf"([{_LETTERS}]+)\W*\Z")
_APART = re.compile("[\u3041-\u30ff][\u3099\u309a]|[\u1100-\u11ff]+")  # of one letter, written one by one
_FOLDS = 8_192  # characters whose form is remembered, of whatever strangers write


def indexed(text: str) -> str:
    """What SQLite is given of the text of a post."""
    return text if text.isascii() else _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", fold(text))


def sought(text: str) -> tuple[str, bool]:
    """The words to ask SQLite for to find `text`; True if the last one is only a beginning.

    In a script without spaces, `text` is found inside a longer run of letters, too.
    """
    folded = fold(text)
    end = _LAST_RUN.search(folded)
    if end is None:
        return indexed(text), False
    pairs = _pairs(end[1])
    head = indexed(folded[: end.start()])
    return f"{head} {' '.join(pairs[:-1] or pairs)}".lstrip(), len(pairs) == 1


def fold(text: str) -> str:
    """`text` with one form for each letter, without accents. SQLite folds capitals."""
    if text.isascii():
        return text
    # Letter by letter: a whole text at once would take the square of the time for long rows of marks.
    return _APART.sub(lambda letter: _normalize("NFC", letter[0]), "".join(map(_fold_letter, text)))


def _pairs(run: str) -> list[str]:
    """Each letter with the next, and the last one alone."""
    return [run[n : n + 2] for n in range(len(run))]


@lru_cache(_FOLDS)
def _fold_letter(character: str) -> str:
    if character in "ßẞ":
        return "ss"
    return _normalize("NFC", _MARKS.sub("", _normalize("NFKD", character)))
