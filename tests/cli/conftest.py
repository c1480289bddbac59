"""A machine with a config, and a clock that stands still."""

import os
import sys
import time
from pathlib import Path

import pytest
from cli_world import CONFIG, World, still_clock

from p2pforum.app import clock
from p2pforum.cli.terminal import passphrases


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "time", still_clock(time))
    monkeypatch.setattr(passphrases, "has_terminal", lambda: False)  # nor has this process, whoever runs it
    monkeypatch.setattr(sys, "argv", ["p2pforum"])  # hints name the program as it was called
    for name in ("PAGER", "COLORTERM", "CLICOLOR_FORCE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    Path(os.environ["XDG_RUNTIME_DIR"]).mkdir(mode=0o700)  # texts that are being written lie there
    home = Path(os.environ["P2PFORUM_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    return World(home)
