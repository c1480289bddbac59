"""What to do where a machine lacks what a test needs."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skips the test on a developer's machine; CI has what `.ci/run` installs, and must run it."""
    if "CI" in os.environ:
        pytest.fail(f"{what}, and CI must run this test")
    pytest.skip(what)
