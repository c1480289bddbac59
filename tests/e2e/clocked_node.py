"""p2pforum with a clock that is off: `clocked_node.py FILE ARGUMENTS`. FILE holds hours, and may change."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from p2pforum.cli.main import main

_hours = Path(sys.argv[1])
_time_ns = time.time_ns


def _shifted() -> int:
    return _time_ns() + int(_hours.read_text()) * 3600 * 10**9


if __name__ == "__main__":
    time.time_ns = _shifted
    setattr(time, "time", lambda: _shifted() / 10**9)  # noqa: B010 - the one clock, which a test sets
    main(sys.argv[2:])
