"""Compares everything derived with the posts it was derived from, and makes it anew.

For `p2pforum doctor` and the tests: reads every post (a million take minutes). A running node does not need
it, because derived data changes in the transaction that changes the posts.
"""

import sqlite3
from collections.abc import Iterator

from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import decode
from p2pforum.store import block_rows, hours
from p2pforum.store.posts import Store
from p2pforum.store.schema import SLOT_BITS
from p2pforum.store.threads import COUNTED


def check(store: Store, params: NetworkParams) -> list[str]:
    """What is wrong, in words; empty if all is well."""
    with store.exclusive() as db:
        return examine(db, params)


def examine(db: sqlite3.Connection, params: NetworkParams) -> list[str]:
    """`check` on the writer's connection: it also sees an open transaction."""
    if pages := [str(text) for (text,) in db.execute("PRAGMA quick_check") if text != "ok"]:
        return [f"the database file is damaged: {text}" for text in pages]
    return [*_posts(db, params), *_blocks(db), *_hours(db), *_counts(db), *_search(db)]


def rebuild_index(store: Store) -> None:
    """Make the sync index anew from the posts: 0.6 s for a million."""
    with store.writing() as change:
        change.rebuild_index()


def _posts(db: sqlite3.Connection, params: NetworkParams) -> Iterator[str]:
    """Check that every post decodes, has its own ID, and is in its own place."""
    rows = db.execute(
        "SELECT post.id, post.raw, post.hour, board.name, thread.root FROM post"
        " LEFT JOIN board ON board.id = post.board LEFT JOIN thread ON thread.id = post.thread"
        " WHERE raw IS NOT NULL"
    )
    wrong = 0
    for post_id, raw, hour, board, root in rows:
        try:
            post = decode(raw, params)
        except InvalidPost:
            wrong += 1
            continue
        wrong += (post.id, post.payload.hour, post.payload.board, post.thread) != (post_id, hour, board, root)
    if wrong:
        yield f"{wrong} posts are damaged"


def _blocks(db: sqlite3.Connection) -> Iterator[str]:
    for (board,) in db.execute("SELECT id FROM board UNION SELECT board FROM rblock").fetchall():
        blocks = block_rows.load_board(db, board)
        for index, block in enumerate(blocks.blocks):
            keys = block_rows.read_keys(db, board, *blocks.bounds(index))
            if len(keys) != block.n:
                yield "the sync index does not fit the posts"
                return
        if not blocks.blocks and block_rows.read_keys(db, board, (0, b""), None):
            yield "the sync index misses a board"


def _hours(db: sqlite3.Connection) -> Iterator[str]:
    saved = dict(db.execute("SELECT hour, digest FROM rhour"))
    if any(digest is not None and digest != hours.read_digest(db, hour) for hour, digest in saved.items()):
        yield "the digest of an hour does not fit the posts"
    there = {hour for (hour,) in db.execute(f"SELECT DISTINCT row >> {SLOT_BITS} FROM post WHERE released")}
    if not there <= saved.keys():
        yield "the digests of hours miss one"


def _counts(db: sqlite3.Connection) -> Iterator[str]:
    threads = f"""SELECT thread.id, thread.posts, thread.last_hour,
        count(post.row), coalesce(max(post.hour), 0) FROM thread LEFT JOIN post
        ON post.thread = thread.id AND {COUNTED} GROUP BY thread.id"""
    if any(row[1:3] != row[3:5] for row in db.execute(threads)):
        yield "posts of a thread are miscounted"
    boards = """SELECT board.threads, board.posts, count(thread.id), coalesce(sum(thread.posts), 0)
        FROM board LEFT JOIN thread ON thread.board = board.id AND thread.posts > 0 GROUP BY board.id"""
    if any(row[0:2] != row[2:4] for row in db.execute(boards)):
        yield "threads or posts of a board are miscounted"
    if db.execute("PRAGMA foreign_key_check").fetchall():
        yield "posts without a thread, or threads without a board"


def _search(db: sqlite3.Connection) -> Iterator[str]:
    try:
        db.execute("INSERT INTO words(words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        yield f"the search index is damaged: {error}"
