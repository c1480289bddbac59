"""The gossiping nodes of tests/gossip serve here too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "gossip"))
