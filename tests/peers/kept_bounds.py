"""Bounds of core/limits.py that are one node's own, of what it keeps: what `n` of it does."""

import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from bounds import Row
from peers_tools import HOUR, a_book, a_peer, an_address, colliding, source, tried

from p2pforum.api import app
from p2pforum.core import bundle
from p2pforum.forum import expiry, leak_traces
from p2pforum.keystore import format as keystore_format
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.slots import CurrentPeers, Slots, set_anchors
from p2pforum.store.block_rows import cut
from p2pforum.store.blocks import Block, BoardBlocks, BoardCache, KeysCache

A_BIT = 0.01

# -- addresses of peers ------------------------------------------------------------------------------------


def records_after(days: int) -> bool:
    book = a_book()
    book.learn(an_address(1), source(1), HOUR, b"record")
    tried(book, 1)
    return book.records(HOUR + 24 * days) == [b"record"]


def around(outbound: int, *, named: bool = False) -> tuple[Slots, CurrentPeers]:
    book = a_book()
    book.learn(an_address(500), source(1), HOUR)
    there = {a_peer(n): an_address(n) for n in range(outbound)}
    peers = frozenset(there)
    return Slots(book, random.Random(1)), CurrentPeers(peers, there, peers if named else frozenset())


def dials_another(n: int) -> bool:
    """To have so many."""
    slots, there = around(n - 1)
    return slots.next(0.0, there) is not None


def local(n: int) -> bool:
    """The last of so many in the local network is dialled."""
    book = a_book(policy=AddressPolicy(private=True))
    for i in range(n):
        book.learn(an_address(i, f"192.168.1.{1 + i}"), "", HOUR)
    slots = Slots(book, random.Random(1))
    for _ in range(n):
        if (entry := slots.next(0.0, CurrentPeers())) is not None:
            slots.begin(entry)
    return len(slots.held) == n


def named_count(n: int) -> bool:
    slots, there = around(n, named=True)
    return slots.used(there) == n


def anchors(n: int) -> bool:
    book = a_book()
    tried(book, *range(1, n + 1))
    set_anchors(book, [an_address(i) for i in range(1, n + 1)])
    return len(book.anchors) == n


def is_a_failure(seconds: float) -> bool:
    """A connection that ends so soon is: the next wait is longer than after a first failure."""
    slots, _ = around(0)
    entry = slots._book.get(an_address(500))
    assert entry is not None
    for lasted in (0.0, seconds):
        slots.begin(entry)
        slots.connected(entry.peer, 0.0)
        slots.ended(entry.peer, lasted)
    return slots._waits[entry.address][0] == 2


def tests_wait(n: int) -> bool:
    """So many peers whose place another one has."""
    book, first = a_book(), 1
    for _ in range(n):
        holder, other = colliding(first)
        tried(book, holder)
        tried(book, other, hour=HOUR + 24)
        first = other + 1
    return len(book._tests) == n


def hours_ago(hours: int) -> bool:
    """A post by another from then counts."""
    hour = 10_000 - hours
    reader: Any = SimpleNamespace(
        newest_hours=lambda _: [hour], statistics=lambda: SimpleNamespace(posts=1), thread=lambda _: []
    )
    box: Any = SimpleNamespace(keys={}, speaking={}, petnames={})
    return sum(leak_traces.collect(box, reader, b"", 10_000).hours) == 1


def waits_kept(n: int) -> bool:
    """Old ones are looked for when there are more."""
    slots, _ = around(0)
    slots.put_off("old", -1_000_000.0)
    for i in range(n - 1):
        slots.put_off(f"{i}", 0.0)
    return "old" in slots._waits


# -- a person's own ----------------------------------------------------------------------------------------


@dataclass
class Key:
    used: int = 0
    warned: int = 0
    keep: bool = False


def listens(seconds: float) -> bool:
    try:
        return app._seconds(f"{seconds}") == seconds
    except app.BadRequest:
        return False


def goes_on(*, faults: int = 0, skipped: int = 0) -> bool:
    reader: Any = bundle.BundleReader(lambda _: b"")
    reader._faults, reader._skipped = faults, skipped
    return not reader._has_enough()


def newest(n: int) -> bool:
    """Posts by others that are looked at."""
    asked: list[int] = []
    reader: Any = SimpleNamespace(newest_hours=lambda most: asked.append(most) or [])
    leak_traces._hours_of_others(reader, [], 0)
    return asked[0] >= n


def looked_at(*, threads: int = 0, posts: int = 0) -> bool:
    """The last of so many threads, or one behind so many posts, is."""
    count = threads or 2
    roots = [i.to_bytes(32, "big") for i in range(count)]
    asked: list[bytes] = []

    def thread(root: bytes) -> list[Any]:
        asked.append(root)
        return [SimpleNamespace(author=b"", body="")] * posts

    keys = {b"k": SimpleNamespace(public=b"k", used=0)}
    box: Any = SimpleNamespace(keys=keys, speaking=dict.fromkeys(roots, b"k"))
    leak_traces._own_rows(box, SimpleNamespace(thread=thread))  # type: ignore[arg-type]
    return roots[-1] in asked


def looked_up(n: int) -> bool:
    """Words of a text that are looked up, to see whether they are rare."""
    text, asked = " ".join(f"word{i:05}" for i in range(n)), []
    traces: Any = SimpleNamespace(others=10_000, texts=[text], usual=lambda word: asked.append(word) or 99)
    leak_traces._rare_words(text, traces)
    return len(asked) == n


def keystore_of(n: int) -> bool:
    return keystore_format._padded_size(n - keystore_format._OVERHEAD) <= n


# -- the store ---------------------------------------------------------------------------------------------


def keys_held(n: int) -> bool:
    """Of so many, those of the first block are still there."""
    cache, loads = KeysCache(), []

    def load(size: int) -> Any:
        loads.append(size)
        return range(size)

    first, second = Block((0, b""), 1), Block((1, b""), n - 1)
    cache.get(first, lambda: load(1))
    cache.get(second, lambda: load(n - 1))
    cache.get(first, lambda: load(1))
    return len(loads) == 2


def boards_held(n: int) -> bool:
    cache = BoardCache()
    for i in range(n):
        cache.remember(i, BoardBlocks([]))
    return 0 in cache.current()


ROWS = [
    Row("BOOK_TOLD_DAYS", "a record", records_after),
    Row("OUTBOUND_WANTED", "dialled", dials_another),
    Row("LOCAL_MOST", "dialled", local),
    Row("NAMED_COUNTED", "named", named_count),
    Row("ANCHORS", "kept", anchors),
    Row("LASTING_SECONDS", "a connection", is_a_failure, -A_BIT, 0),
    Row("BOOK_TESTS", "peers", tests_wait),
    Row("MAX_WAITS", "addresses", waits_kept),
    Row("MAX_LISTEN_SECONDS", "a front end", listens),
    Row("MAX_BUNDLE_FAULTS", "a bundle", lambda n: goes_on(faults=n)),
    Row("MAX_BUNDLE_SKIPPED", "a bundle", lambda n: goes_on(skipped=n)),
    Row("KEY_IDLE_HOURS", "warned", lambda h: not expiry._is_due(Key(), h), -1, 0),  # type: ignore[arg-type]
    Row("KEY_WARNING_HOURS", "a warning", lambda h: not expiry._is_due(Key(-9_999), h), -1, 0),  # type: ignore[arg-type]
    Row("LEAK_HOURS", "a post", hours_ago),
    Row("LEAK_NEWEST", "posts", newest),
    Row("LEAK_THREADS", "threads", lambda n: looked_at(threads=n)),
    Row("LEAK_POSTS", "posts", lambda n: looked_at(posts=n)),
    Row("LEAK_WORDS", "words", looked_up),
    Row("KEYSTORE_LARGEST", "a keystore", keystore_of),
    Row("KEYSTORE_SMALLEST", "a keystore", lambda n: keystore_format._padded_size(1) >= n),
    Row("BLOCK_KEYS", "a block", lambda n: len(cut([(0, b"")] * (n * 3 // 2), (0, b""))) == 1, -1, 1),
    Row("KEYS_LOADED", "keys", keys_held),
    Row("BOARDS_LOADED", "boards", boards_held),
]
