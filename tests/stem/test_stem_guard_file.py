"""The guards' file as a node reads it at its start."""

from pathlib import Path

import pytest

from p2pforum.core.errors import P2PForumError
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.guards import Guard, Guards


def test_kept_over_a_restart(tmp_path: Path) -> None:
    assert GuardFile(tmp_path).read().kept == []
    guards = Guards(kept=[Guard("peer", "8.8.0.0/16", 500_000, 3)])
    GuardFile(tmp_path).save(guards.encode())
    assert GuardFile(tmp_path).read().kept == guards.kept


@pytest.mark.parametrize("content", [b"[1]", b"\xff", b""])
def test_a_damaged_file_is_not_passed_over_in_silence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "guards.json").write_bytes(content)
    with pytest.raises(P2PForumError, match="is damaged: remove it"):
        GuardFile(tmp_path).read()
