"""No test touches the home of whoever runs it; what runs beside what, and first."""

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


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "dist", "no") == "load":  # else xdist tells nobody what is in an `xdist_group`
        config.option.dist = "loadgroup"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """With `-n`: a file stays in one process, and so do all files of an `xdist_group`."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            is_grouped = nodeid.rfind("@") > nodeid.rfind("]")  # "@" may be in a parameter, too
            return nodeid.rpartition("@")[2] if is_grouped else nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # but in the order of pytest_collection_modifyitems
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first: at the end no process waits for another."""
    items.sort(
        key=lambda item: [not item.get_closest_marker(name) for name in ("xdist_group", "e2e", "slow")]
    )


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
