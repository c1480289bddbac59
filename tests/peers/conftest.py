"""Makes peers_tools importable; test files of all folders share one namespace."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_faults(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The service goes on after a fault of its own; a test does not, unless it says that it wants it."""
    wanted: list[str] = []
    yield wanted
    faults = {r.getMessage() for when in ("setup", "call") for r in caplog.get_records(when) if r.exc_info}
    assert faults == {*wanted}
