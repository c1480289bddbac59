"""Launcher for a checkout: `python node.py run|demo|post|...` is the command `p2pforum`."""

import sys

try:
    from p2pforum.cli.main import main
except ModuleNotFoundError as error:
    print(f"{error.name} is not installed. Set up this checkout first:", file=sys.stderr)
    print(
        "  python3 -m venv .venv && .venv/bin/pip install -q --no-deps -r requirements.lock\n"
        "then run .venv/bin/python node.py",
        file=sys.stderr,
    )
    sys.exit(69)

if __name__ == "__main__":
    main()
