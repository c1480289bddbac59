"""The agent: what it gives to whom, what ends it, and what its process holds. Real processes."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from agent_world import count_in_memory, is_gone, pid_of, reopened, unlocked, wait_gone
from keystore_samples import CHEAP, PASSPHRASE, some_key

from p2pforum.agent import client, holder
from p2pforum.agent.memory import KEY_SIZE, SecretPage
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError
from p2pforum.keystore.keystore import Keystore


def with_agent(directory: Path) -> Keystore:
    """A keystore whose passphrase nobody knows any more."""
    return Keystore(directory, cost=CHEAP, held_key=lambda mark: client.ask_key(directory / "keystore", mark))


def received(connection: socket.socket) -> bytes:
    """Nothing, also if the other end closed without reading all."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


def test_no_passphrase_is_asked_while_it_runs(keys: Path) -> None:
    keystore, _ = unlocked(keys)
    with with_agent(keys).transaction() as box:
        box.keys[some_key(1).public] = some_key(1)
    assert some_key(1).public in keystore.read().keys
    assert client.lock(keystore.path)
    with pytest.raises(KeystoreError, match="no passphrase was given"):
        with_agent(keys).read()
    assert not client.lock(keystore.path), "it is gone"


def test_locked_means_gone(keys: Path) -> None:
    keystore, _ = unlocked(keys)
    pid = pid_of(keystore)
    client.lock(keystore.path)
    assert not (keys / holder.SOCKET_NAME).exists()
    wait_gone(pid)
    assert client.ask_status(keystore.path) is None


def test_one_that_does_not_answer_is_killed(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PATIENCE", 0.3)
    keystore, _ = unlocked(keys)
    pid = pid_of(keystore)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(KeystoreError, match="no passphrase was given"):
        with_agent(keys).read()
    assert client.lock(keystore.path)
    wait_gone(pid)
    assert not client.lock(keystore.path)


def test_only_the_owner_can_reach_it(keys: Path) -> None:
    keystore, key = unlocked(keys)
    path = keys / holder.SOCKET_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert sorted(p.name for p in keys.iterdir()) == ["agent.sock", "keystore", "keystore.lock"]
    assert all(key not in p.read_bytes() for p in keys.iterdir() if p.is_file())
    held = keystore.mark_and_key
    assert held is not None
    assert client.ask_key(keystore.path, held[0]) == key


def test_another_account_gets_nothing(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel says who asks; the agent is run here, in this process, and is told that it is another's."""
    page = SecretPage()
    agent = holder.Holder(keys / "keystore", b"m" * holder.MARK_SIZE, page, 60, 60)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(holder.STATUS + bytes(holder.MARK_SIZE))
        agent._answer(theirs)
        assert len(ours.recv(100)) == holder.ANSWER.size, "control: this account is answered"
        monkeypatch.setattr(holder.os, "geteuid", lambda: os.getuid() + 1)
        ours.sendall(holder.STATUS + bytes(holder.MARK_SIZE))
        agent._answer(theirs)
        theirs.close()
        assert received(ours) == b""


def test_a_stranger_s_socket_is_not_asked(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore, _ = unlocked(keys)
    status = client.ask_status(keystore.path)
    assert status is not None
    monkeypatch.setattr(client.os, "geteuid", lambda: os.getuid() + 1)
    assert client.ask_status(keystore.path) is None
    monkeypatch.undo()
    client.lock(keystore.path)


def test_the_key_goes_only_with_its_file(keys: Path) -> None:
    keystore, _ = unlocked(keys)
    assert client.ask_key(keystore.path, b"x" * holder.MARK_SIZE) is None
    for request in (b"", b"K", b"Z" + bytes(holder.MARK_SIZE), bytes(range(200))):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(keys / holder.SOCKET_NAME))
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            assert received(connection) == b""
    assert client.ask_status(keystore.path) is not None, "and it lives"


def test_a_mistaken_agent_is_passed_over(keys: Path) -> None:
    unlocked(keys)
    keystore = Keystore(keys, lambda: PASSPHRASE, CHEAP, held_key=lambda _mark: bytes(KEY_SIZE))
    assert keystore.read() == reopened(keys).read()


@pytest.mark.parametrize("why", ["passphrase", "removed", "replaced", "damaged"])
def test_it_ends_when_the_keystore_is_another(keys: Path, why: str, tmp_path: Path) -> None:
    keystore, _ = unlocked(keys)
    pid = pid_of(keystore)
    if why == "passphrase":
        keystore.change_passphrase(b"another")
    elif why == "removed":
        keystore.path.unlink()
    elif why == "replaced":
        Keystore(tmp_path / "other", cost=CHEAP).create(PASSPHRASE)
        (tmp_path / "other" / "keystore").rename(keystore.path)
    else:
        keystore.path.write_bytes(b"")
    wait_gone(pid)
    assert not (keys / holder.SOCKET_NAME).exists()


def test_a_write_is_no_reason_to_end(keys: Path) -> None:
    """The control: the file is another after each write, and its beginning is not."""
    keystore, _ = unlocked(keys)
    before = pid_of(keystore)
    with keystore.transaction() as box:
        box.keys[some_key(1).public] = some_key(1)
    held = keystore.mark_and_key
    assert held is not None
    assert client.ask_key(keystore.path, held[0]) == held[1]
    assert pid_of(keystore) == before


def test_it_ends_when_it_is_not_used(keys: Path) -> None:
    keystore, _ = unlocked(keys, idle=1)
    wait_gone(pid_of(keystore))


def test_it_ends_in_any_case(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AGENT_MOST_SECONDS", 1)
    keystore, _ = unlocked(keys, idle=600)
    status = client.ask_status(keystore.path)
    assert status is not None
    assert status.idle <= status.most <= 1
    wait_gone(status.pid)


def test_use_puts_off_the_end(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = SecretPage()
    keystore, _ = unlocked(keys)
    held = keystore.mark_and_key
    assert held is not None
    client.lock(keystore.path)
    clock = [1000.0]
    monkeypatch.setattr(holder, "_now", lambda: clock[0])
    agent = holder.Holder(keystore.path, held[0], page, 100, 150)
    (keys / holder.SOCKET_NAME).touch()
    agent._inode = (keys / holder.SOCKET_NAME).stat().st_ino
    ours, theirs = socket.socketpair()
    with ours, theirs:
        clock[0] = 1090.0
        ours.sendall(holder.KEY + held[0])
        agent._answer(theirs)
        assert len(ours.recv(100)) == KEY_SIZE
        clock[0] = 1149.0
        assert not agent._is_over()
        clock[0] = 1150.0
        assert agent._is_over(), "in any case"
        ours.sendall(holder.KEY + held[0])
        agent._answer(theirs)
        theirs.close()
        assert received(ours) == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_it_ends_when_it_is_killed_and_another_can_start(keys: Path, number: signal.Signals) -> None:
    keystore, _ = unlocked(keys)
    pid = pid_of(keystore)
    os.kill(pid, number)
    wait_gone(pid)
    assert client.ask_status(keystore.path) is None
    held = keystore.mark_and_key
    assert held is not None
    client.start(keystore.path, *held, 600)
    assert pid_of(keystore) != pid


def test_a_second_one_takes_the_place_of_the_first(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore, _ = unlocked(keys)
    first = pid_of(keystore)
    held = keystore.mark_and_key
    assert held is not None
    monkeypatch.setattr(client, "lock", lambda _path: False)  # two that start at the same time
    client.start(keystore.path, *held, 600)
    wait_gone(first)
    assert client.ask_key(keystore.path, held[0]) == held[1], "the first left the other's socket alone"


def test_a_long_path(tmp_path: Path) -> None:
    keystore, _ = unlocked(tmp_path / ("d" * 100) / "keys")
    assert not is_gone(pid_of(keystore))
    client.lock(keystore.path)


def test_who_can_not_start_one_is_told(keys: Path) -> None:
    keystore, _ = unlocked(keys)
    client.lock(keystore.path)
    with pytest.raises(KeystoreError, match="could not be started"):
        client.start(keys / "no-such" / "keystore", b"m" * holder.MARK_SIZE, bytes(KEY_SIZE), 60)


def test_what_its_process_holds(keys: Path) -> None:
    """One copy of the key, in a page that is not dumped. No seed, no passphrase, nothing to open it with."""
    keystore, key = unlocked(keys)
    with keystore.transaction() as box:
        box.keys[some_key(1).public] = some_key(1)
    with_agent(keys).read()
    pid = pid_of(keystore)
    limits_text = Path(f"/proc/{pid}/limits").read_text()
    assert limits_text.partition("Max core file size")[2].split()[:2] == ["0", "0"]
    opened = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()] if os.getuid() == 0 else []
    assert not [path for path in opened if "keystore" in path]
    try:
        found = [count_in_memory(pid, secret) for secret in (key, some_key(1).seed, PASSPHRASE)]
    except PermissionError:
        return  # nobody but root may look: that is PR_SET_DUMPABLE
    assert os.getuid() == 0, "this account must not be able to look into it"
    assert found == [1, 0, 0]
    maps = Path(f"/proc/{pid}/maps").read_text()
    assert "python" in maps, "control: the list is of this process"
    assert "_sodium" not in maps
    assert "cbor" not in maps
    flags, status = flags_of_page_with(pid, key), client.ask_status(keystore.path)
    assert " dd" in flags, "not in a core dump"
    assert status is not None
    assert (" lo" in flags) == status.is_locked, "what it says of swapping is so"


def flags_of_page_with(pid: int, key: bytes) -> str:
    """The VmFlags of the mapping that holds the key (proc(5), smaps): "dd" is do not dump, "lo" is locked."""
    span = ""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            head = line.split()
            if len(head) > 1 and "-" in head[0] and head[1].startswith("rw"):
                low, high = (int(part, 16) for part in head[0].split("-"))
                memory.seek(low)
                try:
                    span = line if key in memory.read(high - low) else ""
                except OSError:
                    span = ""
            elif span and line.startswith("VmFlags:"):
                return line
    return ""


LOOKED_INTO = """
import ctypes, os, resource, sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "closed":
    from p2pforum.agent.memory import forbid_dumps
    forbid_dumps()
PR_GET_DUMPABLE = 3
print(resource.getrlimit(resource.RLIMIT_CORE)[1], ctypes.CDLL(None).prctl(PR_GET_DUMPABLE))
"""


@pytest.mark.parametrize("how", ["closed", "open"])
def test_a_closed_process_leaves_no_core(how: str) -> None:
    command = [sys.executable, "-c", LOOKED_INTO, str(Path(__file__).parents[2]), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    core_limit, is_dumpable = map(int, done.stdout.split())
    assert is_dumpable == (how == "open"), "the control: other processes can be looked into"
    if how == "closed":
        assert core_limit == 0


COMMAND = """
import ctypes, sys
sys.path.insert(0, sys.argv[1])
from p2pforum.cli.main import run
code = run(sys.argv[2:])
PR_GET_DUMPABLE = 3
print(code, ctypes.CDLL(None).prctl(PR_GET_DUMPABLE), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "is_open"),
    [
        (["post", "library", "--yes", "-s", "Subject"], 0),
        (["key", "list"], 0),
        (["read", "abcd"], 1),  # there is no keystore yet, so nothing to hide
        (["boards"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_commands_that_open_the_keystore_are_closed(command: list[str], is_open: int, tmp_path: Path) -> None:
    """And those that do not are the control."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(Path(__file__).parents[2]), *command],
        input="Some text.",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "P2PFORUM_HOME": str(network_without_stamps(tmp_path))},
    )
    code, dumpable = map(int, done.stderr.splitlines()[-1].split())
    assert (code, dumpable) == (3 if command[0] == "read" else 0, is_open)


def network_without_stamps(directory: Path) -> Path:
    (directory / "config.toml").write_text('network = "test.agent"\n')
    return directory
