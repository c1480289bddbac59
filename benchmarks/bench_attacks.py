"""Attacks on real nodes, and what becomes of honest posts meanwhile: this checkout, and others beside it.

    python -m benchmarks.bench_attacks [CHECKOUT...]        for example one from before a change
    python -m benchmarks.bench_attacks --quick              one small row, to see that it runs

Attackers and nodes are those of the checkout: both speak as it does. Honest posts count where they are 5 s
after the last was sent at the latest; `reached` names each node that was looked at. CPU is the victim's: of
floods in seconds a second, of commands and sync sessions in seconds. A row is a scene: SCENES of
tests/e2e/e2e_floods.py and e2e_costs.py, which print one JSON object for a name.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
FLOODS = "tests/e2e/e2e_floods.py"
COSTS = "tests/e2e/e2e_costs.py"
ROWS = (
    (FLOODS, "overflow, no flooder"),
    (FLOODS, "overflow, 8 flooders"),
    (FLOODS, "refused, a reveal"),
    (FLOODS, "refused, the clock"),
    (COSTS, "sync, 16 tricklers"),
    (COSTS, "memory, 60 hoarders"),
    (COSTS, "read, 20 bombs"),
    (COSTS, "read, chain of 2,000"),
    (COSTS, "sync, 3,000 boards"),
)
QUICK = ((FLOODS, "overflow, 2 flooders"), (COSTS, "read, 2 bombs"))
SECONDS = 180.0  # for one row


def measure(checkout: Path, script: str, name: str) -> dict[str, Any]:
    """What the scene says of itself; what went wrong if it says nothing."""
    command = [sys.executable, str(HERE / script), name]
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


def main() -> None:
    is_quick = sys.argv[1:] == ["--quick"]
    others = [] if is_quick else [Path(argument).resolve() for argument in sys.argv[1:]]
    has_failed = False
    for script, name in QUICK if is_quick else ROWS:
        for n, checkout in enumerate([HERE, *others]):
            result = measure(checkout, script, name)
            fields = "  ".join(f"{key} {shown(value)}" for key, value in result.items())
            print(f"{name:24} {f'other {n}' if n else 'this':8} {fields}", flush=True)
            has_failed = has_failed or ("failed" in result and not n)
    sys.exit(has_failed)


if __name__ == "__main__":
    main()
