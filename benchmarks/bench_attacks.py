"""Attacks, and what becomes of honest posts and their authors meanwhile: this checkout, and others beside it.

    python -m benchmarks.bench_attacks [CHECKOUT...]        for example one from before a change
    python -m benchmarks.bench_attacks --quick              sizes that take seconds, to see that it runs

A row is a scene. Those of SCRIPTS (tests/e2e/e2e_scenes.py) attack real nodes: attackers and nodes are those
of the checkout, and both speak its protocols. An honest post counts at a node that has it at the latest 5 s
after the last post was sent; `reached` names each node that was looked at. CPU is the victim's: of floods in
seconds a second, of commands and sync sessions in seconds. The rows of attacks_on_privacy.py are shares of
keys, posts or connections in models of this checkout, and bring their controls with them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import attacks_on_privacy

SMALLEST = "--quick"

HERE = Path(__file__).resolve().parents[1]
SCRIPTS = ("e2e_floods", "e2e_costs", "e2e_bombs", "e2e_deafness")  # of tests/e2e
SECONDS = 240.0  # for one row


def names(script: Path, how: Sequence[str]) -> list[str]:
    """The names of the script's scenes. `how`: arguments of the script."""
    command = [sys.executable, str(script), *how]
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    done = subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def measure(checkout: Path, script: Path, name: str) -> dict[str, Any]:
    """The figures that the scene prints, by their names; {"failed": why} if it printed none
    within SECONDS.
    """
    command = [sys.executable, str(script), name]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    try:
        done = subprocess.run(
            command, env=environment, cwd=checkout, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"failed": "no answer in time"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["without a word"])[-1]}
    return dict(json.loads(done.stdout))


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return " ".join(map(shown, value))
    return "none" if value is None else str(value)


def show(name: str, where: str, result: Mapping[str, Any]) -> None:
    fields = "  ".join(f"{key} {shown(value)}" for key, value in result.items())
    print(f"{name:<34} {where:<8} {fields}", flush=True)


def main() -> None:
    """Run every scene in every checkout and print a row each. Exit code 1 if a scene failed
    in this checkout.
    """
    is_quick = sys.argv[1:] == ["--quick"]
    others = [] if is_quick else [Path(argument).resolve() for argument in sys.argv[1:]]
    has_failed = False
    for script in (HERE / "tests" / "e2e" / f"{name}.py" for name in SCRIPTS):
        for name in names(script, ["--quick"] if is_quick else []):
            for n, checkout in enumerate([HERE, *others]):
                result = measure(checkout, script, name)
                show(name, f"other {n}" if n else "this", result)
                has_failed = has_failed or ("failed" in result and not n)
    for name, scene in (attacks_on_privacy.QUICK if is_quick else attacks_on_privacy.SCENES).items():
        show(name, "this", scene())
    sys.exit(has_failed)


if __name__ == "__main__":
    main()
