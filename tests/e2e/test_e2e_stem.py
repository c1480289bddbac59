"""Real nodes that hide origins: a post goes through the guard, and is public only when it is heard back."""

import json
from pathlib import Path

import pytest
from e2e_nodes import DemoNode, cli, ids, wait_until

pytestmark = pytest.mark.e2e

CONFIG = 'network = "e2e-net"\ntest = true\n'


def travelling(node: DemoNode) -> int:
    return int(node.node.status()["stem"]["own"])


def test_a_post_goes_through_the_guard_and_comes_back(tmp_path: Path) -> None:
    names = ["far", "guard", "author"]
    nodes = [DemoNode(name, tmp_path / name, CONFIG) for name in names]
    far, guard, author = nodes
    with far, guard, author:
        far.start()
        guard.start(far.address())
        author.start(guard.address())
        posted = json.loads(
            cli(tmp_path / "author", "post", "general", "-s", "Hidden", "--json", stdin="Text.\n")
        )
        assert travelling(author) == 1
        assert author.node.status()["stem"]["guards"] == 0, "the first peer that comes is not taken at once"
        wait_until(lambda: ids(far) == {posted["id"]}, "the post did not arrive")
        wait_until(lambda: travelling(author) == 0, "the post did not come back")
        sent, relayed = (n.node.status()["stem"]["counts"] for n in (author, guard))
        assert (sent["sent"], sent["fluffed"]) == (1, 0), "the author itself published nothing"
        assert relayed["received"] == 1
        (kept,) = json.loads((author.data_dir / "guards.json").read_text())
        assert kept["peer"] == guard.node.status()["peer_id"]
