"""No agent outlives its test."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Path]:
    """A key directory; whatever agent is left in it is locked at the end."""
    from p2pforum.agent.client import lock

    yield tmp_path / "keys"
    lock(tmp_path / "keys" / "keystore")
