"""The guards' file as a node reads it at its start."""

from pathlib import Path

import pytest

from p2pforum.core.errors import P2PForumError
from p2pforum.node import _read_guards
from p2pforum.stem.guards import Guard, Guards


def test_a_guard_of_before(tmp_path: Path) -> None:
    assert _read_guards(tmp_path).kept == []
    (tmp_path / "guards.json").write_text(Guards(kept=[Guard("peer", "8.8.0.0/16", 500_000, 3)]).encode())
    assert _read_guards(tmp_path).kept == [Guard("peer", "8.8.0.0/16", 500_000, 3)]


@pytest.mark.parametrize("content", [b"[1]", b"\xff", b""])
def test_a_damaged_file_is_not_passed_over_in_silence(tmp_path: Path, content: bytes) -> None:
    """New guards without a word would be what an attacker who broke the file wants."""
    (tmp_path / "guards.json").write_bytes(content)
    with pytest.raises(P2PForumError, match="is damaged: remove it"):
        _read_guards(tmp_path)
