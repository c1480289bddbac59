"""The guards' file as a node reads it at its start."""

from pathlib import Path

import pytest

from p2pforum.core.errors import P2PForumError
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.guards import Guard


def test_kept_over_a_restart(tmp_path: Path) -> None:
    assert GuardFile(tmp_path).read().kept == []
    guards = GuardFile(tmp_path).read()
    guards.kept.append(Guard(3, "peer", "/ip4/8.8.4.4/tcp/1/p2p/peer", "8.8.0.0/16", 500_000, False, 3))
    GuardFile(tmp_path).save(guards.encode())
    again = GuardFile(tmp_path).read()
    assert (again.kept, again.secret) == (guards.kept, guards.secret)
    assert len(again.secret) == 32


def test_each_node_has_a_secret_of_its_own(tmp_path: Path) -> None:
    assert GuardFile(tmp_path).read().secret != GuardFile(tmp_path).read().secret


@pytest.mark.parametrize("content", [b"[1]", b"\xff", b""])
def test_a_damaged_file_is_not_passed_over_in_silence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "guards.json").write_bytes(content)
    with pytest.raises(P2PForumError, match="is damaged, or of another version: remove it"):
        GuardFile(tmp_path).read()
