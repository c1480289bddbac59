"""How long a user waits: a thread, the lists, a search; and what a node does at its start.

    python -m benchmarks.bench_queries [POSTS]

Fills a fresh store first (without checking signatures), then asks with a new reader for each figure.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.bench_posts import Writer
from p2pforum.core.network_params import NetworkParams, params_for
from p2pforum.core.post import Post
from p2pforum.core.thread import reading_order
from p2pforum.store.posts import Store, open_store
from p2pforum.store.queries import open_reader

SMALLEST = "3000"

_BATCH = 2_000
_LONG = 200  # posts in the thread that is read


def main() -> None:
    """Fill a store and print the figures that the head of this file describes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    params = params_for("test.bench")
    writer = Writer(params)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with open_store(directory, params) as store:
            root = _fill(store, writer, count)
        size = (directory / "node.db").stat().st_size
        print(f"{count:,} posts, {size / count:.0f} bytes of disk a post")
        _read(directory, root)
        _search(directory, writer)
        _sync(directory, params, writer)


def _fill(store: Store, writer: Writer, count: int) -> bytes:
    thread = writer.thread(_LONG)
    store.add([(post, True) for post in thread])
    batch: list[tuple[Post, bool]] = []
    spent = 0.0
    for n, post in enumerate(writer.posts(count - _LONG), 1):
        batch.append((post, True))
        if len(batch) == _BATCH or n == count - _LONG:
            begin = time.perf_counter()
            store.add(batch)
            spent += time.perf_counter() - begin
            batch = []
    print(f"stored {count / spent:,.0f} posts/s by thread, batches of {_BATCH}, nothing verified")
    return thread[0].id


def _read(directory: Path, root: bytes) -> None:
    def thread() -> None:
        with open_reader(directory) as reader:
            assert len(reading_order(reader.thread(root))) == _LONG

    def threads() -> None:
        with open_reader(directory) as reader:
            assert len(reader.threads(None, 50)) == 50

    def board_threads() -> None:
        with open_reader(directory) as reader:
            assert reader.threads("board-3", 50)

    def boards() -> None:
        with open_reader(directory) as reader:
            assert reader.boards()

    _print(f"open, read a thread of {_LONG} posts, order it", _times(thread, 20))
    _print("open, newest 50 threads", _times(threads, 20))
    _print("open, newest 50 threads of a board", _times(board_threads, 20))
    _print("open, all boards", _times(boards, 20))


def _search(directory: Path, writer: Writer) -> None:
    rng = random.Random(3)
    words = writer.words
    kinds: dict[str, Callable[[], str]] = {
        "a common word": lambda: words[rng.randrange(30)],
        "any word": lambda: rng.choice(words),
        "two words": lambda: f"{words[rng.randrange(300)]} {words[rng.randrange(3_000)]}",
        "two common words": lambda: f"{words[rng.randrange(20)]} {words[rng.randrange(20)]}",
        "either of two": lambda: f"{words[rng.randrange(300)]} OR {words[rng.randrange(3_000)]}",
        "a phrase": lambda: f'"{words[rng.randrange(30)]} {words[rng.randrange(30)]}"',
        "a beginning": lambda: f"{rng.choice([w for w in words if len(w) > 3])[:3]}*",
    }
    everything: list[float] = []
    with open_reader(directory) as reader:
        for kind, make in kinds.items():
            times = [_once(partial(reader.search, make(), limit=20)) for _ in range(100)]
            everything += times
            _print(f"search, {kind}", times)
        _print("search, all of these", everything)
        on_board = [_once(partial(reader.search, rng.choice(words[:300]), "board-3")) for _ in range(100)]
        _print("search on one board", on_board)


def _sync(directory: Path, params: NetworkParams, writer: Writer) -> None:
    begin = time.perf_counter()
    with open_store(directory, params) as store:
        print(f"{'open the store':45s} {(time.perf_counter() - begin) * 1e3:8.2f} ms")

        def view() -> None:
            with store.snapshot() as snapshot:
                for board, _ in snapshot.boards():
                    items = snapshot.items(board)
                    items.cells(0, len(items))

        print(f"{'first view, all boards, one fingerprint each':45s} {_once(view) * 1e3:8.2f} ms")
        _print("later views", _times(view, 20))
        store.add([(post, True) for post in writer.posts(10)])
        print(f"{'after ten more posts':45s} {_once(view) * 1e3:8.2f} ms")


def _times(work: Callable[[], object], count: int) -> list[float]:
    return [_once(work) for _ in range(count)]


def _once(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _print(title: str, times: list[float]) -> None:
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95) - 1]
    print(f"{title:45s} {statistics.median(times) * 1e3:8.2f} ms median {p95 * 1e3:8.2f} ms p95")


if __name__ == "__main__":
    main()
