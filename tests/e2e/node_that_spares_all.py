"""A node that ends no sync session for another's: the control of test_e2e_sync_slots.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from p2pforum.cli.main import main
from p2pforum.sync import service, session_slots

session_slots.to_end = lambda _held, _now: None
service.WAIT_SECONDS = 5.0  # who waits here gets nothing however long; where sessions end, a slot in one
main(sys.argv[1:])
