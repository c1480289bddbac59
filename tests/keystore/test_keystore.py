"""The keystore as a file: private, whole, silent without its passphrase."""

import itertools
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keystore_samples import CHEAP, PASSPHRASE, a_keystore, reopened, some_key

from p2pforum.core.errors import KeystoreError, WrongPassphrase
from p2pforum.keystore import files
from p2pforum.keystore import keystore as keystore_module
from p2pforum.keystore.contents import Contents, Draft, OutboxPost
from p2pforum.keystore.keystore import Keystore, passphrase_from_environment

CHECKOUT = Path(__file__).parents[2]


def fill(keystore: Keystore) -> list[bytes]:
    """Put one secret of each kind in; give their bytes."""
    key = some_key(5, root=bytes(range(32)), name="the-name-of-mine")
    with keystore.transaction() as box:
        box.keys[key.public] = key
        box.speaking[bytes(range(32, 64))] = key.public
        box.outbox.append(OutboxPost(bytes(32), "net", b"an outbox post nobody took"))
        box.drafts["draft-01"] = Draft("board library", "a draft's subject", "a draft's whole text", 5)
        box.petnames[(b"", bytes(range(64, 96)))] = "a petname of another"
        box.mark_read(bytes(range(100, 132)), [bytes(range(200, 232))])
    return [
        key.seed,
        key.public,
        b"the-name-of-mine",
        bytes(range(32, 64)),
        b"an outbox post nobody took",
        b"a draft's subject",
        b"a draft's whole text",
        b"a petname of another",
        bytes(range(64, 96)),
        bytes(range(100, 132)),
        bytes(range(200, 208)),
    ]


def files_of(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_what_is_put_in_is_there_after_a_restart(tmp_path: Path, passphrase: bytes | None) -> None:
    fill(a_keystore(tmp_path, passphrase))
    again = reopened(tmp_path, passphrase)
    assert again.is_encrypted == (passphrase is not None)
    assert again.read().drafts["draft-01"].body == "a draft's whole text"


def test_no_keystore_reads_as_an_empty_one_and_is_not_made_by_reading(tmp_path: Path) -> None:
    keystore = Keystore(tmp_path / "keys")
    assert keystore.read() == Contents()
    assert not keystore.exists
    assert not keystore.is_encrypted
    with pytest.raises(KeystoreError, match="no key directory"), keystore.transaction():
        pass
    assert list(tmp_path.iterdir()) == []


def test_it_is_made_once(tmp_path: Path) -> None:
    a_keystore(tmp_path)
    with pytest.raises(KeystoreError, match="already"):
        Keystore(tmp_path, cost=CHEAP).create(None)
    assert reopened(tmp_path).is_encrypted


def test_files_and_directory_are_for_the_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        fill(a_keystore(tmp_path / "a" / "keys"))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a" / "keys").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "keys").iterdir()}
    assert modes == {"keystore": 0o600, "keystore.lock": 0o600}


def test_no_time_of_a_file_tells_when_its_owner_wrote(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path / "keys")
    for _ in range(2):
        fill(keystore)
        for path in (keystore.path, keystore.path.parent):
            assert path.stat().st_mtime_ns % 3_600_000_000_000 == 0, path
            assert 0 <= path.stat().st_ctime - path.stat().st_mtime < 7_200
        with keystore.transaction() as box:
            box.drafts.clear()


def test_without_the_passphrase_the_files_say_nothing(tmp_path: Path) -> None:
    secrets = fill(a_keystore(tmp_path))
    kept = files_of(tmp_path)
    parts = [secret[i : i + 8] for secret in secrets for i in range(len(secret) - 7)]
    assert [part for part in parts if part in kept] == []


def test_control_a_plain_keystore_says_everything(tmp_path: Path) -> None:
    secrets = fill(a_keystore(tmp_path, None))
    kept = files_of(tmp_path)
    assert [secret for secret in secrets if secret not in kept] == []


def test_a_wrong_or_missing_passphrase_opens_nothing(tmp_path: Path) -> None:
    a_keystore(tmp_path)
    with pytest.raises(WrongPassphrase):
        reopened(tmp_path, b"wrong").read()
    with pytest.raises(WrongPassphrase), reopened(tmp_path, b"wrong").transaction():
        pass
    with pytest.raises(KeystoreError, match="no passphrase was given"):
        Keystore(tmp_path, cost=CHEAP).read()
    with pytest.raises(KeystoreError, match="no version of p2pforum writes that"):
        Keystore(tmp_path, lambda: PASSPHRASE).read()  # who does not say so gets no cheap KDF


def test_the_passphrase_is_asked_for_once_and_never_for_a_plain_file(tmp_path: Path) -> None:
    asked = []

    def ask() -> bytes:
        asked.append(1)
        return PASSPHRASE

    fill(a_keystore(tmp_path))
    keystore = Keystore(tmp_path, ask, CHEAP)
    keystore.read()
    with keystore.transaction() as box:
        box.drafts.clear()
    assert keystore.read().drafts == {}
    assert len(asked) == 1

    a_keystore(tmp_path / "plain", None)
    Keystore(tmp_path / "plain", ask, CHEAP).read()
    assert len(asked) == 1


def test_a_wrong_guess_can_be_followed_by_a_right_one(tmp_path: Path) -> None:
    a_keystore(tmp_path)
    guesses = iter([b"wrong", PASSPHRASE])
    keystore = Keystore(tmp_path, lambda: next(guesses), CHEAP)
    with pytest.raises(WrongPassphrase):
        keystore.read()
    keystore.read()


def test_changing_the_passphrase(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    fill(keystore)
    other_process = reopened(tmp_path)
    other_process.read()
    keystore.change_passphrase(b"new")
    with pytest.raises(WrongPassphrase):
        other_process.read()
    for same in (keystore, reopened(tmp_path, b"new")):
        assert "draft-01" in same.read().drafts
    with keystore.transaction() as box:
        box.drafts.clear()
    assert reopened(tmp_path, b"new").read().drafts == {}
    with pytest.raises(KeystoreError, match="empty passphrase"):
        keystore.change_passphrase(b"")


def test_a_passphrase_given_later_leaves_nothing_readable(tmp_path: Path) -> None:
    """The plain file's blocks are wiped through a descriptor that still knows them."""
    keystore = a_keystore(tmp_path, None)
    secrets = fill(keystore)
    with open(keystore.path, "rb") as blocks_of_the_plain_file:
        keystore.change_passphrase(PASSPHRASE)
        assert not any(blocks_of_the_plain_file.read())
    assert not any(secret in files_of(tmp_path) for secret in secrets)
    keystore.change_passphrase(None)
    assert reopened(tmp_path, None).read().drafts


def test_a_hard_link_is_a_backup_and_is_not_wiped(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path, None)
    fill(keystore)
    os.link(keystore.path, tmp_path / "snapshot")
    with keystore.transaction() as box:
        box.drafts.clear()
    assert b"a draft's whole text" in (tmp_path / "snapshot").read_bytes()
    assert b"a draft's whole text" not in keystore.path.read_bytes()


def test_a_block_that_raises_changes_nothing(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    before = keystore.path.read_bytes()

    def interrupted() -> None:
        with keystore.transaction() as box:
            box.drafts["board x"] = Draft("board x", "", "half", 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert keystore.path.read_bytes() == before
    with keystore.transaction():
        pass
    assert keystore.path.read_bytes() == before, "nothing changed, nothing written"


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    before = keystore.path.read_bytes()
    with pytest.raises(KeystoreError), keystore.transaction() as box:
        box.drafts["board x"] = Draft("board x", "", "text", True)  # no whole number
    assert keystore.path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    keystore = a_keystore(tmp_path)
    keystore.path.chmod(mode)
    for use in (keystore.read, lambda: keystore.is_encrypted, keystore.transaction().__enter__):
        with pytest.raises(KeystoreError, match="chmod 600"):
            use()


def test_a_directory_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(KeystoreError, match="chmod 700"), keystore.transaction():
        pass


def test_the_key_directory_of_a_checkout_is_closed(tmp_path: Path) -> None:
    """git makes directories 0755; one that has other things in it is not ours to close."""
    checkout, other = tmp_path / "keys", tmp_path / "home"
    for directory in (checkout, other):
        directory.mkdir()
        directory.chmod(0o755)
        (directory / "README.md").touch()
    (other / "letters").touch()
    a_keystore(checkout)
    assert stat.S_IMODE(checkout.stat().st_mode) == 0o700
    with pytest.raises(KeystoreError, match="chmod 700"):
        a_keystore(other)
    assert stat.S_IMODE(other.stat().st_mode) == 0o755


def test_files_of_another_user_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore = a_keystore(tmp_path)
    (tmp_path / "theirs").mkdir()
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(KeystoreError, match=f"another user.*; run: chown {uid + 1} "):
        keystore.read()
    with pytest.raises(KeystoreError, match="another user"):
        Keystore(tmp_path / "theirs", cost=CHEAP).create(None)


USES: dict[str, Callable[[Keystore], object]] = {
    "read": Keystore.read,
    "create": lambda keystore: keystore.create(PASSPHRASE),
    "change": lambda keystore: keystore.change_passphrase(b"another"),
}


def make_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def open_to_others(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o044)


@pytest.mark.parametrize(
    ("name", "use", "spoil"),
    [
        *itertools.product(["."], USES, [make_link, open_to_others]),
        *itertools.product(["keystore"], ["read", "change"], [make_link, open_to_others]),
        *itertools.product(["keystore.lock"], ["create", "change"], [make_link, open_to_others]),
        ("keystore.new", "create", make_link),  # one that is open is wiped and made anew
        ("keystore.new", "change", make_link),
    ],
)
def test_what_others_may_have_touched_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, name: str, use: str, spoil: Callable[[Path], None]
) -> None:
    """As docs/KEYSTORE.md says, of each thing in the key directory; and the command that is named does it."""
    directory = tmp_path / "the keys"
    keystore = a_keystore(directory)
    (directory / "keystore.new").touch(0o600)
    if use == "create":
        keystore.path.unlink()
    spoil(directory / name)
    with pytest.raises(KeystoreError, match="run: ") as caught:
        USES[use](reopened(directory))
    subprocess.run(["sh", "-c", str(caught.value).split("run: ")[1]], check=True)
    USES[use](reopened(directory))


def test_a_key_directory_below_a_link_is_fine(tmp_path: Path) -> None:
    """A home on another disk, say."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    a_keystore(tmp_path / "home" / "keys").read()
    assert (tmp_path / "disk" / "keys" / "keystore").exists()


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").symlink_to(tmp_path / "nothing")
    with pytest.raises(KeystoreError, match="symbolic link; run: rm "):
        a_keystore(tmp_path / "keys")
    assert not (tmp_path / "nothing").exists()


def test_odd_files_are_refused(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    keystore.path.unlink()
    os.mkfifo(keystore.path, 0o600)
    with pytest.raises(KeystoreError, match="plain file"):
        keystore.read()
    keystore.path.unlink()
    keystore.path.touch(0o600)
    with pytest.raises(KeystoreError, match="not a keystore"):
        keystore.read()
    (tmp_path / "keystore.lock").unlink()
    (tmp_path / "keystore.lock").mkdir()
    keystore.path.unlink()
    with pytest.raises(KeystoreError, match="cannot open"):
        reopened(tmp_path).create(None)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    os.truncate(keystore.path, 1 << 40)
    with pytest.raises(KeystoreError, match="too large"):
        keystore.read()


def test_a_file_that_is_replaced_and_wiped_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, contents = tmp_path / "file", [b"third", b"second"]
    files.replace(path, b"first")
    check = files._check_private

    def meanwhile(*arguments: Any) -> None:
        """The file has been opened, and not yet read."""
        check(*arguments)
        if contents:
            files.replace(path, contents.pop())

    monkeypatch.setattr(files, "_check_private", meanwhile)
    assert files.read_private(path, 100) == b"third"


@pytest.mark.slow
def test_a_reader_beside_a_writer_never_sees_half(tmp_path: Path) -> None:
    """It holds no lock, and what it reads is wiped under it now and then."""
    writer, reader = a_keystore(tmp_path, None), reopened(tmp_path, None)
    stop = threading.Event()
    problems: list[Exception] = []

    def read() -> None:
        last = 0
        while not stop.is_set():
            try:
                drafts = reader.read().drafts
                seen = drafts["board x"].hour if drafts else 0
                assert seen >= last
                last = seen
            except Exception as error:
                problems.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(200):
        with writer.transaction() as box:
            box.drafts["board x"] = Draft("board x", "", "x", n + 1)
    stop.set()
    thread.join()
    assert problems == []


def test_passphrase_file(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.touch(0o600)
    ask = passphrase_from_environment({"P2PFORUM_PASSPHRASE_FILE": str(path)})
    assert ask is not None
    with pytest.raises(KeystoreError, match="empty"):
        ask()
    for written in (b"two words", b"two words\n", b"two words\r\n"):
        path.write_bytes(written)
        assert ask() == b"two words"
    path.chmod(0o644)
    with pytest.raises(KeystoreError, match="chmod 600"):
        ask()
    path.unlink()
    with pytest.raises(KeystoreError, match="cannot read"):
        ask()
    assert passphrase_from_environment({}) is None
    assert passphrase_from_environment({"P2PFORUM_PASSPHRASE_FILE": ""}) is None


def test_a_passphrase_can_come_from_a_pipe() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"from a pipe\n")
    os.close(write_end)
    ask = passphrase_from_environment({"P2PFORUM_PASSPHRASE_FILE": f"/dev/fd/{read_end}"})
    assert ask is not None
    assert ask() == b"from a pipe"
    os.close(read_end)


def test_a_mistaken_passphrase_file_is_refused(tmp_path: Path) -> None:
    a_keystore(tmp_path)
    with pytest.raises(KeystoreError, match="at most"):
        reopened(tmp_path, bytes(100_000)).read()


def test_only_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore_module, "_PATIENCE", 0.05)
    first, second = a_keystore(tmp_path), reopened(tmp_path)
    with first.transaction() as box:
        box.drafts["board x"] = Draft("board x", "", "first", 1)
        with pytest.raises(KeystoreError, match="another process"), second.transaction():
            pass
        assert second.read().drafts == {}, "a reader sees what was there before"
    with second.transaction() as box:
        assert box.drafts["board x"].body == "first"


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys, p2pforum.keystore.keystore; "
        "print(*{m.split('.')[0] for m in sys.modules} & {'trio', 'sqlite3', 'sqlite_utils', 'libp2p'})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == ""


def test_a_leftover_of_a_crash_is_swept(tmp_path: Path) -> None:
    keystore = a_keystore(tmp_path)
    leftover = keystore.path.with_suffix(".new")
    leftover.write_bytes(b"half of something")
    with keystore.transaction() as box:
        box.drafts["board x"] = Draft("board x", "", "x", 1)
    assert not leftover.exists()
    assert files.read_private(leftover, 10) is None
