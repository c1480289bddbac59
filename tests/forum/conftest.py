"""The keystore's samples serve here too."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "keystore"))


@pytest.fixture(scope="module")
def quick_disk() -> Iterator[None]:
    """For tests with thousands of writes that ask nothing about power cuts: those don't wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        yield
