"""A node whose clock is off: its own posts are neither given to peers that refuse them, nor lost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from e2e_nodes import CHECKOUT, CONFIG, DemoNode, cli, wait_until

from p2pforum.cli.terminal.exit_codes import REFUSED
from p2pforum.core.post_id import parse_id

pytestmark = pytest.mark.e2e


class Clocked(DemoNode):
    """A node, and commands beside it, by a clock that can be set."""

    @property
    def _hours(self) -> Path:
        return self._home.with_suffix(".hours")

    def set_clock(self, hours: int) -> None:
        """So many hours ahead of the right one."""
        self._hours.write_text(str(hours))

    def _command(self, *arguments: str) -> list[str]:
        script = str(Path(__file__).parent / "clocked_node.py")
        return [sys.executable, script, str(self._hours), "--home", str(self._home), *arguments]

    def say(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        done = subprocess.run(
            self._command(*arguments), input=stdin, capture_output=True, text=True, timeout=60, cwd=CHECKOUT
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if code else "")

    def outbox(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.say("outbox", "--json"))
        return found

    def ahead(self) -> int | None:
        """By how many hours peers' clocks are ahead of this one; None before one has said it."""
        found: int | None = self.node.status()["clock"]["peers_ahead"]
        return found


@contextmanager
def a_pair(directory: Path) -> Iterator[tuple[Clocked, DemoNode]]:
    with (
        Clocked("odd", directory / "odd", CONFIG) as odd,
        DemoNode("right", directory / "right", CONFIG) as right,
    ):
        right.start()
        yield odd, right


def has(node: DemoNode, post_id: str) -> bool:
    return node.reader.post(parse_id(post_id)) is not None


def test_a_post_dated_ahead_is_not_given_to_anybody_and_outbox_says_why(tmp_path: Path) -> None:
    with a_pair(tmp_path) as (odd, right):
        odd.set_clock(9_600)
        early = json.loads(odd.say("post", "general", "--yes", "-s", "Early", "--json", stdin="Text"))["id"]
        odd.set_clock(0)
        odd.start(right.address())
        wait_until(lambda: odd.ahead() is not None, "no peer said what time it is")
        due = json.loads(odd.say("post", "general", "--yes", "-s", "Due", "--json", stdin="Text"))["id"]
        wait_until(lambda: has(right, due), "the post of this hour did not arrive")
        cli(right._home, "sync")
        states = {row["id"]: (row["state"], row["why"]) for row in odd.outbox()}
        assert states[due] == ("public", None)
        assert states[early][0] == "held"
        assert "dated 400 days ahead" in str(states[early][1])
        said = odd.say("outbox")
        assert "dated 400 days ahead" in said
        assert "leave one by one" not in said
        assert not has(right, early)
        assert [row.released for row in odd.reader.unreleased()] == [False]


@pytest.mark.parametrize(
    ("hours", "reason"),
    [(-175_200, "before this program was made"), (-400, "those of peers are 16 days ahead of it")],
)
def test_with_a_clock_that_is_behind_a_text_stays_a_draft_and_goes_out_later(
    tmp_path: Path, hours: int, reason: str
) -> None:
    with a_pair(tmp_path) as (odd, right):
        odd.set_clock(hours)
        odd.start(right.address())
        wait_until(lambda: odd.ahead() is not None, "no peer said what time it is")
        refused = odd.say("post", "general", "--yes", "-s", "Lost?", stdin="Text", code=REFUSED)
        assert reason in refused
        assert "kept as a draft" in refused
        assert odd.outbox() == []
        odd.set_clock(0)
        assert odd.node.status()["clock"]["problem"] is None
        made = json.loads(odd.say("post", "general", "--yes", "-s", "Lost?", "--json", stdin="Text"))["id"]
        wait_until(lambda: has(right, made), "it did not arrive")
