"""The keystore's files by command: passphrases, the agent, backups, and files that can't be used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_keys import keystore_of, make_cheap, mine, set_passphrase
from cli_terminal import Terminal
from cli_world import CONFIG, HOUR, ROOT, World, discussion

from p2pforum.agent import client
from p2pforum.app import checks
from p2pforum.config import find_paths
from p2pforum.core.post_id import format_id
from p2pforum.forum.drafts import board_destination, keep
from p2pforum.keystore import files as keystore_files
from p2pforum.keystore import keystore
from p2pforum.keystore.contents import Draft

WRONG = "error: the passphrase does not open this keystore\n"
OPENING = [
    ("key", "list"),
    ("key", "show", "heron"),
    ("key", "new", "another"),
    ("key", "export", "heron"),
    ("key", "burn", "heron", "--yes"),
    ("key", "burn", "--everything", "--dry-run"),
    ("key", "backup", "FILE", "--no-passphrase"),
    ("name",),
    ("unlock",),
    ("passphrase", "--remove"),
    ("post", "library", "-s", "S"),
]


@pytest.fixture(autouse=True)
def _cheap(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    make_cheap(monkeypatch)
    yield
    client.lock(find_paths(world.home).keystore_file)


@pytest.fixture
def sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A keystore with a passphrase, which the environment has."""
    set_passphrase(world, monkeypatch)
    world.ok("init")
    world.ok("key", "new", "heron")
    return world


def files(world: World) -> dict[str, bytes]:
    directory = find_paths(world.home).keys_dir
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file()}


def named(arguments: tuple[str, ...], tmp_path: Path) -> list[str]:
    return [str(tmp_path / "file") if word == "FILE" else word for word in arguments]


@pytest.mark.parametrize("arguments", OPENING, ids=" ".join)
def test_a_wrong_passphrase_gets_the_same_words_and_changes_nothing(
    sealed: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    before = files(sealed)
    said = set()
    for wrong in ("x", "correct horsf", "correct horse ", "c" * 4000):
        set_passphrase(sealed, monkeypatch, wrong)
        result = sealed.run(*named(arguments, tmp_path), stdin="Text")
        error, *kept = result.err.splitlines(keepends=True)
        said.add((result.code, result.out, error))
        assert [line[:27] for line in kept] == (
            ["The text is in memory only:", "To keep it: p2pforum drafts"] if arguments[0] == "post" else []
        )
    assert said == {(1, "", WRONG)}
    assert files(sealed) == before
    assert not (tmp_path / "file").exists()


def test_a_text_for_a_wrong_passphrase_is_kept_under_the_right_one(
    sealed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_passphrase(sealed, monkeypatch, "wrong")
    for command in (("post", "library", "-s", "S"), ("reply", "zzzz"), ("edit", "zzzz")):
        assert sealed.run(*command, stdin="Text").code in (1, 3)
    set_passphrase(sealed, monkeypatch, "correct horse")
    rows = sealed.ok("drafts", "--json").json
    assert {(row["destination"], row["body"]) for row in rows} == {
        ("board library", "Text"),
        ("reply zzzz", "Text"),
        ("edit zzzz", "Text"),
    }


def test_a_wrong_passphrase_takes_the_same_path(sealed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One derivation and one attempt to open, right or wrong: nothing else takes time that could tell."""
    steps: list[str] = []
    for name in ("derive", "unseal"):
        real = getattr(keystore, name)

        def counted(*args: object, real: object = real, name: str = name) -> object:
            steps.append(name)
            return real(*args)  # type: ignore[operator]

        monkeypatch.setattr(keystore, name, counted)
    paths = []
    for text in ("correct horse", "wrong", "", "w" * 3000):
        if text:
            set_passphrase(sealed, monkeypatch, text)
            steps.clear()
            sealed.run("key", "list")
            paths.append(list(steps))
    assert paths == [["derive", "unseal"]] * 3


def test_without_the_passphrase_no_file_says_anything(sealed: World) -> None:
    """Keys, drafts and petnames: all are sealed. In plain they are there for everyone: the control."""
    posts = discussion()
    sealed.keep(*posts)
    sealed.ok("name", format_id(posts[1].id), "A petname of mine")
    with keystore_of(sealed).transaction() as box:
        keep(box, Draft(board_destination("library"), "Subject", "a draft of some length", HOUR))
    secrets = [key.seed for key in mine(sealed).keys.values()]
    secrets += [b"A petname of mine", b"a draft of some length", b"heron"]
    held = b"".join(files(sealed).values())
    assert not [secret for secret in secrets if secret in held]
    sealed.ok("passphrase", "--remove")
    held = b"".join(files(sealed).values())
    assert not [secret for secret in secrets if secret not in held]


def test_another_passphrase(sealed: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.write_text("battery staple\n")
    fresh.chmod(0o600)
    sealed.ok("unlock")
    assert sealed.ok("passphrase", "--new-file", str(fresh)).out == "The passphrase is changed.\n"
    assert client.ask_status(find_paths(sealed.home).keystore_file) is None, "and what was unlocked is not"
    assert sealed.run("key", "list").err == WRONG
    set_passphrase(sealed, monkeypatch, "battery staple")
    assert "heron" in sealed.ok("key", "list").out
    assert "no passphrase" in sealed.ok("passphrase", "--remove").err
    monkeypatch.delenv("P2PFORUM_PASSPHRASE_FILE")
    assert "heron" in sealed.ok("key", "list").out
    assert sealed.run("passphrase", "--remove", "--new-file", "x").code == 2


def test_the_present_passphrase_is_asked_for_while_unlocked(
    sealed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed.ok("unlock")
    monkeypatch.delenv("P2PFORUM_PASSPHRASE_FILE")
    before = files(sealed)
    for arguments in (("passphrase", "--remove"), ("unlock",)):
        result = sealed.run(*arguments)
        assert result.code == 1
        assert "there is no terminal to ask you" in result.err
    assert files(sealed) == before
    assert "heron" in sealed.ok("key", "list").out, "control: other commands ask the agent"


@pytest.mark.slow
def test_passphrases_typed_on_a_terminal(world: World) -> None:
    world.ok("key", "new", "heron")
    terminal = Terminal("passphrase")
    for prompt in ("New passphrase", "Repeat the passphrase"):
        terminal.wait_for(prompt)
        terminal.type("correct horse\n")
    assert terminal.end() == 0
    terminal = Terminal("unlock", "--for", "5")
    terminal.wait_for("Passphrase: ")
    terminal.type("correct horse\n")
    assert terminal.end() == 0
    assert "correct" not in terminal.screen
    terminal = Terminal("key", "list")
    assert terminal.end() == 0
    assert "Passphrase" not in terminal.screen
    assert "heron" in terminal.screen
    assert world.process("lock").out == "Locked.\n"
    terminal = Terminal("key", "list")
    terminal.wait_for("Passphrase: ")
    terminal.type("wrong\n")
    assert terminal.end() == 1
    assert "does not open this keystore" in terminal.screen


def test_unlocked_and_locked(sealed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sealed.ok("unlock", "--for", "30").out == "Unlocked. Locks again after 30 minutes without use.\n"
    monkeypatch.delenv("P2PFORUM_PASSPHRASE_FILE")
    made = sealed.ok("post", "library", "-s", "S", "--json", stdin="Text").json
    assert "you" in sealed.ok("read", made["id"]).out, "reading knows what is mine"
    assert "unlocked, locks after 30 minutes without use" in sealed.ok("status").out
    assert sealed.ok("status", "--json").json["keystore"]["outbox"] == 0
    assert sealed.ok("lock").out == "Locked.\n"
    assert sealed.ok("lock").out == "Nothing was unlocked.\n"
    assert sealed.ok("status", "--json").json["keystore"]["outbox"] is None
    assert "you" not in sealed.ok("read", made["id"]).out
    result = sealed.run("post", "library", "-s", "S", stdin="Text")
    assert result.code == 1
    assert "there is no terminal to ask you" in result.err
    for minutes in ("0", "721", "x"):
        assert sealed.run("unlock", "--for", minutes).code == 2


def test_memory_that_may_be_swapped_is_said(sealed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for is_locked in (True, False):
        status = client.AgentStatus(1, 60, 60, is_locked)
        monkeypatch.setattr(client, "ask_status", lambda _path, status=status: status)
        assert ("swap" in sealed.ok("unlock").err) is not is_locked


def test_a_plain_keystore_is_never_locked(world: World) -> None:
    assert "is not there yet" in world.run("unlock").err
    world.ok("key", "new", "heron")
    result = world.run("unlock")
    assert result.code == 1
    assert "has no passphrase, so it is never locked" in result.err
    assert world.run("passphrase").code == 1


# --- backups ----------------------------------------------------------------------------------------------


def fill(world: World) -> None:
    """Something of everything that a keystore holds."""
    posts = discussion()
    world.keep(*posts)
    made = [world.ok("post", "library", "-s", f"S{n}", "--json", stdin="Text").json["id"] for n in range(5)]
    world.ok("reply", made[0], stdin="More")
    world.ok("key", "keep", made[1][:8])
    world.ok("name", format_id(posts[1].id), "Bob")
    with keystore_of(world).transaction() as box:
        box.mark_read(posts[0].id, [post.id for post in posts])
        keep(box, Draft(board_destination("library"), "Subject", "a draft", HOUR))


@pytest.mark.slow
def test_a_backup_brings_everything_to_a_clean_machine(
    sealed: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(sealed)
    before = mine(sealed)
    other = tmp_path / "other"
    other.write_text("of the backup\n")
    other.chmod(0o600)
    backup = tmp_path / "stick"
    said = sealed.ok("key", "backup", str(backup), "--passphrase-file", str(other))
    assert said.out.startswith("Backed up 6 keys, 1 draft, 1 petname to ")
    assert backup.stat().st_mode & 0o077 == 0
    assert sealed.run("key", "backup", str(backup), "--passphrase-file", str(other)).code == 1, (
        "replaces none"
    )

    clean = World(tmp_path / "clean")
    clean.home.mkdir()
    (clean.home / "config.toml").write_text(CONFIG)
    monkeypatch.setenv("P2PFORUM_HOME", str(clean.home))
    monkeypatch.delenv("P2PFORUM_PASSPHRASE_FILE")
    wrong = clean.run("key", "restore", str(backup), "--passphrase-file", str(sealed.home / "passphrase"))
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err.endswith(WRONG)
    assert not find_paths(clean.home).keystore_file.exists()
    (clean.home / "passphrase").write_bytes(other.read_bytes())
    (clean.home / "passphrase").chmod(0o600)
    said = clean.ok("key", "restore", str(backup), "--passphrase-file", str(other), "--json")
    restored = said.json
    assert "Made a keystore with the backup's passphrase" in said.err
    assert restored == {"keys": 6, "drafts": 1, "petnames": 1, "threads": 1, "outbox": 0}
    assert mine(clean) == before
    assert keystore_of(clean).is_encrypted, "what was sealed is never in plain"
    monkeypatch.setenv("P2PFORUM_PASSPHRASE_FILE", str(other))
    again = clean.ok("key", "restore", str(backup), "--passphrase-file", str(other))
    assert again.out == "Nothing was missing.\n"


def test_a_backup_without_a_passphrase_is_a_choice(world: World, tmp_path: Path) -> None:
    assert world.run("key", "backup", str(tmp_path / "b"), "--no-passphrase").code == 1, "nothing is there"
    world.ok("key", "new", "heron")
    assert world.run("key", "backup", str(tmp_path / "b")).code == 1, "nobody can be asked"
    assert not (tmp_path / "b").exists()
    assert (
        "anybody who has that file can sign as you"
        in world.ok("key", "backup", str(tmp_path / "b"), "--no-passphrase").err
    )
    world.ok("key", "burn", "heron", "--yes")
    assert world.ok("key", "restore", str(tmp_path / "b")).out == "Brought back 1 key.\n"


def test_what_is_no_backup_makes_no_keystore(world: World, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Ada")
    for path in (tmp_path / "letter", tmp_path / "none", tmp_path):
        assert world.run("key", "restore", str(path)).code == 1
    assert not find_paths(world.home).keys_dir.exists()


# --- files that can't be used -------------------------------------------------------------------------------


def damage(path: Path, how: str) -> None:
    raw = bytearray(path.read_bytes())
    if how == "damaged":
        raw[1000] ^= 1
    elif how == "truncated":
        del raw[40_000:]
    elif how == "empty":
        raw.clear()
    elif how == "future":
        raw[8] = 2
    path.write_bytes(raw)
    if how == "world-readable":
        path.chmod(0o644)


SAYS = {
    "damaged": "the keystore file is damaged; restore a backup",
    "truncated": "the keystore file is truncated; restore a backup",
    "empty": "this is not a keystore file",
    "future": "written by a newer version of p2pforum",
    "world-readable": "run: chmod 600",
    "foreign": "belongs to another user",
}


@pytest.mark.parametrize("how", SAYS)
def test_files_that_can_not_be_used_are_named_and_left_alone(
    sealed: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    path = find_paths(sealed.home).keystore_file
    damage(path, how)
    if how == "foreign":
        monkeypatch.setattr(keystore_files.os, "geteuid", lambda: os.getuid() + 1)
    before = path.read_bytes()
    for arguments in OPENING:
        result = sealed.run(*named(arguments, tmp_path), stdin="Text")
        assert result.code == 1, arguments
        assert SAYS[how] in result.err
        assert result.out == ""
    assert path.read_bytes() == before
    assert sealed.run("doctor").code == 1


@pytest.mark.slow
def test_two_processes_that_write_lose_nothing(world: World) -> None:
    world.ok("key", "new", "first")
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from p2pforum.cli.main import main; main()"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, "key", "new", f"name {n}"], stdout=subprocess.DEVNULL
        )
        for n in range(8)
    ]
    assert [process.wait(60) for process in running] == [0] * 8
    assert sorted(key.name for key in mine(world).keys.values()) == [
        "first",
        *(f"name {n}" for n in range(8)),
    ]


FULL_DISK = """
import resource, sys
sys.path.insert(0, sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
from p2pforum.cli.main import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "new", "another"),
        ("key", "burn", "heron", "--yes"),
        ("key", "backup", "FILE", "--no-passphrase"),
    ],
    ids=" ".join,
)
def test_a_full_disk_leaves_the_old_file(world: World, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A file may have 50 kB here and a keystore has 64: no space is left while it is written."""
    world.ok("key", "new", "heron")
    before = files(world)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(ROOT), *named(arguments, tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert files(world) == before
    assert not (tmp_path / "file").exists()
    assert world.ok("key", "list", "--json").json[0]["petname"] == "heron"


@pytest.mark.parametrize(
    ("swap", "level"),
    [
        ("", "ok"),
        ("/dev/zram0 partition 1000 0 100\n", "ok"),
        ("/dev/dm-1 partition 1000 0 -2\n", "ok"),
        ("/dev/sda2 partition 1000 0 -2\n", "warn"),
        ("/dev/dm-2 partition 1000 0 -2\n/swapfile file 1000 0 -3\n", "warn"),
    ],
)
def test_swap(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, swap: str, level: str) -> None:
    for name, uuid in (("dm-1", "CRYPT-PLAIN-swap"), ("dm-2", "LVM-abc")):
        (tmp_path / name / "dm").mkdir(parents=True)
        (tmp_path / name / "dm" / "uuid").write_text(uuid)
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n" + swap)
    monkeypatch.setattr(checks, "_SWAPS", tmp_path / "swaps")
    monkeypatch.setattr(checks, "_BLOCKS", tmp_path)
    (found,) = [f for f in world.run("doctor", "--json").json if f["check"] == "swap"]
    assert found["level"] == level
