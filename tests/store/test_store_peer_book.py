"""The rows of the address book: written whole or not at all, and nothing that a post hangs on."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_tools import add, opened
from strategies import TEST_NETWORK, a_thread

from p2pforum.core.errors import StoreError
from p2pforum.store import doctor, schema
from p2pforum.store.peer_book import Row, load_book, save_book
from p2pforum.store.posts import Store

POSTS = a_thread(5)


def a_row(number: int, *, record: bytes | None = None) -> Row:
    return (f"/ip4/8.8.4.{number}/tcp/4001/p2p/x", 0, number, 480_000, 20_000, 0, 0, record)


def test_rows_and_the_secret_outlive_a_restart(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        secret, rows = load_book(store)
        assert (len(secret), rows) == (32, [])
        save_book(store, [a_row(1), a_row(2, record=b"signed")], [])
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        assert load_book(store) == (secret, [a_row(1), a_row(2, record=b"signed")])
        save_book(store, [a_row(2)], [a_row(1)[0], "never there"])
        assert load_book(store) == (secret, [a_row(2)])


def test_all_of_it_or_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        save_book(store, [a_row(1)], [])
        wrong = ("x", "no number", *a_row(2)[2:])
        with pytest.raises(StoreError):
            save_book(store, [a_row(2), wrong], [a_row(1)[0]])  # type: ignore[list-item]
        assert load_book(store)[1] == [a_row(1)]
        assert all(add(store, POSTS))


def emptied(store: Store) -> None:
    with store.exclusive() as db:
        db.execute("DELETE FROM peer")
        db.execute("DELETE FROM meta WHERE name = ?", (schema.BOOK_KEY,))


def test_an_emptied_book_hurts_no_post(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        add(store, POSTS)
        before = load_book(store)[0]
        save_book(store, [a_row(n) for n in range(200)], [])
        emptied(store)
        assert store.known([p.id for p in POSTS]) == {p.id for p in POSTS}
        assert doctor.check(store, TEST_NETWORK) == []
        secret, rows = load_book(store)
        assert (len(secret), rows) == (32, [])
        assert secret != before


def test_a_damaged_secret_is_made_anew(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        with store.exclusive() as db:
            db.execute("INSERT INTO meta VALUES (?, ?)", (schema.BOOK_KEY, b"short"))
        secret, _ = load_book(store)
        assert len(secret) == 32
        assert load_book(store)[0] == secret


def test_what_has_gone_is_gone_from_the_file(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        save_book(store, [a_row(7, record=b"a signed record")], [])
        save_book(store, [], [a_row(7)[0]])
        store.checkpoint()
        assert b"a signed record" not in (tmp_path / schema.FILE_NAME).read_bytes()
        with sqlite3.connect(tmp_path / schema.FILE_NAME) as db:
            assert db.execute("SELECT count(*) FROM peer").fetchone() == (0,)
        db.close()
