"""Each benchmark and each simulation runs to its end on a checkout as it is, with sizes that take seconds."""

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from e2e_nodes import CHECKOUT

from benchmarks import bench_gossip

pytestmark = pytest.mark.e2e

MODULES = sorted(path for folder in ("benchmarks", "simulation") for path in (CHECKOUT / folder).glob("*.py"))
AT_ONCE = 4  # many of them wait for most of their time


def smallest(path: Path) -> list[str] | None:
    """The arguments that a program is to be tried with; None for a module that is none."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SMALLEST":
            return str(ast.literal_eval(node.value)).split()
    return None


def name_of(path: Path) -> str:
    return f"{path.parent.name}.{path.stem}".removesuffix(".__init__")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Without what pytest adds to the path."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False
    )


def test_each_program_says_with_what_to_try_it() -> None:
    assert len(MODULES) > 20
    for path in MODULES:
        is_program = "__main__" in path.read_text()
        assert is_program == (smallest(path) is not None), f"{path}: SMALLEST is missing, or says nothing"


def complaints(path: Path) -> list[str]:
    """What is wrong with a program at its smallest size. One that judges bounds ends with 1 where they break,
    which at that size they may."""
    name = name_of(path)
    done = run("-m", name, *(smallest(path) or ()))
    is_broken = "bounds hold" in path.read_text() and "bounds hold" not in done.stdout
    found = []
    if done.returncode != is_broken or (done.returncode and done.stderr):
        found.append(f"{name} ended with {done.returncode}: {done.stderr}")
    if not done.stdout.strip():
        found.append(f"{name} printed nothing")
    if name == "benchmarks.bench_gossip":
        titles = [line[:26] for line in done.stdout.splitlines()]
        if not all(title.startswith("ours") for title in titles[:4]):
            found.append(f"{name}: what is ours waited for others:\n{done.stdout}")
    return found


@pytest.mark.timeout(600)  # 40 s on two idle cores
def test_each_program_runs_to_its_end() -> None:
    programs = [path for path in MODULES if smallest(path) is not None]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert [complaint for found in pool.map(complaints, programs) for complaint in found] == []


def test_each_module_is_imported_from_a_checkout() -> None:
    """One process for each of them: none finds what another one has added to the path."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = pool.map(lambda path: run("-c", f"import {name_of(path)}"), MODULES)
        assert [each.stderr for each in done if each.returncode] == []


def test_what_fails_of_the_library_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with bench_gossip._what_fails("the library"):
        raise ExceptionGroup("", [ValueError("its pubsub")])
    assert "the library" in capsys.readouterr().out
