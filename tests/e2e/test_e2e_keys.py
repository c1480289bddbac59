"""The node process never holds what can sign, nor does the agent: memory and open files are searched."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_nodes import CONFIG, DemoNode, cli, ids, pid_of

from p2pforum.agent import client
from p2pforum.core.post_id import format_id
from p2pforum.keystore.keystore import Keystore

pytestmark = pytest.mark.e2e

POSTS = 50
PASSPHRASE = b"a passphrase that is nowhere else"


def in_memory(pid: int, needles: list[bytes]) -> list[int]:
    """How often each of the needles lies in the writable memory of a process."""
    found = [0] * len(needles)
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for low, high in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.MULTILINE):
            try:
                memory.seek(int(low, 16))
                held = memory.read(int(high, 16) - int(low, 16))
            except (OSError, OverflowError, ValueError):
                continue  # device memory
            for n, needle in enumerate(needles):
                found[n] += held.count(needle)
    return found


def opened_by(pid: int) -> set[str]:
    return {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}


def seal_and_unlock(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the keystore a passphrase, and an agent its key. The passphrase is gone from here afterwards."""
    path = home / "passphrase"
    path.touch(0o600)
    path.write_bytes(PASSPHRASE)
    cli(home, "passphrase", "--new-file", str(path))
    monkeypatch.setenv("P2PFORUM_PASSPHRASE_FILE", str(path))
    cli(home, "unlock")
    monkeypatch.delenv("P2PFORUM_PASSPHRASE_FILE")
    path.unlink()


def test_neither_node_nor_agent_ever_holds_an_author_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "alice"
    with DemoNode("alice", home, CONFIG) as alice:
        alice.start()
        seal_and_unlock(home, monkeypatch)
        for n in range(POSTS):
            cli(home, "post", "general", "--yes", "-s", f"Thread {n}", stdin=f"Body {n}.\n")
        keystore = Keystore(home / "keys", lambda: PASSPHRASE)
        held = keystore.mark_and_key
        assert held is not None
        keys = keystore.read().keys.values()
        assert len(keys) == POSTS
        halves = [half for key in keys for half in (key.seed[:16], key.seed[16:])]
        secrets = [*halves, held[1], PASSPHRASE]

        assert in_memory(pid_of(alice), secrets) == [0] * len(secrets)
        assert not [path for path in opened_by(pid_of(alice)) if path.startswith(str(home / "keys"))]
        # The control: the search finds what is there. The public keys went through the node just now,
        # and a process that does hold the seeds is found out.
        assert any(in_memory(pid_of(alice), [key.public for key in keys]))
        assert all(in_memory_of_one_that_holds(halves))

        status = client.ask_status(keystore.path)
        assert status is not None, "the agent is still there"
        look_into_the_agent(status.pid, halves, held[1])
        cli(home, "lock")
        cli(home, "post", "general", "--yes", "-s", "Locked", stdin="Body.\n", code=1)


def look_into_the_agent(pid: int, halves: list[bytes], key: bytes) -> None:
    """It holds the keystore's key, once, and nothing else; and only root can see that much."""
    try:
        found = in_memory(pid, [*halves, PASSPHRASE, key])
        opened = opened_by(pid)
    except PermissionError:
        assert os.geteuid() != 0
        return
    assert found == [0] * (len(halves) + 1) + [1]
    assert not [path for path in opened if path.endswith("keystore")]


def in_memory_of_one_that_holds(secrets: list[bytes]) -> list[int]:
    program = "import sys; held = sys.stdin.buffer.read(int(sys.argv[1])); print(flush=True); input()"
    command = [sys.executable, "-c", program, str(sum(map(len, secrets)))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(secrets))
        process.stdin.flush()
        process.stdout.readline()
        found = in_memory(process.pid, secrets)
        process.stdin.write(b"\n")
    return found


def test_a_burn_beside_a_running_node(tmp_path: Path) -> None:
    """The node is asked to clean up, and no file holds a secret afterwards; before, the keystore does."""
    home = tmp_path / "alice"
    with DemoNode("alice", home, CONFIG) as alice:
        alice.start()
        for n in range(3):
            cli(home, "post", "general", "--yes", "-s", f"Thread {n}", stdin=f"Body {n}.\n")
        keys = Keystore(home / "keys").read().keys.values()
        assert all(in_files(home, key.seed) for key in keys)
        burnt, *kept = keys
        said = cli(home, "key", "burn", format_id(burnt.public), "--yes")
        assert said.startswith("Burnt 1 key, 0 drafts, 1 unsent post; traces of 1 thread.")
        assert "found in 0 places" in said
        assert in_files(home, burnt.seed) == 0
        assert all(in_files(home, key.seed) for key in kept)
        assert alice.node.forget(bytes(32)) is False
        assert alice.node.scrub() is True
        assert len(ids(alice)) == 2, "without a peer nothing was sent: that post goes, too"
        cli(home, "key", "burn", "--everything", "--yes")
        assert sum(in_files(home, key.seed) for key in keys) == 0


def in_files(home: Path, secret: bytes) -> int:
    """In how many files any 16 bytes of it lie."""
    runs = [secret[i : i + 16] for i in range(len(secret) - 15)]
    contents = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    return sum(any(run in content for run in runs) for content in contents)
