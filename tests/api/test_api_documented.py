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


def test_every_error_code_is_documented() -> None:
    source = "".join(Path(module.__file__).read_text() for module in (app, connection))
    told = set(re.findall(r'\bBadRequest\([\w.]+, "([a-z ]+)"', source))
    assert len(told) == 6
    used = {code for *_, code in problems.ERRORS} | told | {"internal"}
    assert used <= set(re.findall(r"`([a-z ]+)`", TEXT))


def test_bounds() -> None:
    assert f"{limits.MAX_API_CONNECTIONS} connections" in UNWRAPPED
    assert f"{limits.MAX_API_BODY // 1024} KiB" in UNWRAPPED
    assert f"a head of at most {limits.MAX_API_HEAD // 1024} KiB" in UNWRAPPED
    assert f"taken within {limits.API_TAKE_SECONDS} s" in UNWRAPPED
    assert f"closed after {limits.API_IDLE_SECONDS} s" in UNWRAPPED
    assert f"under way get {limits.API_GRACE_SECONDS} s" in UNWRAPPED
    assert f"within {limits.API_BODY_SECONDS} s" in UNWRAPPED
