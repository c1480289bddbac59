"""Two people, each at a node, with the front end of forty lines (docs/front_end.py): it follows live."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_nodes import CHECKOUT, line

pytestmark = pytest.mark.e2e

PROGRAM = [sys.executable, str(CHECKOUT / "docs/front_end.py")]


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "P2PFORUM_HOME": str(home)}


def write(home: Path, *words: str, text: str) -> dict[str, object]:
    done = subprocess.run(
        [*PROGRAM, *words],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environ(home),
    )
    return dict(json.loads(done.stdout))


def test_what_one_writes_the_other_reads_as_it_comes(tmp_path: Path) -> None:
    alice, bob = tmp_path / "alice", tmp_path / "bob"
    with (
        line(tmp_path, ["alice", "bob"]),
        subprocess.Popen(
            [*PROGRAM, "follow", "0"], stdout=subprocess.PIPE, text=True, env=environ(bob)
        ) as follow,
    ):
        assert follow.stdout is not None
        made = write(alice, "post", "general", "A subject", text="Hello.")
        assert (made["outcome"], made["node"]) == ("stored", True)
        seen = json.loads(follow.stdout.readline())
        assert (seen["id"], seen["body"]) == (made["id"], "Hello.")
        answer = write(bob, "reply", str(made["id"])[:8], text="Hello to you.")
        assert answer["root"] == made["id"]
        own = json.loads(follow.stdout.readline())
        assert own["id"] == answer["id"], "an own post, too, once it is public"
        follow.terminate()
