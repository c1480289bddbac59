"""Burning: what goes, what stays, what any file still holds, and what a kill in the middle leaves."""

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from forum_world import Person, Shelf, a_person
from hypothesis import given
from hypothesis import strategies as st
from keystore_samples import CHEAP, PASSPHRASE, a_keystore, contents, reopened, some_key
from strategies import HOUR, a_key, a_post

from p2pforum.core.errors import KeystoreError, NodeUnreachable, NotFound, WrongPassphrase
from p2pforum.core.post_id import format_id
from p2pforum.forum import burning, drafts, scanning
from p2pforum.forum.backup import back_up, merge, restore
from p2pforum.forum.keys import export_key
from p2pforum.forum.scanning import Finding, Secret, scan
from p2pforum.keystore import contents as keystore_contents
from p2pforum.keystore.backup import is_encrypted_backup
from p2pforum.keystore.contents import Contents, Draft

TESTS = Path(__file__).parents[1]
QUOTE = "> a line that somebody else wrote and everyone can read"
TEXT = f"{QUOTE}\nWhat I meant to answer and never sent."


class Past:
    """A person with two threads of their own, a pseudonym, and traces of all of them."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.burnt, self.kept = (person.publisher.new_thread("b", "s", str(n)).post for n in range(2))
        self.answered = a_post("an answer", root=self.burnt.id)
        person.shelf.put(self.answered)
        person.shelf.trouble = NodeUnreachable("")
        self.waiting = person.publisher.reply(self.burnt.id, "waits in the outbox").post
        person.shelf.trouble = None
        self.heron = some_key(9, name="heron")
        with person.keystore.transaction() as box:
            box.keys[self.heron.public] = self.heron
            for post in (self.burnt, self.kept):
                box.mark_read(post.id, [post.id])
                box.petnames[post.id, a_key(1)] = "somebody else"
            for draft in (
                Draft(drafts.reply_destination(self.answered.id), "", TEXT, HOUR),
                Draft(drafts.reply_destination(self.kept.id), "", "another draft that stays", HOUR),
                Draft("board b", "Subject", "a new thread, not begun", HOUR),
            ):
                drafts.keep(box, draft)
        self.seed = person.keystore.read().keys[self.burnt.author].seed


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(a_person(tmp_path / "keys"))


def test_a_key_goes_with_all_traces_of_its_thread(past: Past, tmp_path: Path) -> None:
    choose = burning.the_key(past.burnt.author)
    burnt = burning.burn(past.person.keystore, choose, past.person.shelf, [tmp_path])
    assert (burnt.keys, burnt.outbox, burnt.drafts, burnt.threads) == (1, 1, 1, 1)
    assert burnt.scan.findings == []
    assert burnt.scan.files == 2
    box = past.person.keystore.read()
    assert box.keys.keys() == {past.kept.author, past.heron.public}
    assert (box.speaking.keys(), box.read.keys()) == ({past.kept.id}, {past.kept.id})
    assert {root for root, _ in box.petnames} == {past.kept.id}
    assert len(box.drafts) == 2
    assert box.outbox == []


def test_a_thread_goes_and_a_pseudonym_that_spoke_there_stays(past: Past) -> None:
    with past.person.keystore.transaction() as box:
        box.speaking[past.burnt.id] = past.heron.public
    burning.burn(past.person.keystore, burning.the_thread(past.burnt.id), past.person.shelf, [])
    box = past.person.keystore.read()
    assert box.keys.keys() == {past.kept.author, past.heron.public}
    assert box.speaking.keys() == {past.kept.id}


def test_a_pseudonym_goes_from_every_thread(past: Past) -> None:
    past.person.publisher.new_thread("b", "s", "t", key="heron")
    burning.burn(past.person.keystore, burning.the_key(past.heron.public), past.person.shelf, [])
    box = past.person.keystore.read()
    assert box.pseudonym("heron") is None
    assert past.heron.public not in box.speaking.values()
    assert past.burnt.author in box.keys


def test_everything_goes(past: Past, tmp_path: Path) -> None:
    burnt = burning.burn(past.person.keystore, burning.everything, past.person.shelf, [tmp_path])
    assert burnt.keys == 3
    assert burnt.scan.findings == []
    assert past.person.keystore.read() == Contents()


def test_posts_that_nobody_has_had_go_first(past: Past, tmp_path: Path) -> None:
    """With their key: as nobody knows it, it must not be found either. Those of other threads stay."""
    shelf = past.person.shelf
    shelf.released = False
    mine = past.person.publisher.new_thread("b", "A subject", "nobody has seen this text yet").post
    other = past.person.publisher.new_thread("b", "A subject", "of another thread").post
    (tmp_path / "copy").write_bytes(mine.author)
    (tmp_path / "copy of a known one").write_bytes(past.kept.author)

    class Posts:
        forgotten: tuple[bytes, ...] = ()

        def forget(self, ids: list[bytes]) -> None:
            assert mine.author in past.person.keystore.read().keys, "so a burn cut short can be repeated"
            self.forgotten += tuple(ids)

        def unpin(self, roots: list[bytes]) -> None:
            assert roots == []

        def scrub(self) -> None:
            assert self.forgotten

    posts = Posts()
    burnt = burning.burn(past.person.keystore, burning.the_key(mine.author), shelf, [tmp_path], posts)
    assert (posts.forgotten, burnt.unsent) == ((mine.id,), 1)
    assert [(f.path.name, f.what) for f in burnt.scan.findings] == [("copy", "a key that nobody has seen")]
    assert other.author in past.person.keystore.read().keys
    burnt = burning.burn(past.person.keystore, burning.the_key(past.kept.author), shelf, [tmp_path], posts)
    assert burnt.scan.findings == [], "a key that posts show to everyone is no secret"


def test_what_is_not_there_cannot_be_burnt(past: Past) -> None:
    with pytest.raises(NotFound):
        burning.burn(past.person.keystore, burning.the_key(bytes(32)), past.person.shelf, [])


def test_a_rehearsal_names_every_place_and_changes_nothing(past: Past, tmp_path: Path) -> None:
    """Copies are planted in a log, a temporary file, a database and its log; all are found."""
    before = past.person.keystore.path.read_bytes()
    rng = random.Random(1)
    planted = plant(tmp_path, past, rng)
    choose = burning.the_key(past.burnt.author)
    found = burning.rehearse(past.person.keystore, choose, past.person.shelf, [tmp_path])
    assert past.person.keystore.path.read_bytes() == before
    places = {(finding.path, finding.offset) for finding in found.findings}
    assert planted <= places
    assert past.person.keystore.path in {path for path, _ in places}, "a plain keystore holds it readably"
    assert found.unread == []

    burnt = burning.burn(past.person.keystore, choose, past.person.shelf, [tmp_path])
    left = {(finding.path, finding.offset) for finding in burnt.scan.findings}
    assert left == {place for place in places if place[0] != past.person.keystore.path}


def plant(directory: Path, past: Past, rng: random.Random) -> set[tuple[Path, int]]:
    key = past.person.keystore.read().keys[past.burnt.author]
    copies = {
        "shell_history": export_key(key).encode(),
        "core": key.seed,
        "notes.txt": key.seed.hex().encode(),
        "node.db-wal": key.seed[7:23],
        ".draft.swp": TEXT.encode(),
        "outbox.cbor": past.waiting.raw,
    }
    planted = set()
    for name, copy in copies.items():
        before = rng.randbytes(rng.randrange(1, 5000))
        (directory / name).write_bytes(before + copy + rng.randbytes(50))
        extra = copy.find(format_id(key.seed).encode()) if name == "shell_history" else 0
        extra = len(QUOTE) if name == ".draft.swp" else extra
        extra = copy.find(past.waiting.body.encode()) if name == "outbox.cbor" else extra
        planted.add((directory / name, len(before) + extra))
    return planted


def test_a_sealed_keystore_is_named_too(tmp_path: Path) -> None:
    past = Past(a_person(tmp_path / "keys", passphrase=PASSPHRASE))
    choose = burning.the_thread(past.burnt.id)
    found = burning.rehearse(past.person.keystore, choose, past.person.shelf, [tmp_path])
    assert found.findings == [Finding(past.person.keystore.path, -1, 0, "sealed in the keystore")]
    burning.burn(past.person.keystore, choose, past.person.shelf, [])
    again = burning.rehearse(past.person.keystore, choose, past.person.shelf, [tmp_path])
    assert again.findings == []


def test_the_old_blocks_of_the_keystore_are_wiped(past: Past) -> None:
    with open(past.person.keystore.path, "rb") as old_blocks:
        assert past.seed in old_blocks.read()
        burning.burn(past.person.keystore, burning.everything, past.person.shelf, [])
        old_blocks.seek(0)
        assert past.seed not in old_blocks.read()


def test_secure_delete_without_truncating_the_log_is_not_enough(tmp_path: Path) -> None:
    """Control for every claim about databases: the scan sees what SQLite leaves in its log."""
    secret = Secret("a draft", b"a text of some length that was deleted")
    db = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA secure_delete = ON")
    db.execute("CREATE TABLE draft (body TEXT)")
    db.execute("INSERT INTO draft VALUES (?)", (secret.value.decode(),))
    db.execute("DELETE FROM draft")
    assert {f.path.name for f in scan([tmp_path], [secret]).findings} == {"some.db-wal"}
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert scan([tmp_path], [secret]).findings == []
    db.close()


@pytest.mark.parametrize("extra", [0, 100], ids=["few blocks", "many blocks"])
@given(data=st.data())
def test_every_run_of_sixteen_bytes_is_found(
    extra: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """At any offset, from any part of a secret, at the edge of a chunk; shorter runs are not."""
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    secret = rng.randbytes(data.draw(st.integers(32, 200)))
    others = [Secret("other", rng.randbytes(32)) for _ in range(extra)]
    length = data.draw(st.integers(8, len(secret)))
    start = data.draw(st.integers(0, len(secret) - length))
    offset = data.draw(st.integers(0, 300) | st.integers(4096 - 210, 4096 + 10))
    path = tmp_path_factory.mktemp("scan") / "file"
    part = secret[start : start + length]
    path.write_bytes(bytes(offset) + part + bytes(5000))
    found = scan([path], [Secret("it", secret), *others], chunk_size=4096).findings
    if length >= scanning.RUN:
        assert found
        assert found[0].offset <= offset + 16
        assert all(offset - 1 <= f.offset < offset + length for f in found)
        assert {(f.path, f.what) for f in found} == {(path, "it")}
    elif length < scanning.RUN - 2:  # a byte of zero may lengthen it by chance
        assert found == []


def test_links_are_not_followed_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    secret = Secret("it", random.Random(2).randbytes(32))
    (tmp_path / "outside").write_bytes(secret.value)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "outside")
    (inside / "empty").touch()
    result = scan([inside, tmp_path / "no-such"], [secret])
    assert (result.findings, result.files, result.unread) == ([], 1, [])
    assert len(scan([tmp_path / "outside", tmp_path], [secret]).findings) == 1


KILLED = f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS / "keystore"), str(TESTS / "forum"), str(TESTS.parent)]!r}
from pathlib import Path
from forum_world import Shelf
from keystore_samples import reopened
from p2pforum.forum import burning
keystore = reopened(Path(sys.argv[1]))
for public, key in list(keystore.read().keys.items()):
    sys.stdin.readline()  # one for each: it burns no more than it is told
    burning.burn(keystore, burning.the_key(public), Shelf(), [])
    print(key.root.hex(), flush=True)
"""


@pytest.mark.slow
def test_killed_in_the_middle_a_thread_is_whole_or_gone(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    with keystore.transaction() as box:
        for n in range(150):
            key = some_key(n, root=bytes([n]) * 32)
            box.keys[key.public] = key
            box.speaking[key.root] = key.public
            box.mark_read(key.root, [key.root])
            drafts.keep(box, Draft(drafts.reply_destination(key.root), "", "x", HOUR))
    rng, left = random.Random(3), 150
    for _ in range(6):
        command = [sys.executable, "-c", KILLED, str(tmp_path)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            whole = rng.randrange(1, 5)
            print(
                "\n" * whole, file=process.stdin, flush=True
            )  # and one more, in the middle of which it dies
            gone = [process.stdout.readline().strip() for _ in range(whole)]
            with suppress(subprocess.TimeoutExpired):
                process.wait(rng.random() * 0.03)
            process.kill()
            gone += process.stdout.read().split()
        assert process.returncode == -signal.SIGKILL
        box = reopened(tmp_path).read()
        roots = {key.root for key in box.keys.values()}
        assert roots == box.speaking.keys() == box.read.keys()
        assert roots == {drafts.post_of(draft.destination) for draft in box.drafts.values()}
        assert not roots & {bytes.fromhex(root) for root in gone if len(root) == 64}
        assert len(gone) <= left - len(roots) <= len(gone) + 1
        left = len(roots)


@pytest.mark.slow
@given(contents)
def test_merging_into_nothing_gives_all_of_it(saved: Contents) -> None:
    box = Contents()
    merge(box, keystore_contents.decode(keystore_contents.encode(saved)))
    assert {**vars(box), "keys": None} == {**vars(saved), "keys": None}
    assert box.keys.keys() == saved.keys.keys()


def test_a_restore_on_a_clean_machine_brings_everything_back(past: Past, tmp_path: Path) -> None:
    path = tmp_path / "stick" / "backup"
    path.parent.mkdir()
    back_up(past.person.keystore, path, b"of the backup", CHEAP)
    assert is_encrypted_backup(path, CHEAP)
    assert past.seed not in path.read_bytes()
    other = a_keystore(tmp_path / "clean")
    with pytest.raises(WrongPassphrase):
        restore(other, path, lambda: b"wrong", CHEAP)
    restored = restore(other, path, lambda: b"of the backup", CHEAP)
    assert other.read() == past.person.keystore.read()
    assert (restored.keys, restored.drafts, restored.petnames, restored.threads, restored.outbox) == (
        3,
        3,
        2,
        2,
        1,
    )
    assert not any(key.warned for key in other.read().keys.values())
    reply = Person(other, past.person.shelf).publisher.reply(past.kept.id, "from the new machine")
    assert reply.post.author == past.kept.author


def test_a_restore_adds_and_takes_nothing_away(past: Past, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    back_up(past.person.keystore, path, None)
    assert not is_encrypted_backup(path)
    newer = past.person.publisher.reply(past.kept.id, "after the backup").post
    with past.person.keystore.transaction() as box:
        del box.keys[past.heron.public]
        (edited,) = drafts.for_destination(box, "board b")
        drafts.keep(box, Draft("board b", "Newer", "text", HOUR + 1), edited)
        other = some_key(77, name="heron")
        box.keys[other.public] = other
    restored = restore(past.person.keystore, path, lambda: b"")
    assert (restored.keys, restored.drafts) == (1, 1)
    box = past.person.keystore.read()
    assert box.keys[newer.author].posts == 2
    assert {kept.draft.subject for kept in drafts.for_destination(box, "board b")} == {"Newer", "Subject"}
    again = restore(past.person.keystore, path, lambda: b"")
    assert again.drafts == 0, "one draft does not become two by a second restore"
    assert sorted(key.name for key in box.keys.values() if key.name) == ["heron", "heron (2)"]


def test_a_backup_made_after_a_burn_cannot_sign(past: Past, tmp_path: Path) -> None:
    burning.burn(past.person.keystore, burning.the_key(past.burnt.author), past.person.shelf, [])
    back_up(past.person.keystore, tmp_path / "backup", None)
    other = a_keystore(tmp_path / "clean", None)
    restore(other, tmp_path / "backup", lambda: b"")
    assert past.burnt.author not in other.read().keys
    assert past.seed not in (tmp_path / "backup").read_bytes()


def test_backups_replace_nothing_and_bad_ones_are_refused(past: Past, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_bytes(b"a letter")
    with pytest.raises(KeystoreError, match="exists already"):
        back_up(past.person.keystore, path, None)
    assert path.read_bytes() == b"a letter"
    before = past.person.keystore.path.read_bytes()
    for bad in (path, tmp_path / "none", tmp_path):
        with pytest.raises(KeystoreError):
            restore(past.person.keystore, bad, lambda: b"")
    with pytest.raises(KeystoreError, match="empty"):
        back_up(past.person.keystore, tmp_path / "other", b"")
    with pytest.raises(KeystoreError, match="cannot write"):
        back_up(past.person.keystore, tmp_path / "no" / "such" / "place", None)
    assert past.person.keystore.path.read_bytes() == before
    assert Shelf().rows == {}
