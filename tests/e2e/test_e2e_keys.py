"""The node process never holds what can sign: its memory and open files are searched."""

import os
import re
from pathlib import Path

import pytest
from e2e_nodes import CONFIG, DemoNode, cli, pid_of

from p2pforum.store.keystore import Keystore

pytestmark = pytest.mark.e2e

POSTS = 20


def in_memory(pid: int, needles: list[bytes]) -> int:
    """How many of the needles lie anywhere in the writable memory of a process."""
    found: set[bytes] = set()
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for low, high in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.MULTILINE):
            try:
                memory.seek(int(low, 16))
                held = memory.read(int(high, 16) - int(low, 16))
            except (OSError, OverflowError, ValueError):
                continue  # device memory
            found |= {needle for needle in needles if needle in held}
    return len(found)


def test_the_node_never_holds_an_author_key(tmp_path: Path) -> None:
    home = tmp_path / "alice"
    with DemoNode("alice", home, CONFIG) as alice:
        alice.start()
        for n in range(POSTS):
            cli(home, "post", "general", "-s", f"Thread {n}", stdin=f"Body {n}.\n")
        keys = Keystore(home / "keys", None).read().keys.values()
        seeds = [key.seed for key in keys]
        assert len(seeds) == POSTS
        assert in_memory(pid_of(alice), seeds) == 0
        opened = {os.readlink(entry) for entry in Path(f"/proc/{pid_of(alice)}/fd").iterdir()}
        assert not [path for path in opened if path.startswith(str(home / "keys"))]
        # The control: the search finds what is there. The public keys went through the node just now,
        # and this process, which does hold the seeds, is found out.
        assert in_memory(pid_of(alice), [key.public for key in keys]) > 0
        assert in_memory(os.getpid(), seeds) == POSTS
