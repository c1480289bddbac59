"""docs/API.md says what the API does."""

import re
from pathlib import Path

from api_backend import RecordingBackend

from p2pforum.api import app, problems
from p2pforum.core import limits

TEXT = (Path(__file__).parents[2] / "docs" / "API.md").read_text()
UNWRAPPED = " ".join(TEXT.split())


def test_every_endpoint_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| (GET|POST) \| `(/v1/\w+)` \|", TEXT, re.MULTILINE))
    routes = app.build_app(RecordingBackend()).routes
    real = {(method, r.path) for r in routes for method in r.methods - {"HEAD"}}  # type: ignore[attr-defined]
    assert documented == real


def test_every_error_code_is_documented() -> None:
    source = Path(app.__file__).read_text()
    used = (
        {code for *_, code in problems.ERRORS}
        | set(re.findall(r'\bproblem\(\d+, "([a-z ]+)"', source))
        | {"internal"}
    )
    assert used <= set(re.findall(r"`([a-z ]+)`", TEXT))


def test_bounds() -> None:
    assert f"{limits.MAX_API_CONNECTIONS} connections" in UNWRAPPED
    assert f"{limits.MAX_API_BODY // 1024} KiB" in UNWRAPPED
    assert f"closed after {limits.API_IDLE_SECONDS} s" in UNWRAPPED
    assert f"under way get {limits.API_GRACE_SECONDS} s" in UNWRAPPED
    assert f"within {limits.API_BODY_SECONDS} s" in UNWRAPPED
