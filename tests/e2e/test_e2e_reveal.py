"""A key burnt and published on one machine is marked on another, two hops away."""

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


def test_readers_elsewhere_see_it_marked(nodes: list[DemoNode], tmp_path: Path) -> None:
    alice, carol = tmp_path / "alice", tmp_path / "carol"
    made = json.loads(cli(alice, "post", "general", "--yes", "-s", "Mine", "--json", stdin="Text.\n"))
    other = json.loads(
        cli(alice, "post", "general", "--yes", "-s", "Another of mine", "--json", stdin="Text.\n")
    )
    wait_until(lambda: ids(nodes[2]) == {made["id"], other["id"]}, "the posts did not arrive")
    before = json.loads(cli(carol, "read", made["id"], "--json"))["posts"]
    assert [post["key_published"] for post in before] == [False]
    cli(alice, "key", "burn", made["id"], "--reveal", "--yes")
    wait_until(lambda: len(ids(nodes[2])) == 3, "the reveal did not arrive")
    after = json.loads(cli(carol, "read", made["id"], "--json"))["posts"]
    assert [(post["key_published"], post["kind"]) for post in after] == [(True, "post"), (True, "reveal")]
    (untouched,) = json.loads(cli(carol, "read", other["id"], "--json"))["posts"]
    assert not untouched["key_published"]
