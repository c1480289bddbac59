"""Real processes: who was there is found again after a stop and after SIGKILL, without being named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from e2e_nodes import CONFIG, DemoNode, cli, kill, line, wait_until

pytestmark = pytest.mark.e2e


def connects(node: DemoNode, to: DemoNode) -> bool:
    wanted = to.address().rpartition("/")[2]
    wait_until(
        lambda: any(row["peer"] == wanted for row in node.node.peers()), "the peer was not found again"
    )
    (row,) = (row for row in node.node.peers() if row["peer"] == wanted)
    return bool(row["named"])


def test_peers_are_found_again_after_a_stop_and_after_a_kill(tmp_path: Path) -> None:
    with (
        line(tmp_path, ["alice"]) as (alice,),
        DemoNode("bob", tmp_path / "bob", CONFIG + "private = true\n") as bob,
        DemoNode("carol", tmp_path / "carol", CONFIG) as carol,
    ):
        hint = "The node knows no other node yet"
        wait_until(lambda: hint in (tmp_path / "alice.log").read_text(), "alice does not say what to do")
        for node in (bob, carol):
            node.start(alice.address())
            assert connects(node, alice)
            node.stop()  # the book is saved, with alice as an anchor
        assert hint not in (tmp_path / "bob.log").read_text()
        bob.start()
        assert not connects(bob, alice), "nobody named her this time"
        shown = cli(tmp_path / "bob", "status")
        assert "outbound  1 of 8 connections; in the address book: 1 reached before, 0 only heard of" in shown
        kill(bob)
        with closing(sqlite3.connect(bob.data_dir / "node.db")) as db:
            assert db.execute("SELECT address, tried, anchor FROM peer").fetchall() == [
                (alice.address(), 1, 1)
            ]
        bob.start()
        assert not connects(bob, alice)
        carol.start()  # a private address, and nobody allowed that: named only
        assert carol.node.status()["book"] == {"new": 0, "tried": 0, "outbound": 0, "wanted": 8}
        assert carol.node.peers() == []
