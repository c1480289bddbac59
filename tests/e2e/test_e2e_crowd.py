"""One party's ports and peer IDs on few hosts, over TCP: what part of a node's connections they bring it.

See e2e_crowd.py: all addresses are this machine's, in a network namespace of its own. It needs Linux, root,
`ip` and `unshare`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from e2e_crowd import HONEST, NAMES, NODES, PORTS, SPIES
from missing import missing

pytestmark = pytest.mark.e2e

FAIR = SPIES / (SPIES + HONEST)


def crowd(kind: str) -> dict[str, Any]:
    if os.geteuid() or not (shutil.which("ip") and shutil.which("unshare")):
        missing("no network namespace can be made here")
    script = str(Path(__file__).with_name("e2e_crowd.py"))
    done = subprocess.run(
        ["unshare", "--net", sys.executable, script, kind],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return dict(json.loads(done.stdout))


def test_many_ports_and_peer_ids_bring_a_party_no_more_connections_than_its_hosts() -> None:
    found = crowd("plain")
    assert found["entries"] == [[SPIES + HONEST, SPIES]] * NODES, "of each host one"
    assert found["spying"] / found["connections"] < 1.6 * FAIR


def test_control_where_records_are_counted_they_bring_most() -> None:
    found = crowd("by_record")
    assert min(spying for _, spying in found["entries"]) > SPIES * NAMES * PORTS / 2
    assert found["spying"] / found["connections"] > 2.2 * FAIR
