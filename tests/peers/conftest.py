"""Makes peers_tools importable; test files of all folders share one namespace."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
