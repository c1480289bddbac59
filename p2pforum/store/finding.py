"""Which rows a search finds in the database, and how many. What the user typed is read in search.py."""

import sqlite3

from p2pforum.store import search
from p2pforum.store.rows import board_token
from p2pforum.store.stems import same_stem


class PostSearch:
    """One search. Raises InvalidQuery."""

    def __init__(self, db: sqlite3.Connection, typed: str, board: str | None) -> None:
        self._db = db
        self.groups = search.widen(search.parse(typed), lambda word: same_stem(db, word))
        self._match = search.fts_query(self.groups, _token(db, board))

    def rows(self, limit: int, offset: int) -> list[int]:
        """Of the newest posts first: rows ascend with the hours, so nothing is sorted."""
        query = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ? OFFSET ?"
        return [row for (row,) in self._db.execute(query, (self._match, limit, offset))]

    def count(self, most: int) -> int:
        """How many posts there are, counted up to `most`."""
        query = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
        return int(self._db.execute(query, (self._match, most)).fetchone()[0])


def _token(db: sqlite3.Connection, board: str | None) -> str:
    """The word that the posts of the board have in the index; one that no post has if it is not here."""
    if board is None:
        return ""
    row = db.execute("SELECT id FROM board WHERE name = ?", (board,)).fetchone()
    return board_token(-1 if row is None else row[0])
