"""An invite from one running node makes another one meet it, at once and after a restart."""

import json
from pathlib import Path

import pytest
from e2e_nodes import CONFIG, DemoNode, cli, ids, wait_until
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.bundle import Header, write_bundle
from p2pforum.core.network_params import params_for
from p2pforum.core.post_id import format_id

pytestmark = pytest.mark.e2e


def bring(home: Path, body: str) -> str:
    """A post that others have written: it is public at once, where an own one would wait for a while."""
    post = a_post(body, hour=this_hour(), params=params_for("test.e2e"))
    file = home / "a.bundle"
    file.write_bytes(b"".join(write_bundle(Header("test.e2e", 1, 1), [post.raw])))
    cli(home, "import", str(file))
    return format_id(post.id)


def test_a_newcomer_with_an_invite_reads_what_is_there(tmp_path: Path) -> None:
    alice, bob = (DemoNode(name, tmp_path / name, CONFIG) for name in ("alice", "bob"))
    with alice, bob:
        alice.start()
        first = bring(tmp_path / "alice", "Hello.")
        bob.start()
        assert ids(bob) == set()
        made = cli(tmp_path / "alice", "invite", "--self", "--board", "general")
        assert "Accepted." in cli(tmp_path / "bob", "join", made.strip())
        wait_until(lambda: ids(bob) == {first}, "the post did not come")
        bob.stop()
        second = bring(tmp_path / "alice", "And again.")
        bob.start()
        wait_until(lambda: ids(bob) == {first, second}, "the invite was forgotten")
        (listed,) = json.loads(cli(tmp_path / "bob", "invites", "--json"))
        cli(tmp_path / "bob", "invites", "--drop", listed["name"])
        bob.stop()
        bob.start()
        assert json.loads(cli(tmp_path / "bob", "peers", "--json")) == []
