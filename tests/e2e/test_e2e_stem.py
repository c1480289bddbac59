"""Real nodes that hide origins: a post goes through the guard, and is public only when it is heard back."""

import json
from pathlib import Path

import pytest
from e2e_nodes import DemoNode, cli, ids, kill, wait_until

pytestmark = pytest.mark.e2e

CONFIG = 'network = "test.e2e"\nhold_minutes = 0\n'


def travelling(node: DemoNode) -> int:
    return int(node.node.status()["stem"]["own"])


def test_a_killed_node_sends_again_what_nobody_has(tmp_path: Path) -> None:
    far, author = (DemoNode(name, tmp_path / name, CONFIG) for name in ("far", "author"))
    with far, author:
        far.start()
        author.start(far.address())
        wait_until(lambda: author.node.status()["peers"], "nobody was dialled")
        posted = json.loads(
            cli(tmp_path / "author", "post", "general", "--yes", "-s", "Lost?", "--json", stdin="Text.\n")
        )
        kill(author)
        assert ids(far) == set()
        (waiting,) = json.loads(cli(tmp_path / "author", "outbox", "--json"))
        assert (waiting["id"], waiting["state"]) == (posted["id"], "waiting")
        author.start(far.address())
        wait_until(lambda: travelling(author) == 1, "the post was not taken up")
        wait_until(lambda: ids(far) == {posted["id"]}, "the post did not arrive")
        wait_until(lambda: travelling(author) == 0, "the post did not come back")
        (public,) = json.loads(cli(tmp_path / "author", "outbox", "--json"))
        assert public["state"] == "public"


def test_a_post_goes_through_the_guard_and_comes_back(tmp_path: Path) -> None:
    names = ["far", "guard", "author"]
    nodes = [DemoNode(name, tmp_path / name, CONFIG) for name in names]
    far, guard, author = nodes
    with far, guard, author:
        far.start()
        guard.start(far.address())
        author.start(guard.address())
        wait_until(lambda: author.node.status()["peers"], "nobody was dialled")
        posted = json.loads(
            cli(tmp_path / "author", "post", "general", "--yes", "-s", "Hidden", "--json", stdin="Text.\n")
        )
        wait_until(lambda: travelling(author) == 1, "the post was not taken up")
        assert author.node.status()["stem"]["guards"] == 0, "the first peer that comes is not taken at once"
        wait_until(lambda: ids(far) == {posted["id"]}, "the post did not arrive")
        wait_until(lambda: travelling(author) == 0, "the post did not come back")
        sent, relayed = (n.node.status()["stem"]["counts"] for n in (author, guard))
        assert (sent["sent"], sent["fluffed"]) == (1, 0), "the author itself published nothing"
        assert relayed["received"] == 1
        kept = json.loads((author.data_dir / "guards.json").read_text())["guards"]
        assert {one["peer"] for one in kept if one} == {guard.node.status()["peer_id"]}
