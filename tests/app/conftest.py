"""A person's data under a home of its own, without a node, at an hour that stands still."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_world import CONFIG, HOUR

from p2pforum.app.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    home = Path(os.environ["P2PFORUM_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    with Session(str(home), now=lambda: HOUR) as found:
        yield found
