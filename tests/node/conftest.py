"""An hour that stands still: else, once in an hour, it turns between two looks at it."""

from types import SimpleNamespace

import pytest
from strategies import HOUR

from p2pforum import node


@pytest.fixture(autouse=True)
def _still_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "time", SimpleNamespace(time=lambda: HOUR * 3_600 + 1_800))
