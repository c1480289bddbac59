"""Three processes in a line: a post written at one end is read at the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_nodes import DemoNode, cli, ids, line, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[DemoNode]]:
    with line(tmp_path, ["alice", "bob", "carol"]) as running:
        yield running


def test_post_here_read_there(nodes: list[DemoNode], tmp_path: Path) -> None:
    alice, carol = tmp_path / "alice", tmp_path / "carol"
    posted = json.loads(
        cli(alice, "post", "general", "--yes", "-s", "A first thread", "--json", stdin="Hello.\n")
    )
    wait_until(lambda: ids(nodes[2]) == {posted["id"]}, "the post did not arrive")
    answered = json.loads(cli(carol, "reply", posted["id"], "--json", stdin="Hello to you.\n"))
    wait_until(lambda: len(ids(nodes[0])) == 2, "the answer did not arrive")
    assert ids(nodes[0]) == ids(nodes[2]) == {posted["id"], answered["id"]}
    shown = cli(alice, "read", posted["id"])
    assert "A first thread" in shown
    assert "│ Hello to you." in shown
    assert "Hello to you" in cli(alice, "search", "hello")


def test_peers_status_and_a_sync_by_hand(nodes: list[DemoNode], tmp_path: Path) -> None:
    alice, bob, _ = (tmp_path / name for name in ("alice", "bob", "carol"))
    assert len(json.loads(cli(bob, "peers", "--json"))) == 2
    assert json.loads(cli(alice, "status", "--json"))["node"]["running"]
    peer = json.loads(cli(alice, "status", "--json"))["node"]["peer_id"]
    assert "Done in" in cli(bob, "sync", peer)
    assert "Done in" in cli(bob, "sync", nodes[0].address())
    assert "Done in" in cli(bob, "sync")
    cli(bob, "sync", "12D3KooWnobody", code=3)


def test_who_was_away_catches_up(nodes: list[DemoNode], tmp_path: Path) -> None:
    alice, bob, carol = nodes
    carol.stop()
    for n in range(30):
        cli(tmp_path / "alice", "post", f"board-{n % 3}", "--yes", "-s", f"Missed {n}", stdin=f"Body {n}.\n")
    carol.start(bob.address())
    wait_until(lambda: len(ids(nodes[2])) == 30, "the posts were not caught up")
    assert ids(nodes[2]) == ids(nodes[0])
    assert alice.runs


def test_what_was_written_without_a_node_goes_out_when_it_runs(nodes: list[DemoNode], tmp_path: Path) -> None:
    alice, bob, _ = nodes
    alice.stop()
    posted = json.loads(
        cli(
            tmp_path / "alice", "post", "general", "--yes", "-s", "Written offline", "--json", stdin="Body.\n"
        )
    )
    alice.start(bob.address())
    wait_until(lambda: posted["id"] in ids(nodes[2]), "the post did not go out")


def test_a_node_of_another_network_takes_nothing(nodes: list[DemoNode], tmp_path: Path) -> None:
    with DemoNode("mallory", tmp_path / "mallory", 'network = "test.other"\n') as stranger:
        stranger.start(nodes[0].address())
        cli(tmp_path / "alice", "post", "general", "--yes", "-s", "Ours", stdin="Body.\n")
        wait_until(lambda: len(ids(nodes[2])) == 1, "the post did not arrive")
        cli(tmp_path / "mallory", "post", "general", "--yes", "-s", "Theirs", stdin="Body.\n")
        assert len(ids(stranger)) == 1
        assert len(ids(nodes[0])) == 1
