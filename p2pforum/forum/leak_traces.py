"""What joins a text to the author's other pseudonyms: their names, their words, and the hour.

It compares the user's own posts, known from the keystore, with all posts here, on this machine alone. Not
what a text gives away by itself (leak_patterns.py).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.pseudonym import name_of
from p2pforum.forum.leak_patterns import Leak, contains_name, excerpt
from p2pforum.keystore.contents import Contents
from p2pforum.store.queries import PostRow, Reader

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_RUN = 6  # words in a row that two texts share by copying, or by habit
_LEAST_LETTERS = 5  # of a word that can be unusual
_SHORTEST_NAME = 3  # letters
_RARE = 2  # posts by others that a word may be in, and still be unusual
_ENOUGH = 100  # posts by others: with fewer, we can't tell what is usual
_LONELY = 0.01  # share of posts in one hour of the day (an even spread gives 0.04)
_SHOWN = 8  # words or names of one kind: a user reads no more


@dataclass(frozen=True)
class AuthorTraces:
    """`names` and `texts` belong to other keys of mine than the one that signs. `usual(word)` counts posts by
    others with that word, up to a few more than _RARE; `hours` counts others' posts by hour of the day.
    """

    names: tuple[str, ...]
    petnames: tuple[str, ...]
    texts: tuple[str, ...]
    others: int
    usual: Callable[[str], int]
    hours: Sequence[int]
    my_hours: frozenset[int]


def collect(box: Contents, reader: Reader, signer: bytes, now: int) -> AuthorTraces:
    """Gather names, texts and hours. `signer` is the public key that is to sign, `now` the
    hour since 1970.
    """
    rows = _own_rows(box, reader)
    others = [row for row in rows if row.author != signer]
    texts = {row.id: f"{row.subject}\n{row.body}" for row in rows}
    mine = Counter(word for text in texts.values() for word in _words(text))

    def usual(word: str) -> int:
        found = reader.search(f'"{word}"', limit=_RARE + 1 + mine[word])
        return sum(row.post.author not in box.keys for row in found)

    return AuthorTraces(
        names=tuple(_names(box, signer)),
        petnames=tuple(dict.fromkeys(box.petnames.values())),
        texts=tuple(own_words(texts[row.id]) for row in others),
        others=reader.statistics().posts - len(rows),
        usual=usual,
        hours=_hours_of_others(reader, rows, now - limits.LEAK_HOURS),
        my_hours=frozenset(row.hour % 24 for row in others),
    )


def _hours_of_others(reader: Reader, mine: Iterable[PostRow], since: int) -> list[int]:
    """How many posts by others carry each hour of the day, of the newest ones."""
    newest = [hour for hour in reader.newest_hours(limits.LEAK_NEWEST) if hour >= since]
    first = min(newest, default=since)
    counts = Counter(hour % 24 for hour in newest)
    counts.subtract(row.hour % 24 for row in mine if row.hour >= first)
    return [max(0, counts[hour]) for hour in range(24)]


def _own_rows(box: Contents, reader: Reader) -> list[PostRow]:
    """My posts, by the keys used last. Bounded, because threads may be long."""
    keys = sorted(box.keys.values(), key=lambda key: -key.used)
    rank = {key.public: n for n, key in enumerate(keys)}
    roots = [root for root, public in box.speaking.items() if public in rank]
    roots.sort(key=lambda root: (rank[box.speaking[root]], root))
    found: list[PostRow] = []
    seen = 0
    for root in roots[: limits.LEAK_THREADS]:
        rows = reader.thread(root)
        seen += len(rows)
        found += [row for row in rows if row.author in rank and row.body]
        if seen > limits.LEAK_POSTS:
            break
    return found


def _names(box: Contents, signer: bytes) -> Iterable[str]:
    """The names I gave my other pseudonyms, and the names others see of them in the threads they write in."""
    for key in box.keys.values():
        if key.public != signer:
            if len(key.name) >= _SHORTEST_NAME:
                yield key.name
            roots = {root for root, public in box.speaking.items() if public == key.public} | {key.root}
            yield from (name_of(key.public, root) for root in sorted(roots - {b""}))


def own_words(text: str) -> str:
    """A text without the lines that it quotes: those are by another author."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(">"))


def leaks_to_traces(text: str, traces: AuthorTraces, hour: int) -> list[Leak]:
    """The leaks that join the text to other pseudonyms. `hour` is the one that the post will carry."""
    own = own_words(text)
    found = [
        _names_in(own, traces.names, "another pseudonym of yours", "it joins this post to that pseudonym"),
        _names_in(
            own, traces.petnames, "a name that only you use", "others may know that you call people so"
        ),
        _runs(own, traces),
        _rare_words(own, traces),
        _hour(hour, traces),
    ]
    return [leak for leak in found if leak is not None]


def _names_in(text: str, names: Iterable[str], kind: str, why: str) -> Leak | None:
    found = tuple(name for name in names if len(name) >= _SHORTEST_NAME and contains_name(text, name))
    return Leak(kind, found[:_SHOWN], why) if found else None


def _runs(text: str, traces: AuthorTraces) -> Leak | None:
    words = _WORD.findall(text)
    theirs = {run for other in traces.texts for run in _runs_of(_WORD.findall(other))}
    starts = [n for n, run in enumerate(_runs_of(words)) if run in theirs]
    if not starts:
        return None
    found = tuple(excerpt(" ".join(words[a:b])) for a, b in _joined(starts))
    why = f"{_RUN} words in a row are in a post under another key of yours, so a search for them finds both"
    return Leak("your own words from elsewhere", found[:_SHOWN], why)


def _runs_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    folded = [word.casefold() for word in words]
    return [tuple(folded[n : n + _RUN]) for n in range(len(folded) - _RUN + 1)]


def _joined(starts: Sequence[int]) -> list[tuple[int, int]]:
    """Join runs that overlap; each as its first and last position."""
    spans: list[tuple[int, int]] = []
    for start in starts:
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], start + _RUN
        else:
            spans.append((start, start + _RUN))
    return spans


def _rare_words(text: str, traces: AuthorTraces) -> Leak | None:
    if traces.others < _ENOUGH:
        return None
    theirs = {word for other in traces.texts for word in _words(other)}
    shared = sorted(_words(text) & theirs, key=lambda word: (-len(word), word))[: limits.LEAK_WORDS]
    found = tuple(word for word in shared if traces.usual(word) <= _RARE)
    why = f"you wrote them under another key, too, and at most {_RARE} posts by others here have them"
    return Leak("unusual words", found[:_SHOWN], why) if found else None


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if len(word) >= _LEAST_LETTERS}


def _hour(hour: int, traces: AuthorTraces) -> Leak | None:
    total = sum(traces.hours)
    of_day = hour % 24
    if total < _ENOUGH or traces.hours[of_day] > total * _LONELY:
        return None
    again = " and other pseudonyms of yours did" if of_day in traces.my_hours else ""
    why = f"hardly anybody else writes at this hour of the day{again}: it narrows down who you are"
    return Leak("the hour", (f"{of_day:02}:00 UTC",), why)
