"""What ways to index text cost: bytes of disk for a post, time to add it, time to find it.

    python -m benchmarks.bench_search [POSTS]

Words as they are written, with letters of scripts without spaces by pairs (as the store does it), by Porter's
stems, and by SQLite's trigrams; for text of a language with spaces and for Japanese, both made up. Posts have
5 to 60 words. "found" says whether a word of two letters from the middle of a text is found.
"""

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import accumulate
from pathlib import Path

from benchmarks.bench_posts import Writer
from p2pforum.core.network_params import params_for
from p2pforum.store.words import indexed, sought

SMALLEST = "2000"

_BATCH = 2_000
_VOCABULARY = 30_000
_ASKED = 200
_TOKENIZERS: dict[str, tuple[str, Callable[[str], str]]] = {
    "as written": ("unicode61 remove_diacritics 2", str),
    "pairs": ("unicode61 remove_diacritics 0 categories 'L* M* N* Co'", indexed),
    "stems": ("porter unicode61 remove_diacritics 2", str),
    "trigrams": ("trigram", str),
}


def main() -> None:
    """Index the same posts in each way and print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{count:,} posts; bytes and time to add are for a post")
    for language, make in (("with spaces", _with_spaces), ("Japanese", _japanese)):
        texts = list(make(count))
        size = sum(len(text.encode()) for text in texts) / count
        print(f"\n{language}, {size:.0f} bytes of text")
        for name, (tokenizer, prepare) in _TOKENIZERS.items():
            _measure(name, tokenizer, prepare, texts)


def _measure(name: str, tokenizer: str, prepare: Callable[[str], str], texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory, closing(_open(Path(directory), tokenizer)) as db:
        begin = time.perf_counter()
        _fill(db, prepare, texts)
        spent = time.perf_counter() - begin
        db.execute("INSERT INTO words(words) VALUES ('optimize')")
        db.execute("VACUUM")
        size = (Path(directory) / "index.db").stat().st_size
        rng = random.Random(2)
        words = [_word(rng.choice(texts), rng) for _ in range(_ASKED)]
        times = [_once(db, prepare is indexed, word) for word in words]
        pair = _pair(texts[0])
        found = bool(_find(db, prepare is indexed, pair)) if pair else "-"
        took = f"{statistics.median(times) * 1e3:6.2f} ms median {max(times) * 1e3:7.2f} ms worst"
        print(
            f"  {name:12s} {size / len(texts):6.0f} B   add {spent / len(texts) * 1e6:5.0f} us   find {took}"
            f"   found: {found}"
        )


def _open(directory: Path, tokenizer: str) -> sqlite3.Connection:
    db = sqlite3.connect(directory / "index.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute(
        f"CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, tokenize=\"{tokenizer}\")"
    )
    return db


def _fill(db: sqlite3.Connection, prepare: Callable[[str], str], texts: list[str]) -> None:
    for start in range(0, len(texts), _BATCH):
        rows = ((n, prepare(texts[n])) for n in range(start, min(start + _BATCH, len(texts))))
        db.execute("BEGIN")
        db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", rows)
        db.execute("COMMIT")


def _find(db: sqlite3.Connection, as_pairs: bool, word: str) -> list[tuple[int]]:
    asked, is_open = sought(word) if as_pairs else (word, False)
    match = f'"{asked}"' + (" *" if is_open else "")
    return db.execute(
        "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT 20", (match,)
    ).fetchall()


def _once(db: sqlite3.Connection, as_pairs: bool, word: str) -> float:
    begin = time.perf_counter()
    _find(db, as_pairs, word)
    return time.perf_counter() - begin


def _word(text: str, rng: random.Random) -> str:
    """A word with spaces around it, or else three letters in a row."""
    if " " in text:
        return rng.choice(text.split())
    at = rng.randrange(max(1, len(text) - 3))
    return text[at : at + 3]


def _pair(text: str) -> str:
    return "" if " " in text else text[3:5]


def _with_spaces(count: int) -> Iterable[str]:
    writer, rng = Writer(params_for("test.bench")), random.Random(1)
    return (writer.text(rng.randint(5, 60)) for _ in range(count))


def _japanese(count: int) -> Iterable[str]:
    """Words of one to four letters without spaces, and a full stop after every tenth."""
    rng = random.Random(1)
    letters = [chr(0x4E00 + n) for n in range(2_000)] + [chr(0x3042 + n) for n in range(80)] * 20
    words = ["".join(rng.choices(letters, k=rng.randint(1, 4))) for _ in range(_VOCABULARY)]
    weights = list(accumulate(1 / (n + 2.7) for n in range(_VOCABULARY)))
    for _ in range(count):
        chosen = rng.choices(words, cum_weights=weights, k=rng.randint(5, 60))
        yield "。".join("".join(chosen[n : n + 10]) for n in range(0, len(chosen), 10))


if __name__ == "__main__":
    main()
