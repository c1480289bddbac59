"""The store: keeps posts, answers for them, and seals views of them for sync.

The only writer; one process holds it (directory.py). Every method may be called from any thread, and may take
as long as a disk takes. Not reads for the user (queries.py), not removal (retention.py).
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from p2pforum.core import limits
from p2pforum.core.errors import StoreError
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post
from p2pforum.store import directory as data_directory
from p2pforum.store import schema
from p2pforum.store.blocks import BoardBlocks, BoardCache, KeysCache
from p2pforum.store.change import Change, Offer
from p2pforum.store.connection import WRITER_PATIENCE, open_read_only, open_writer, translated
from p2pforum.store.hours import load_hours, save_hours
from p2pforum.store.reveals import revealed_keys
from p2pforum.store.scatter import chunks, in_chunk
from p2pforum.store.snapshot import StoreSnapshot, read_released
from p2pforum.store.statistics import StoreStatistics, read_statistics

log = logging.getLogger(__name__)


class Store:
    """Made by open_store."""

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self._path = path
        self._db = writer
        self._reader = reader
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._seal_lock = threading.Lock()  # held while committing or sealing a view: never for long
        self._commits = 0
        self._log_limit = limits.STORE_LOG_MOST
        self._slot_key = _meta(writer, schema.SLOT_KEY) or b""
        self._blocks = BoardCache()
        self._keys = KeysCache()
        self._hours = load_hours(writer)
        self._boards: dict[str, int] = {}

    # --- writing ------------------------------------------------------------------------------------------

    def add(self, posts: Sequence[tuple[Post, bool]]) -> list[bool]:
        """Keep (post, released) in one transaction; True where the post became new or newly released.

        A post that the user dropped stays dropped. Raises StoreError; then none of the posts is kept.
        """
        with self.writing(outlives_power_cut=not all(released for _, released in posts)) as change:
            stored = change.find(list({post.id for post, _ in posts}))
            offers: dict[bytes, Offer] = {}
            became = []
            for post, released in posts:
                if post.id not in offers:
                    offers[post.id] = Offer(post, stored.get(post.id))
                became.append(offers[post.id].accept(released))
            for offer in offers.values():
                offer.apply(change)
            return became

    def release(self, ids: Iterable[bytes]) -> list[bytes]:
        """Make posts visible to sync that were kept back, and return their IDs. Unknown and released ones are
        skipped.
        """
        with self.writing() as change:
            kept = [stored for stored in change.find(list(set(ids))).values() if not stored.released]
            for stored in kept:
                change.release(stored)
        return [stored.id for stored in kept]

    @contextmanager
    def writing(self, *, outlives_power_cut: bool = False) -> Iterator[Change]:
        """One transaction: all of it is written, or StoreError is raised and nothing is. For this package.

        With `outlives_power_cut` it is on the disk when the block ends (a few ms), not a few
        seconds later.
        """
        with self._write_lock:
            blocks, hours = self._blocks.current(), self._hours.current()
            change = Change(self._db, self._slot_key, blocks, hours, self._boards)
            try:
                with translated():
                    self._db.execute(f"PRAGMA synchronous = {'FULL' if outlives_power_cut else 'NORMAL'}")
                    self._db.execute("BEGIN IMMEDIATE")
                    yield change
                    change.write()
                    with self._seal_lock:
                        self._db.execute("COMMIT")
                        self._commits += 1
                        self._blocks.publish(change.new_blocks)
                        self._hours.publish(change.changed_hours)
            except BaseException:
                self._undo()
                raise
            self._copy_log()

    def _undo(self) -> None:
        """Roll back. Also right after a disk error, which may have ended the transaction already."""
        with suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        self._boards.clear()

    def copy_log_if_long(self) -> None:
        """Call this after writing through `exclusive()`."""
        with self._write_lock:
            self._copy_log()

    def _copy_log(self) -> None:
        """Call it after the commit. What it can't copy now stays safe in the log, and is copied later."""
        try:
            part = self._path.stat().st_size // limits.STORE_LOG_PART
            longest = max(limits.STORE_LOG_LEAST, min(part, limits.STORE_LOG_MOST))
            if schema.log_size(self._path) > min(longest, self._log_limit):
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except (sqlite3.Error, OSError) as error:
            log.warning("the write-ahead log could not be copied into the database: %s", error)

    def limit_log(self, size: int) -> None:
        """Copy the write-ahead log when it is longer than `size` bytes: a small quota has no
        room for a long one.
        """
        self._log_limit = size

    def size(self) -> int:
        """Bytes on disk now, the log included."""
        return self._path.stat().st_size + schema.log_size(self._path)

    def checkpoint(self, patience: int = WRITER_PATIENCE) -> bool:
        """Copy the write-ahead log into the database and empty it, so that nothing old is left in it.

        False if a reader still needed it for `patience` ms. Then the caller tries again
        later. Raises StoreError.
        """
        with self._write_lock, translated():
            self._save_hours()
            self._db.execute(f"PRAGMA busy_timeout = {patience}")
            busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._db.execute(f"PRAGMA busy_timeout = {WRITER_PATIENCE}")
            return not busy

    def _save_hours(self) -> None:
        """Save the digests of hours. Those that could not be saved are made again after the next start."""
        with suppress(sqlite3.Error):
            save_hours(self._db, self._hours)

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """The writer's connection outside any transaction. For this package."""
        with self._write_lock, translated():
            yield self._db

    # --- reading ------------------------------------------------------------------------------------------

    def known(self, ids: Iterable[bytes]) -> set[bytes]:
        """The IDs of posts that are here and released, or that the user dropped. Cheapest for
        many at once.
        """
        ids = list(ids)
        with self._read_lock, translated():
            if len(ids) == 1:
                return {row[0] for row in self._reader.execute(f"{_KNOWN} id = ?", ids)}
            return {
                row[0]
                for chunk in chunks(ids)
                for row in self._reader.execute(f"{_KNOWN} {in_chunk('id')}", chunk)
            }

    def revealed(self, keys: Sequence[bytes], *, public: bool = False) -> set[bytes]:
        """The keys whose secret was published in a post that is here and released."""
        with self._write_lock, translated():
            return revealed_keys(self._db, keys, public=public)

    def unreleased(self) -> list[bytes]:
        """Raw posts that are kept but not released."""
        with self._read_lock, translated():
            rows = self._reader.execute("SELECT raw FROM post WHERE NOT released AND raw IS NOT NULL")
            return [raw for (raw,) in rows]

    def is_kept(self, post_id: bytes) -> bool:
        """Whether a post is here and not released."""
        with self._read_lock, translated():
            where = "id = ? AND NOT released AND raw IS NOT NULL"
            return bool(self._reader.execute(f"SELECT 1 FROM post WHERE {where}", [post_id]).fetchone())

    def raw(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """Released posts by ID; others are left out."""
        with self._read_lock, translated():
            return read_released(self._reader, ids)

    def statistics(self) -> StoreStatistics:
        with self._read_lock, translated():
            return read_statistics(self._reader, self._path)

    @contextmanager
    def snapshot(self) -> Iterator[StoreSnapshot]:
        """A sealed view of what is released now. While it is open, the write-ahead log can
        only grow. Raises StoreError.
        """
        with ExitStack() as stack:
            with translated():
                db = stack.enter_context(closing(open_read_only(self._path)))
                with self._seal_lock:  # so the blocks in memory are those of this very commit
                    db.execute("BEGIN")
                    db.execute("SELECT 1 FROM rblock LIMIT 1").fetchone()
                    known, commits = self._blocks.current(), self._commits
                    hours = self._hours.sealed()
            view = StoreSnapshot(db, known, hours, self._keys, self._rememberer(commits))
            view.cells()  # hours that changed are read here, in the caller's thread
            yield view

    def _rememberer(self, commits: int) -> Callable[[int, BoardBlocks], None]:
        def remember(board: int, blocks: BoardBlocks) -> None:
            with self._seal_lock:
                if commits == self._commits:
                    self._blocks.remember(board, blocks)

        return remember

    def close(self) -> None:
        """Copy the log in and remove it. If a reader still uses it, the next start does that."""
        with self._write_lock, self._read_lock, suppress(sqlite3.Error):
            self._reader.close()
            self._save_hours()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._db.close()


_KNOWN = "SELECT id FROM post WHERE released AND"


def _meta(db: sqlite3.Connection, name: str) -> bytes | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


@contextmanager
def open_store(directory: Path, params: NetworkParams) -> Iterator[Store]:
    """Hold the data directory and open its store; make both if they are not there.

    Raises StoreBusy if another process has it, StoreError for a database that is damaged, foreign, newer, or
    of another network. Such a database is left as it is.
    """
    path = directory / schema.FILE_NAME
    with data_directory.held(directory), ExitStack() as stack:
        was_killed = schema.log_size(path) > 0
        _prepare(path)
        writer = stack.enter_context(closing(open_writer(path)))
        with translated():
            schema.check_schema(writer, path)
            _check_network(writer, path, params)
            if was_killed:
                _check_pages(writer, path)
                schema.forget_times(writer)
        store = Store(path, writer, stack.enter_context(closing(open_read_only(path))))
        stack.callback(store.close)
        yield store


def _prepare(path: Path) -> None:
    """Make or upgrade the database. sqlite_utils is imported only for that: it costs 0.1 s."""
    if path.exists():
        data_directory.keep_private(path)
        schema.check_header(path)
        with closing(open_read_only(path)) as db, translated():
            if schema.version(db, path) == schema.VERSION:
                return
    from p2pforum.store.migrations import migrate

    migrate(path)


def _check_pages(db: sqlite3.Connection, path: Path) -> None:
    """Check the database after an unclean stop. A large database is left to `p2pforum doctor`: SQLite's log
    makes kill -9 harmless, and reading a million posts takes 1 to 4 s. Raises StoreError.
    """
    if path.stat().st_size > limits.STORE_CHECKED:
        return
    log.info("the last stop was not a clean one: checking the database")
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(f"{path} is damaged: {found}")


def _check_network(db: sqlite3.Connection, path: Path, params: NetworkParams) -> None:
    kept = _meta(db, schema.NETWORK)
    if kept is None:
        db.execute("INSERT INTO meta VALUES (?, ?)", (schema.NETWORK, params.name.encode()))
    elif kept != params.name.encode():
        raise StoreError(f"{path} belongs to the network {kept.decode(errors='replace')!r}")
