"""Prints the drawing of a sync session in docs/ARCHITECTURE.md, made from the node's own table."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from p2pforum.sync.phases import drawing

if __name__ == "__main__":
    sys.stdout.write(drawing())
