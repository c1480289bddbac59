"""Small files: whole or not at all, and for this user only."""

import stat
from pathlib import Path

import pytest

from p2pforum.core.errors import StoreError
from p2pforum.store.small_file import read_small, write_small


def test_written_read_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "guards.json"
    assert read_small(path) is None
    for content in (b"one", b"another", b""):
        write_small(path, content)
        assert read_small(path) == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["guards.json"]


def test_what_can_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "guards.json"
    write_small(path, b"old")
    (tmp_path / "guards.json.new").mkdir()
    with pytest.raises(StoreError):
        write_small(path, b"new")
    assert read_small(path) == b"old"
    with pytest.raises(StoreError):
        read_small(tmp_path)
