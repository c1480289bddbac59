"""key burn: what goes, with and without a node; what files still hold; what a kill in the middle leaves."""

import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from cli_keys import forms, keystore_of, make_cheap, mine, set_passphrase
from cli_terminal import Terminal
from cli_world import HOUR, PARAMS, ROOT, World, discussion, post

from p2pforum.cli.commands.key_burn import _paths
from p2pforum.cli.context import Context
from p2pforum.config import find_paths
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.forum import drafts
from p2pforum.keystore.contents import Contents, Draft
from p2pforum.store.directory import held
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader

WORD = "zyxwvutsrqponmlkjihgfedcba"  # one word: it stands whole in the search index, too
BODY = f"A text that nobody has had yet, with {WORD} in it."
DRAFT = "A draft that was never sent to anybody at all."


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap(monkeypatch)


def begin(world: World, *more: str, body: str = BODY) -> str:
    return world.ok("post", "library", "--yes", "-s", "Subject", "--json", *more, stdin=body).json["id"]


def leave_traces(world: World, post_id: str) -> None:
    """A draft of an answer, read marks, a petname in the thread of this post."""
    root = parse_id(post_id)
    with keystore_of(world).transaction() as box:
        drafts.keep(box, Draft(drafts.reply_destination(root), "", DRAFT, HOUR))
        box.mark_read(root, [root])
        box.petnames[root, bytes(32)] = "somebody I know well"


def look(reading: sqlite3.Connection) -> None:
    """From now on the write-ahead log can't be emptied: somebody still needs it."""
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM post").fetchone()


def runs(secret: bytes) -> list[bytes]:
    """All parts of 16 bytes."""
    return [secret[i : i + 16] for i in range(len(secret) - 15)]


def everything_in(world: World) -> bytes:
    return b"".join(path.read_bytes() for path in world.home.rglob("*") if path.is_file())


def unsent(world: World) -> list[str]:
    with open_reader(find_paths(world.home).data_dir) as reader:
        return [format_id(row.id) for row in reader.unreleased()]


def release_all(world: World) -> None:
    """As if the network had had all posts."""
    with open_store(find_paths(world.home).data_dir, PARAMS) as store:
        store.release([parse_id(post_id) for post_id in unsent(world)])


@pytest.mark.parametrize("node", [False, True], ids=["without a node", "with a node"])
def test_a_key_goes_with_all_that_was_never_sent(world: World, node: bool) -> None:
    def burn() -> None:
        burnt, kept = begin(world), begin(world, body="Another text.")
        leave_traces(world, burnt)
        box = mine(world)
        (doomed,) = [key for key in box.keys.values() if format_id(key.root) == burnt]
        said = world.ok("key", "burn", burnt[:8], "--yes").out
        assert said.startswith("Burnt 1 key, 1 draft, 1 unsent post; traces of 1 thread.\n")
        assert "found in 0 places." in said
        left = everything_in(world)
        secrets = [*forms(doomed.seed), doomed.public, BODY.encode(), WORD.encode(), DRAFT.encode()]
        assert not [run for secret in secrets for run in runs(secret) if run in left]
        assert b"somebody I know" not in left
        box = mine(world)
        assert [format_id(key.root) for key in box.keys.values()] == [kept]
        assert (box.drafts, box.read, box.petnames) == ({}, {}, {})
        assert unsent(world) == [kept]

    if node:
        with world.node():
            burn()
    else:
        burn()


def test_control_without_cleaning_up_the_words_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed from the table is not removed from the files: the search says so, and so does the exit code."""
    monkeypatch.setattr("p2pforum.store.retention.clean", lambda _store: True)
    made = begin(world)
    with sqlite3.connect(find_paths(world.home).data_dir / "node.db") as reading:
        reading.execute("BEGIN")
        reading.execute(
            "SELECT count(*) FROM post"
        ).fetchone()  # so that closing the store can't empty its log
        result = world.run("key", "burn", made[:8], "--yes")
        assert result.code == 1
        assert "an unsent post" in result.out
        assert WORD.encode() in everything_in(world)
    reading.close()


def test_a_post_that_was_sent_stays(world: World) -> None:
    made = begin(world)
    release_all(world)
    said = world.ok("key", "burn", made[:8], "--yes").out
    assert said.startswith("Burnt 1 key, 0 drafts, 0 unsent posts; traces of 1 thread.\n")
    assert BODY in world.ok("read", made).out.replace("│ ", "")
    assert mine(world) == Contents()


@pytest.mark.parametrize("node", [False, True], ids=["without a node", "with a node"])
def test_the_pin_of_a_burnt_thread_goes(world: World, node: bool) -> None:
    posts, others = discussion(), post("dan", "Another thread.", subject="Other")
    world.keep(*posts, others)
    root = format_id(posts[0].id)
    with world.node() if node else nullcontext():
        world.ok("reply", root, stdin="An answer.")
        for pinned in (root, format_id(others.id)):
            world.ok("pin", pinned)
        assert "a pin of the thread" in world.ok("key", "burn", "--thread", root, "--dry-run").out
        world.ok("key", "burn", "--thread", root, "--yes")
        assert "a pin" not in world.run("key", "burn", "--thread", root, "--dry-run").out
    with open_reader(find_paths(world.home).data_dir) as reader:
        assert reader.pinned() == [others.id]


def test_a_thread(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    root = format_id(posts[0].id)
    world.ok("key", "new", "heron")
    world.ok("reply", root, "--key", "heron", stdin="An answer by the heron.")
    world.ok("reply", root, "--key", "once", stdin="An answer by nobody.")
    leave_traces(world, root)
    burnt = world.ok("key", "burn", "--thread", root[:8], "--yes", "--json").json
    assert (burnt["keys"], burnt["unsent"], burnt["drafts"], burnt["problem"]) == (0, 2, 1, None)
    assert burnt["scan"]["found"] == []
    box = mine(world)
    assert [key.name for key in box.keys.values()] == ["heron"]
    assert (box.speaking, box.read, box.drafts) == ({}, {}, {})
    assert unsent(world) == []


def test_a_thread_that_is_not_here_any_more(world: World) -> None:
    leave_traces_of = format_id(bytes(range(32)))
    world.ok("key", "new", "heron")
    leave_traces(world, leave_traces_of)
    world.ok("key", "burn", "--thread", leave_traces_of[:8], "--yes")
    assert mine(world).read == {}
    assert world.run("key", "burn", "--thread", leave_traces_of[:8], "--yes").code == 3


def test_everything(world: World) -> None:
    made = [begin(world) for _ in range(3)]
    begin(world, "--key", "once")
    world.ok("key", "new", "heron")
    leave_traces(world, made[0])
    seeds = [key.seed for key in mine(world).keys.values()]
    world.ok("key", "burn", "--everything", "--yes")
    assert mine(world) == Contents()
    assert unsent(world) == []
    left = everything_in(world)
    assert not [form for seed in seeds for form in forms(seed) if form in left]
    assert WORD.encode() not in left


def test_it_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ok("key", "new", "heron")
    result = world.run("key", "burn", "heron")
    assert result.code == 5
    assert "add --yes to confirm" in result.err
    for answer, code, left in (("n", 1, 1), ("y", 0, 0)):
        terminal = Terminal("key", "burn", "heron")
        terminal.wait_for('Burn the pseudonym "heron"? It can\'t be undone')
        terminal.type(f"{answer}\n")
        assert terminal.end() == code
        assert len(mine(world).keys) == left


@pytest.mark.parametrize(
    "arguments",
    [(), ("heron", "--everything"), ("--thread", "abcd", "--everything"), ("--everything", "--reveal")],
)
def test_what_is_to_burn_is_said_once(world: World, arguments: tuple[str, ...]) -> None:
    world.ok("key", "new", "heron")
    assert world.run("key", "burn", *arguments, "--yes").code == 2
    assert len(mine(world).keys) == 1


def test_what_is_not_there(world: World) -> None:
    assert world.run("key", "burn", "heron", "--yes").code == 3
    assert world.run("key", "burn", "--thread", "k7q2mf0a", "--yes").code == 3


# --- rehearsals ---------------------------------------------------------------------------------------------


def plant(world: World, post_id: str) -> dict[Path, int]:
    """Copies of what is to burn, in files such as are left behind; and where in them it is."""
    root = parse_id(post_id)
    (key,) = [key for key in mine(world).keys.values() if key.root == root]
    memory = world.home / "memory" / "p2pforum-text-abcdefgh"
    memory.mkdir(parents=True)
    copies = {
        world.home / "data" / "core.1234": key.seed,
        world.home / "keys" / "keystore.new": key.seed[3:21],
        world.home / "data" / "node.db.bak": BODY.encode()[5:],
        world.home / "notes.txt": key.seed.hex().encode(),
        memory / "post.txt": DRAFT.encode(),
        world.home.parent / "stick" / "heron.key": format_id(key.seed).encode(),
    }
    rng = random.Random(7)
    planted = {}
    for path, copy in copies.items():
        path.parent.mkdir(exist_ok=True)
        before = rng.randbytes(rng.randrange(10_000))
        path.write_bytes(before + copy + rng.randbytes(100))
        planted[path] = len(before)
    return planted


def test_a_dry_run_lists_every_place_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = begin(world)
    leave_traces(world, made)
    world.ok("key", "backup", str(world.home / "old-backup"), "--no-passphrase")
    planted = plant(world, made)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(world.home / "memory"))
    before = {path: path.read_bytes() for path in world.home.rglob("*") if path.is_file()}
    arguments = ("key", "burn", made[:8], "--dry-run", "--look-in", str(tmp_path / "stick"))
    found = world.ok(*arguments, "--json").json
    assert {path: path.read_bytes() for path in before} == before
    paths = {(place["path"], place["offset"]) for place in found["found"]}
    assert {(str(path), offset) for path, offset in planted.items()} <= paths
    names = {Path(path).name for path, _ in paths}
    assert {"keystore", "old-backup", "node.db"} <= names, "and where they belong"
    assert (str(world.home / "data" / "node.db"), None) in paths, "the search index"
    shown = world.ok(*arguments).out
    for path, offset in planted.items():
        assert f"{path.name} at {offset}: " in shown
    assert not [word for word in (WORD, DRAFT) if word in shown], "it names places, and shows nothing"

    result = world.run("key", "burn", made[:8], "--yes", "--json", "--look-in", str(tmp_path / "stick"))
    assert result.code == 1
    left = {(place["path"], place["offset"]) for place in result.json["scan"]["found"]}
    own = {str(world.home / part) for part in ("keys/keystore", "keys/keystore.new", "data/node.db")}
    assert left == {place for place in paths if place[0] not in own}


def test_a_dry_run_looks_into_the_write_ahead_log(world: World) -> None:
    world.ok("key", "new", "heron")
    begin(world, body="Something else.")
    with sqlite3.connect(find_paths(world.home).data_dir / "node.db") as reading:
        look(reading)
        made = begin(world)
        found = world.ok("key", "burn", made[:8], "--dry-run", "--json").json["found"]
        assert "node.db-wal" in {Path(place["path"]).name for place in found if place["offset"] is not None}
        found = world.ok("key", "burn", "heron", "--dry-run", "--json").json["found"]
        assert "node.db-wal" not in {Path(place["path"]).name for place in found}, "control: it wrote nothing"
    reading.close()


def test_sealed_files_are_named(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_passphrase(world, monkeypatch)
    world.ok("init")
    world.ok("key", "new", "heron")
    backup = world.home / "backup"
    world.ok("key", "backup", str(backup), "--passphrase-file", str(world.home / "passphrase"))
    shown = world.ok("key", "burn", "heron", "--dry-run").out
    assert "keys/keystore: sealed in the keystore" in shown
    assert "backup: a backup or another keystore: it may hold this, too" in shown
    burnt = world.ok("key", "burn", "heron", "--yes").out
    assert "backup: a backup or another keystore: it may hold this, too" in burnt
    assert "sealed in the keystore" not in burnt


def test_where_it_looks(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a home of its own: the three directories, and what editors left in memory and in /tmp."""
    left = tmp_path / "xdg_runtime_dir" / "p2pforum-text-12345678"
    left.mkdir(parents=True)
    monkeypatch.delenv("P2PFORUM_HOME")
    context = Context()
    paths = context.session.paths
    found = _paths(context, ("elsewhere",))
    assert found[:3] == [paths.data_dir, paths.keys_dir, paths.config_file.parent]
    assert left in found
    assert found[-1] == Path("elsewhere")


# --- when things go wrong -----------------------------------------------------------------------------------


def test_a_store_that_nobody_lets_go_of_keeps_no_key_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pforum.app.delivery._PATIENCE", 0.2)
    made = begin(world)
    with held(find_paths(world.home).data_dir):
        result = world.run("key", "burn", made[:8], "--yes")
    assert result.code == 1
    assert "unsent posts are still in the store" in result.err
    assert "an unsent post" in result.out
    assert mine(world) == Contents()
    world.ok("key", "burn", "--thread", made[:8], "--yes")
    assert unsent(world) == []
    assert WORD.encode() not in everything_in(world)


def test_a_reader_in_the_way_is_said(world: World) -> None:
    """It needs the old state, so the log can't be emptied: what is left in it is found and listed."""
    made = begin(world)
    with sqlite3.connect(find_paths(world.home).data_dir / "node.db") as reading:
        look(reading)
        result = world.run("key", "burn", made[:8], "--yes")
    reading.close()
    assert result.code == 1
    assert "another program reads the store" in result.err
    assert re.search(r"node\.db(-wal)? at \d+: an unsent post", result.out)
    begin(world, body="Another text.")
    assert WORD.encode() not in everything_in(world), "the next to write empties it"


PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from p2pforum.cli.main import main; main()"


FORGET = f"""
import os, sys
from pathlib import Path
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "cli")!r}, {str(ROOT / "tests")!r}]
from cli_world import PARAMS
from p2pforum.store.posts import open_store
from p2pforum.store.retention import forget
with open_store(Path(sys.argv[1]), PARAMS) as store:
    forget(store, [bytes.fromhex(sys.argv[2])])
    os._exit(0)
"""


def test_killed_before_the_store_is_clean_the_next_burn_cleans_it(world: World) -> None:
    """The post is gone by the log, which nobody has copied in: the database still has its bytes."""
    made = begin(world)
    directory = find_paths(world.home).data_dir
    subprocess.run([sys.executable, "-c", FORGET, str(directory), parse_id(made).hex()], check=True)
    assert unsent(world) == []
    (public,) = mine(world).keys
    assert public in (directory / "node.db").read_bytes()
    out = world.ok("key", "burn", "--thread", made, "--yes").out
    assert "found in 0 places" in out
    assert public not in everything_in(world)


def restore(home: Path, saved: dict[Path, bytes]) -> None:
    """As it was, and nothing beside it: a log beside an older database would be taken for its own."""
    for path in home.rglob("*"):
        if path.is_file():
            path.unlink()
    for path, content in saved.items():
        path.touch(0o600)
        path.write_bytes(content)


@pytest.mark.slow
def test_killed_in_the_middle_it_is_whole_or_gone(world: World) -> None:
    """Whatever the moment: of the thread there is nothing left in the keystore, or all of it. Then a second
    burn finds the key, or only posts that nobody had, and takes the rest."""
    made = begin(world)
    leave_traces(world, made)
    (public,) = mine(world).keys
    saved = {path: path.read_bytes() for path in world.home.rglob("*") if path.is_file()}
    command = [sys.executable, "-c", PROGRAM, "key", "burn", "--thread", made, "--yes"]
    begun = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    whole = time.monotonic() - begun  # on this machine, as busy as it is
    outcomes = []
    for moment in range(12):
        restore(world.home, saved)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                process.wait(whole * moment / 12)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        outcomes.append(process.returncode)
        box = mine(world)
        is_whole = int(public in box.keys)
        assert [len(part) for part in (box.keys, box.drafts, box.read, box.petnames)] == [is_whole] * 4
        again = world.run("key", "burn", "--thread", made, "--yes")
        assert again.code in (0, 3), "3: nothing is left to burn"
        assert mine(world) == Contents()
        assert unsent(world) == []
        assert WORD.encode() not in everything_in(world)
    assert -signal.SIGKILL in outcomes


def test_reveal(world: World) -> None:
    """First the secret goes out in a post of its own, then the key burns; that post stays."""
    made = begin(world)
    release_all(world)
    (key,) = mine(world).keys.values()
    said = world.ok("key", "burn", made[:8], "--reveal", "--yes").out
    assert "found in 0 places" in said
    assert mine(world) == Contents()
    assert len(unsent(world)) == 1, "it leaves when the node runs"
    assert key.seed in everything_in(world), "for everyone to read"


def test_a_secret_that_nobody_took_burns_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pforum.app.delivery._PATIENCE", 0.2)
    made = begin(world)
    release_all(world)
    with held(find_paths(world.home).data_dir):
        result = world.run("key", "burn", made[:8], "--reveal", "--yes")
    assert result.code == 5
    assert "nothing was burnt" in result.err
    assert len(mine(world).keys) == 1
    world.ok("key", "new", "heron")
    assert world.run("key", "burn", "heron", "--reveal", "--yes").code == 3, "it signed nothing"
    assert len(mine(world).keys) == 2


def test_threads_that_begin_alike(world: World) -> None:
    roots = [bytes([1]) * 31 + bytes([n]) for n in range(2)]
    world.ok("key", "new", "heron")
    for root in roots:
        leave_traces(world, format_id(root))
    result = world.run("key", "burn", "--thread", format_id(roots[0])[:10], "--yes")
    assert result.code == 3
    assert "several of your threads begin with" in result.err
    assert world.run("key", "burn", "--thread", "no ID at all", "--yes").code == 3
    assert len(mine(world).read) == 2
