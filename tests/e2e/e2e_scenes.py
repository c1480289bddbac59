"""What a script of scenes does when it is started; `benchmarks/bench_attacks.py` makes a table of them.

    SCRIPT [--quick]     the names of its scenes, one a line; or of those that take seconds, to try it
    SCRIPT NAME          runs one, and prints what came of it as one JSON object

A script tries the checkout that `p2pforum` is imported from, which need not be the one it lies in.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Scene = Callable[[Path], Mapping[str, Any]]


def play(scenes: Mapping[str, Scene], quick: Mapping[str, Scene], arguments: Sequence[str]) -> None:
    """Scenes get an empty directory."""
    if arguments in ([], ["--quick"]):
        for name in quick if arguments else scenes:
            print(name)
        return
    (name,) = arguments
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps((dict(scenes) | dict(quick))[name](Path(directory))))
