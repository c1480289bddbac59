"""Nodes of tests/stem (and what they need of tests/gossip) serve here too, on a real network."""

import sys
from pathlib import Path

for folder in ("gossip", "network", "stem"):
    sys.path.append(str(Path(__file__).parent.parent / folder))
