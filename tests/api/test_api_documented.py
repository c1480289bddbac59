"""docs/API.md says what the API does."""

import re
from pathlib import Path

from p2pforum.api import app, connection, problems
from p2pforum.core import limits

TEXT = (Path(__file__).parents[2] / "docs" / "API.md").read_text()
UNWRAPPED = " ".join(TEXT.split())


def test_every_endpoint_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| (GET|POST) \| `(/v1/\w+)` \|", TEXT, re.MULTILINE))
    assert documented == {(route.method, path) for path, route in app.ROUTES.items()}


def test_every_error_is_documented_and_no_other() -> None:
    """In the table under "Errors": statuses, and codes that go with them."""
    source = "".join(Path(module.__file__).read_text() for module in (app, connection))
    raised = re.findall(r'\bBadRequest\((\d+), "([a-z ]+)"', source)
    assert len(raised) == 8
    used = {(int(status), code) for status, code in raised} | {(500, "internal")}
    used |= {(status, code) for _, status, code in problems.ERRORS}
    used |= {(status, outcome.value) for outcome, status in app.STATUS.items() if status >= 400}
    used |= {(status, "malformed") for status in (400, 431, 501)}  # what h11 hints at
    rows = re.findall(r"^\| ([\d, ]+) \| ([^|]+) \|", TEXT.partition("\n## Errors\n")[2], re.MULTILINE)
    documented = {
        (int(status), code)
        for statuses, codes in rows
        for status in statuses.split(", ")
        for code in re.findall(r"`([a-z ]+)`", codes)
    }
    assert used <= documented
    for column in (0, 1):
        assert {pair[column] for pair in documented} == {pair[column] for pair in used}


def test_bounds() -> None:
    assert f"({limits.API_NEW_IDS} IDs)" in UNWRAPPED
    assert f"{limits.MAX_API_CONNECTIONS} connections" in UNWRAPPED
    assert f"{limits.MAX_API_BODY // 1024} KiB" in UNWRAPPED
    assert f"a head of at most {limits.MAX_API_HEAD // 1024} KiB" in UNWRAPPED
    assert f"taken within {limits.API_TAKE_SECONDS} s" in UNWRAPPED
    assert f"closed after {limits.API_IDLE_SECONDS} s" in UNWRAPPED
    assert f"under way get {limits.API_GRACE_SECONDS} s" in UNWRAPPED
    assert f"within {limits.API_BODY_SECONDS} s" in UNWRAPPED
