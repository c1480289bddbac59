"""Words of the search index with the same stem: whoever searches for "readers" finds "reader", too.

By Porter's rules for English, as SQLite has them. The stems are looked up at each search, and the index keeps
words as they were written. So a phrase and a beginning find exactly what was typed.
"""

import sqlite3
from contextlib import closing

from p2pforum.core import limits

_SHORTEST = 3  # letters of a word that Porter's rules change
_LEAST = 2  # letters that its relatives begin with


def same_stem(db: sqlite3.Connection, word: str) -> list[str]:
    """Words of the index that have the stem of `word`, the shortest first. Empty for what is not English.

    An attacker can flood the index with words that begin like this one and so hide its relatives. The word
    itself is searched for in any case.
    """
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return []
    with closing(sqlite3.connect(":memory:")) as porter:
        porter.execute("CREATE VIRTUAL TABLE word USING fts5(text, tokenize='porter ascii')")
        porter.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(word, row)")
        porter.execute("INSERT INTO word VALUES (?)", (word,))
        (stem,) = porter.execute("SELECT term FROM stem").fetchone()
        begin = stem[: max(_LEAST, len(stem) - 1)]  # Porter may change the last letter: batteri, battery
        near = db.execute(
            "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?",
            (begin, begin + "\x7f", limits.SEARCH_WORDS_COMPARED),
        )
        porter.executemany("INSERT INTO word VALUES (?)", near)
        found = porter.execute(
            "SELECT DISTINCT text FROM word WHERE word MATCH ? AND text != ? ORDER BY length(text) LIMIT ?",
            (f'"{word}"', word.lower(), limits.MAX_SEARCH_RELATIVES),
        )
        return [text for (text,) in found]
