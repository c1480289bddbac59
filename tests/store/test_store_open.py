"""Opening a store: what is made, who may, and what is left alone."""

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from store_tools import add, opened
from strategies import HOUR, TEST_NETWORK, a_post, a_thread

from p2pforum.core.errors import StoreBusy, StoreError
from p2pforum.core.network_params import params_for
from p2pforum.store import doctor, schema
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader

POSTS = a_thread(30)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """With a store of 30 posts, closed."""
    with ExitStack() as stack:
        add(opened(stack, tmp_path / "data"), POSTS)
    return tmp_path / "data"


def refused(directory: Path, match: str) -> None:
    """Neither the store nor a reader takes it, and not a byte of it changes."""
    path = directory / schema.FILE_NAME
    before = path.read_bytes()
    with pytest.raises(StoreError, match=match), open_store(directory, TEST_NETWORK):
        pass
    assert path.read_bytes() == before


def test_a_new_store_is_private_and_whole(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "data"
    with ExitStack() as stack:
        add(opened(stack, directory), POSTS)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}
        assert set(modes) == {"node.db", "node.db-wal", "node.db-shm", "lock"}
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {file.name for file in directory.iterdir()} == {"node.db", "lock"}  # the log was copied in


def test_a_database_that_others_may_read_is_closed_to_them(directory: Path) -> None:
    (directory / "node.db").chmod(0o644)
    with ExitStack() as stack:
        opened(stack, directory)
        assert stat.S_IMODE((directory / "node.db").stat().st_mode) == 0o600


def test_posts_are_there_after_a_restart(directory: Path) -> None:
    with ExitStack() as stack:
        store = opened(stack, directory)
        assert store.raw([post.id for post in POSTS]) == {post.id: post.raw for post in POSTS}
        assert add(store, POSTS) == [False] * len(POSTS)


def test_a_second_process_is_told(directory: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from p2pforum.store.posts import open_store;"
        "from p2pforum.core.network_params import params_for; from p2pforum.core.errors import StoreBusy\n"
        "try:\n with open_store(Path(sys.argv[1]), params_for('test.net')): print('opened')\n"
        "except StoreBusy as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(directory)]
    with ExitStack() as stack:
        opened(stack, directory)
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == f"{directory} is in use by another p2pforum process\n"
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "opened\n"


def test_a_second_opening_in_this_process_is_told_too(directory: Path) -> None:
    with ExitStack() as stack:
        opened(stack, directory)
        with pytest.raises(StoreBusy), open_store(directory, TEST_NETWORK):
            pass


@pytest.mark.parametrize("kept", [0, 1, 99, 100, 20_000, -1])
def test_a_database_cut_off_is_left_alone(directory: Path, kept: int) -> None:
    path = directory / "node.db"
    path.write_bytes(path.read_bytes()[:kept])
    refused(directory, "cut off")
    with pytest.raises(StoreError, match="cut off"):
        open_reader(directory)


@pytest.mark.parametrize("kept", [4_096, 20_480])
def test_a_truncated_database_is_left_alone(directory: Path, kept: int) -> None:
    path = directory / "node.db"
    path.write_bytes(path.read_bytes()[:kept])
    refused(directory, "damaged")
    with pytest.raises(StoreError, match="damaged"), open_reader(directory) as reader:
        reader.boards()


@pytest.mark.parametrize("content", [b"a letter to my mother\n" * 100, bytes(8_192)])
def test_another_file_is_left_alone(directory: Path, content: bytes) -> None:
    (directory / "node.db").write_bytes(content)
    refused(directory, "not a p2pforum database")
    with pytest.raises(StoreError, match="not a p2pforum database"):
        open_reader(directory)


def test_a_foreign_database_is_left_alone(directory: Path) -> None:
    (directory / "node.db").unlink()
    with closing(sqlite3.connect(directory / "node.db")) as db:
        db.execute("CREATE TABLE recipes(name)")
    refused(directory, "not a p2pforum database")


def test_a_newer_database_is_left_alone(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "node.db")) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    refused(directory, "newer")
    with pytest.raises(StoreError, match="newer"):
        open_reader(directory)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER spy AFTER INSERT ON post BEGIN DELETE FROM board; END",
        "CREATE TRIGGER words_spy AFTER INSERT ON thread BEGIN DELETE FROM post; END",
        "DROP INDEX post_by_thread",
        "CREATE VIEW extra AS SELECT 1",
        "ALTER TABLE post ADD COLUMN peer TEXT",
    ],
)
def test_a_schema_that_someone_changed_is_left_alone(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "node.db")) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute(statement)
    refused(directory, "did not make")


def test_another_networks_store_is_left_alone(directory: Path) -> None:
    other = params_for("test.other")
    with pytest.raises(StoreError, match=r"network 'test\.net'"), open_store(directory, other):
        pass


def test_a_store_of_an_early_version_is_told_so(directory: Path) -> None:
    """There a key of the config file told a test network, and a stamp held on one shard."""
    with closing(sqlite3.connect(directory / "node.db")) as db, db:
        db.execute("INSERT INTO meta VALUES ('stamp_floor', X'30')")
    refused(directory, "early version.*move it away")


def test_a_draft_of_a_process_killed_while_making_it_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "node.new").write_bytes(b"half a database")
    with ExitStack() as stack:
        assert add(opened(stack, tmp_path), [a_post()]) == [True]
    assert not (tmp_path / "node.new").exists()


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "data"
    with pytest.raises(StoreError, match="cannot use the directory"), open_store(below, TEST_NETWORK):
        pass


def test_no_column_says_who_brought_a_post_or_when_or_that_it_is_mine(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "node.db")) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {t: [row[1] for row in db.execute(f"PRAGMA table_info({t})")] for t in tables}
        assert columns.pop("_sqlite_migrations") == ["id", "migration_set", "name", "applied_at"]
        assert db.execute("SELECT DISTINCT applied_at FROM _sqlite_migrations").fetchall() == [("",)]
    assert columns == {
        "meta": ["name", "value"],
        "board": ["id", "name", "threads", "posts"],
        "thread": ["id", "root", "board", "posts", "last_hour"],
        "post": ["row", "id", "board", "thread", "hour", "kind", "bits", "released", "raw"],
        "pin": ["root"],  # filled by `p2pforum pin` alone
        "peer": ["address", "tried", "bucket", "heard", "day", "failures", "anchor", "record"],
        "rblock": ["board", "lo_hour", "lo_id", "n"],
        "rhour": ["hour", "digest"],
        "reveal": ["key", "row"],
        "words": ["text", "board"],
        "vocabulary": ["term", "doc", "cnt"],  # looks into `words`, keeps nothing
        "words_data": ["id", "block"],
        "words_idx": ["segid", "term", "pgno"],
        "words_config": ["k", "v"],
    }


def test_the_hash_of_the_schema_is_the_one_written_down(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "node.db")) as db:
        assert schema.schema_hash(db) == schema._HASH


def test_opening_again_reads_no_posts_and_imports_no_sqlite_utils(directory: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from p2pforum.store.posts import open_store;"
        "from p2pforum.store.queries import open_reader\n"
        "from p2pforum.core.network_params import params_for\n"
        "with open_store(Path(sys.argv[1]), params_for('test.net')) as store:\n"
        " store.statistics(); open_reader(Path(sys.argv[1])).close()\n"
        "print(sorted({'sqlite_utils', 'trio', 'libp2p', 'click', 'httpx'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(directory)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_an_upgrade_step_that_fails_is_undone(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = ("second", ("CREATE TABLE extra(a) STRICT", "INSERT INTO nowhere VALUES (1)"))
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, second))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(StoreError), open_store(directory, TEST_NETWORK):
        pass
    monkeypatch.undo()
    with ExitStack() as stack:
        assert doctor.check(opened(stack, directory), TEST_NETWORK) == []


def test_an_upgrade_keeps_the_posts(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = ("second", ("CREATE TABLE extra(a INTEGER) STRICT",))
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, second))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with closing(sqlite3.connect(":memory:")) as db:
        schema.create_tables(db)
        monkeypatch.setattr(schema, "_HASH", schema.schema_hash(db))
    with pytest.raises(StoreError, match="older"):
        open_reader(directory)
    with ExitStack() as stack:
        store = opened(stack, directory)
        assert len(store.raw([post.id for post in POSTS])) == len(POSTS)
    open_reader(directory).close()


def test_a_damaged_page_after_a_kill_is_told(directory: Path) -> None:
    """A log left behind says that the last stop was not a clean one: then the pages are checked."""
    path = directory / "node.db"
    with ExitStack() as stack:
        add(opened(stack, directory), [a_post(f"{n:03}" * 1_000, hour=HOUR + 9 + n) for n in range(50)])
    with ExitStack() as stack:
        add(opened(stack, directory), [a_post("Here.", subject="In the log", hour=HOUR + 99)])
        whole, log = bytearray(path.read_bytes()), (directory / "node.db-wal").read_bytes()
    page = whole.index(b"020" * 1_000) // 4_096 * 4_096  # far from what is in the log
    whole[page + 8 : page + 40] = b"\xff" * 32  # where it says which post lies where
    path.write_bytes(whole)
    with ExitStack() as stack:
        opened(stack, directory)  # after a clean stop nothing is read that is not needed
    path.write_bytes(whole)
    (directory / "node.db-wal").write_bytes(log)
    with pytest.raises(StoreError, match="damaged"), open_store(directory, TEST_NETWORK):
        pass


def test_calls_from_many_threads(tmp_path: Path) -> None:
    posts = a_thread(400)
    with ExitStack() as stack:
        store = opened(stack, tmp_path)
        failures: list[BaseException] = []

        def work(mine: int) -> None:
            try:
                for n in range(mine, len(posts), 4):
                    store.add([(posts[n], False)])
                    store.release([posts[n].id])
                    with store.snapshot() as snapshot:
                        items = snapshot.items("general")
                        assert items.keys(0, len(items)) == sorted(items.keys(0, len(items)))
                        assert posts[n].id in {i for _, i in items.keys(0, len(items))}
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(mine,)) for mine in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert doctor.check(store, TEST_NETWORK) == []
        assert store.statistics().posts == len(posts)
