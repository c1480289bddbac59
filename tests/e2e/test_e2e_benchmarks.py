"""Each benchmark runs to its end on a checkout as it is, with sizes that take seconds."""

import os
import subprocess
import sys

import pytest
from e2e_nodes import CHECKOUT

from benchmarks import bench_gossip

pytestmark = pytest.mark.e2e

SMALL = {
    "bench_attacks": ["--quick"],
    "bench_cli": ["300", "2"],
    "bench_gossip": ["2", "2000"],
    "bench_idle": ["1", "1"],
    "bench_ingest": ["200", "50"],
    "bench_network": ["--quick"],
    "bench_queries": ["3000"],
    "bench_start": ["1"],
    "bench_sync": ["2000", "200"],
    "bench_sync_boards": ["600", "40"],
    "bench_sync_processes": ["200", "20"],
}
LONG = {"bench_keys", "bench_quota"}  # minutes, whatever the sizes
NO_BENCHMARK = {"bench_posts"}


def test_no_benchmark_is_forgotten() -> None:
    here = {path.stem for path in (CHECKOUT / "benchmarks").glob("bench_*.py")}
    assert here == SMALL.keys() | LONG | NO_BENCHMARK


@pytest.mark.timeout(300)  # on two busy cores bench_gossip takes one minute
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs_to_its_end(name: str) -> None:
    """Without what pytest adds to the path."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-m", f"benchmarks.{name}", *SMALL[name]]
    done = subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if name == "bench_gossip":
        titles = [line[:26] for line in done.stdout.splitlines()]
        assert all(title.startswith("ours") for title in titles[:4]), "what is ours does not wait for others"


def test_what_fails_of_the_library_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with bench_gossip._what_fails("the library"):
        raise ExceptionGroup("", [ValueError("its pubsub")])
    assert "the library" in capsys.readouterr().out
