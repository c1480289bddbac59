"""An invite from one running node makes another one meet it, at once and after a restart."""

import json
from pathlib import Path

import pytest
from e2e_nodes import CONFIG, DemoNode, cli, ids, wait_until

pytestmark = pytest.mark.e2e


def test_a_newcomer_with_an_invite_reads_what_is_there(tmp_path: Path) -> None:
    alice, bob = (DemoNode(name, tmp_path / name, CONFIG) for name in ("alice", "bob"))
    with alice, bob:
        alice.start()
        posted = json.loads(
            cli(tmp_path / "alice", "post", "general", "-s", "A thread", "--json", stdin="Hello.\n")
        )
        bob.start()
        assert ids(bob) == set()
        made = cli(tmp_path / "alice", "invite", "--self", "--board", "general")
        assert "Accepted." in cli(tmp_path / "bob", "join", made.strip())
        wait_until(lambda: ids(bob) == {posted["id"]}, "the post did not come")
        bob.stop()
        answered = json.loads(cli(tmp_path / "alice", "reply", posted["id"], "--json", stdin="And again.\n"))
        bob.start()
        wait_until(lambda: answered["id"] in ids(bob), "the invite was forgotten")
        (listed,) = json.loads(cli(tmp_path / "bob", "invites", "--json"))
        cli(tmp_path / "bob", "invites", "--drop", listed["name"])
        bob.stop()
        bob.start()
        assert json.loads(cli(tmp_path / "bob", "peers", "--json")) == []
