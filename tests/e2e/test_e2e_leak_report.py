"""leak-report in a real run: three processes in a line, the author in the middle or at an end."""

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


def in_mesh(home: Path) -> int:
    """Peers to which this node pushes."""
    found = json.loads(cli(home, "peers", "--json"))
    return sum((peer["gossip"] or {}).get("is_in_mesh", False) for peer in found)


@pytest.mark.parametrize(("name", "peers"), [("alice", 1), ("bob", 2)])
def test_it_counts_the_peers_that_got_the_post(
    nodes: list[DemoNode], tmp_path: Path, name: str, peers: int
) -> None:
    home = tmp_path / name
    wait_until(lambda: in_mesh(home) == peers, "no mesh was formed")
    made = json.loads(
        cli(home, "post", "general", "--yes", "-s", "Mine", "--json", "--listen", "2", stdin="Text.\n")
    )
    (left,) = json.loads(cli(home, "leak-report", made["id"], "--json"))["posts"]
    assert (left["handed"], left["told"]) == (peers, 0)
    assert left["offered_back"] <= peers  # a peer that counts us among its outsiders offers what it has
    wait_until(lambda: all(ids(node) == {made["id"]} for node in nodes), "the post did not arrive")
    assert json.loads(cli(home, "status", "--json"))["node"]["running"]
