"""No test touches the home of whoever runs it; what runs beside what with xdist."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
FOLDERS = sorted(path for path in TESTS.iterdir() if path.is_dir())
# Helpers of each folder serve all others: their names differ. And the program is that of this checkout.
sys.path[:0] = map(str, [TESTS.parent, TESTS, *FOLDERS])

USUAL = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", USUAL, derandomize=True)
settings.register_profile("random", USUAL, derandomize=False, database=None)  # .ci/run chooses the seed
settings.load_profile("default")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """With `-n`: a file stays in one process. So does the folder of real nodes: they measure each other."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/e2e" if file.startswith("tests/e2e/") else file

    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "P2PFORUM_PASSPHRASE_FILE",
        "P2PFORUM_KEY",
        "P2PFORUM_PAGER",
        "VISUAL",
        "EDITOR",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("P2PFORUM_HOME", str(tmp_path / "p2pforum-home"))


@pytest.fixture(autouse=True)
def wanted_faults(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """A node logs a fault of its own and goes on; a test fails, unless it puts the fault into this list."""
    wanted: list[str] = []
    yield wanted
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    faults = {r.getMessage() for r in records if r.exc_info and r.name.startswith("p2pforum")}
    assert faults == {*wanted}
