"""Who reads what the program prints, and whether anybody can, is no matter of life and death to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_nodes import CHECKOUT, CONFIG, DemoNode, cli

pytestmark = pytest.mark.e2e

REDIRECTIONS = [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>/dev/full"]


class Redirected(DemoNode):
    """Started by a shell that redirects it; `| true` is a reader that has gone."""

    how = ""

    def _command(self, *arguments: str) -> list[str]:
        return ["sh", "-c", f'exec "$@" {self.how}', "sh", *super()._command(*arguments)]


class Unread(DemoNode):
    """Both outputs are pipes from which nobody reads any more."""

    def _command(self, *arguments: str) -> list[str]:
        script = (
            "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1); os.dup2(w, 2);"
            " os.execv(sys.argv[1], sys.argv[1:])"
        )
        return [sys.executable, "-c", script, *super()._command(*arguments)]


@pytest.mark.parametrize("how", REDIRECTIONS)
def test_a_node_runs_without_anybody_to_read_it(tmp_path: Path, how: str) -> None:
    with Redirected("alice", tmp_path / "alice", CONFIG) as alice:
        alice.how = how
        alice.start()
        made = alice.new_thread("general", "Hello", "Does it run?")
        assert alice.reader.post(made.post.id) is not None
        assert cli(tmp_path / "alice", "doctor"), "nothing was printed into the database"


def test_a_node_goes_on_when_its_reader_has_gone(tmp_path: Path) -> None:
    with Unread("alice", tmp_path / "alice", CONFIG) as alice:
        alice.start()
        alice.new_thread("general", "Hello", "Does it run?")
        assert alice.process is not None
        assert alice.process.poll() is None


COMMANDS = [
    ["threads"],
    ["status"],
    ["--version"],
    ["--help"],
    ["read", "zzzz"],
    ["no-such-command"],
    ["peers"],
]


@pytest.mark.parametrize("how", [*REDIRECTIONS, "| true", "2>&1 | true"])
def test_no_command_ends_in_a_traceback(tmp_path: Path, how: str) -> None:
    home = tmp_path / "home"
    cli(home, "init", "--no-passphrase")
    for command in COMMANDS:
        log = tmp_path / "log"
        words = " ".join([sys.executable, str(CHECKOUT / "node.py"), "--home", str(home), *command])
        with log.open("wb") as file:
            subprocess.run(
                ["sh", "-c", f"{words} {how}"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                timeout=60,
                env={**os.environ, "P2PFORUM_HOME": ""},
            )
        said = log.read_text()
        assert "Traceback" not in said, command
        assert "Error:" not in said.replace("Error: No such command", ""), command
